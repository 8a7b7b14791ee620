"""Use cases of the catalogue."""

from __future__ import annotations

from trinity_beast.features.catalogue.model import CatalogueSnapshot
from trinity_beast.features.catalogue.repository import (
    list_assets,
    list_categories,
    list_feeds,
)
from trinity_beast.toolkit.work import UnitOfWork


class CatalogueService:
    """Reads the catalogue; each method is one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def load(self) -> CatalogueSnapshot:
        """Return the whole catalogue as the database has it now.

        Raises:
            DatabaseAway: The database cannot be reached.
        """
        async with self._work.begin() as connection:
            return CatalogueSnapshot(
                feeds=await list_feeds(connection),
                assets=await list_assets(connection),
                categories=await list_categories(connection),
            )
