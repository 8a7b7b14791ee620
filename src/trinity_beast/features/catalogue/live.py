"""The catalogue as one process holds it: always read, replaced as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from trinity_beast.features.catalogue.model import EMPTY, CatalogueSnapshot

Load = Callable[[], Awaitable[CatalogueSnapshot]]
Watcher = Callable[[CatalogueSnapshot], None]


class Catalogue:
    """Holds the newest snapshot and tells watchers when it is another one.

    Args:
        load: Where snapshots come from: the service, or something around it that puts
            other addresses in.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._loading = asyncio.Lock()
        self._snapshot = EMPTY
        self._watchers: list[Watcher] = []

    @property
    def snapshot(self) -> CatalogueSnapshot:
        """Return the newest snapshot; empty before the first refresh."""
        return self._snapshot

    async def refresh(self) -> None:
        """Load the catalogue again; the old one stays when that fails.

        Refreshes that are asked for at the same time run one after the other, so an
        older answer never replaces a newer one.

        Raises:
            DatabaseAway: Whatever the loader raises.
        """
        async with self._loading:
            self.replace(await self._load())

    def replace(self, snapshot: CatalogueSnapshot) -> None:
        """Hold this snapshot from now on; watchers hear of it only if it differs."""
        if snapshot == self._snapshot:
            return
        self._snapshot = snapshot
        for watcher in tuple(self._watchers):
            watcher(snapshot)

    def subscribe(self, callback: Watcher) -> Callable[[], None]:
        """Call ``callback`` with each snapshot that differs from the one before.

        Returns:
            What ends the subscription; calling it twice is not an error.
        """
        self._watchers.append(callback)

        def unsubscribe() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return unsubscribe
