"""Brings changes of rows to the parts of this process that hold copies of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

import structlog

from trinity_beast.ports.changes import EVERYTHING, Change, Changes
from trinity_beast.ports.clock import Clock

_log = structlog.get_logger("changes")
_GATHER_S = 0.02
_RETRY_S = 1.0

Listener = Callable[[Change], Awaitable[None]]
Refresh = Callable[[], Awaitable[None]]


class _Copy(NamedTuple):
    """Something that is read again as a whole when a table changes."""

    name: str
    tables: frozenset[str]
    refresh: Refresh
    stale: asyncio.Event


class ChangeHub:
    """Dispatches changes: row by row, or as "read it all again"."""

    def __init__(self, changes: Changes, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self._listeners: list[tuple[frozenset[str], Listener]] = []
        self._copies: list[_Copy] = []

    def on(self, tables: Collection[str], listener: Listener) -> None:
        """Call ``listener`` with each change of these tables, in order."""
        self._listeners.append((frozenset(tables), listener))

    def keep_fresh(self, name: str, tables: Collection[str], refresh: Refresh) -> None:
        """Call ``refresh`` after changes of these tables, once for a burst of them.

        A refresh that fails is tried again every second until it works.
        """
        copy = _Copy(name, frozenset(tables), refresh, asyncio.Event())
        self._copies.append(copy)

    async def run(self) -> None:
        """Dispatch for ever."""
        async with asyncio.TaskGroup() as tasks:
            for copy in self._copies:
                tasks.create_task(self._refresh_when_stale(copy))
            tasks.create_task(self._listen())

    async def announce(self, change: Change) -> None:
        """Treat a change as if the database had told it."""
        for copy in self._copies:
            if change.table == EVERYTHING or change.table in copy.tables:
                copy.stale.set()
        for tables, listener in self._listeners:
            if change.table == EVERYTHING or change.table in tables:
                await self._tell(listener, change)

    async def _listen(self) -> None:
        async for change in self._changes.listen():
            await self.announce(change)

    async def _tell(self, listener: Listener, change: Change) -> None:
        try:
            await listener(change)
        except Exception:  # noqa: BLE001 - one deaf listener must not deafen the others
            _log.exception("a change was not taken in", table=change.table)

    async def _refresh_when_stale(self, copy: _Copy) -> None:
        while True:
            await copy.stale.wait()
            # A burst of changed rows, such as a seed, is one refresh.
            await self._clock.sleep(_GATHER_S)
            copy.stale.clear()
            try:
                await copy.refresh()
            except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
                _log.warning("refresh failed", copy=copy.name, error=repr(error))
                copy.stale.set()
                await self._clock.sleep(_RETRY_S)
