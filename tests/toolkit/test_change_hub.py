from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from trinity_beast.ports.changes import EVERYTHING, Change
from trinity_beast.toolkit.change_hub import ChangeHub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.clocks import FixedClock


class ToldChanges:
    """Changes that a test tells."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Change] = asyncio.Queue()

    async def listen(self) -> AsyncIterator[Change]:
        while True:
            yield await self.inbox.get()


async def until(condition: asyncio.Event) -> None:
    await asyncio.wait_for(condition.wait(), 5)


async def test_a_listener_hears_the_changes_of_its_tables_only(
    clock: FixedClock,
) -> None:
    changes, heard, last = ToldChanges(), list[str](), asyncio.Event()
    hub = ChangeHub(changes, clock)

    async def listen(change: Change) -> None:
        heard.append(change.table)
        if change.table == EVERYTHING:
            last.set()

    hub.on(["api_keys"], listen)
    running = asyncio.create_task(hub.run())
    for table in ("users", "api_keys", EVERYTHING):
        changes.inbox.put_nowait(Change(table))
    await until(last)
    running.cancel()

    assert heard == ["api_keys", EVERYTHING]


async def test_one_deaf_listener_does_not_deafen_the_others(
    clock: FixedClock,
) -> None:
    changes, heard = ToldChanges(), asyncio.Event()
    hub = ChangeHub(changes, clock)

    async def deaf(_change: Change) -> None:
        raise ValueError("deaf")

    async def listen(_change: Change) -> None:
        heard.set()

    hub.on(["api_keys"], deaf)
    hub.on(["api_keys"], listen)
    running = asyncio.create_task(hub.run())
    changes.inbox.put_nowait(Change("api_keys"))
    await until(heard)
    running.cancel()


async def test_a_burst_of_changes_is_one_refresh(clock: FixedClock) -> None:
    changes, refreshed, runs = ToldChanges(), asyncio.Event(), list[int]()
    hub = ChangeHub(changes, clock)

    async def refresh() -> None:
        runs.append(1)
        refreshed.set()

    hub.keep_fresh("catalogue", ["exchange_feeds"], refresh)
    for _ in range(100):
        changes.inbox.put_nowait(Change("exchange_feeds", "INSERT"))
    changes.inbox.put_nowait(Change("users", "INSERT"))
    running = asyncio.create_task(hub.run())
    await until(refreshed)
    await asyncio.sleep(0)
    running.cancel()

    assert len(runs) == 1


async def test_a_refresh_that_fails_is_tried_again(clock: FixedClock) -> None:
    changes, refreshed, runs = ToldChanges(), asyncio.Event(), list[int]()
    hub = ChangeHub(changes, clock)

    async def refresh() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("database away")
        refreshed.set()

    hub.keep_fresh("catalogue", ["exchange_feeds"], refresh)
    running = asyncio.create_task(hub.run())
    changes.inbox.put_nowait(Change(EVERYTHING))
    await until(refreshed)
    running.cancel()

    assert len(runs) == 2
