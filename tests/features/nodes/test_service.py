"""The registry: who runs, and who was heard of lately."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support.clocks import NOON_NS
from support.until import until
from trinity_beast.features.nodes import (
    NodeRegistration,
    NodeService,
    ProcessRow,
    RunningProcess,
)
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.toolkit.work import DatabaseAway, UnitOfWork

if TYPE_CHECKING:
    from support.clocks import FixedClock

MAIN = RunningProcess(
    node="BeastMain",
    pid=7,
    region="us-east-2",
    version="1.2.3",
    roles=("feeds", "lpo"),
    started_at_ns=NOON_NS,
)
WORKER = replace(MAIN, pid=8, roles=("lpo",))


@pytest.fixture
def service(work: UnitOfWork, clock: FixedClock) -> NodeService:
    return NodeService(work, clock)


async def test_processes_are_listed_with_their_last_heartbeat(
    service: NodeService,
    clock: FixedClock,
) -> None:
    await service.beat(WORKER)
    await service.beat(MAIN)
    clock.advance(4)
    await service.beat(replace(MAIN, version="1.2.4"))

    assert await service.list_processes() == (
        ProcessRow(replace(MAIN, version="1.2.4"), NOON_NS + 4 * NS_PER_S),
        ProcessRow(WORKER, NOON_NS),
    )


async def test_those_not_heard_of_for_fifteen_seconds_do_not_count(
    service: NodeService,
    clock: FixedClock,
) -> None:
    await service.beat(MAIN)
    clock.advance(10)
    await service.beat(WORKER)

    counts = [await service.count_living(role) for role in ("lpo", "feeds", "web")]
    clock.advance(5)
    later = [await service.count_living(role) for role in ("lpo", "feeds")]

    assert (counts, later) == ([2, 1, 0], [1, 0])


async def test_who_leaves_is_not_listed_and_may_leave_twice(
    service: NodeService,
) -> None:
    await service.beat(MAIN)
    await service.beat(WORKER)

    await service.leave(MAIN)
    await service.leave(MAIN)

    assert [row.process for row in await service.list_processes()] == [WORKER]


async def test_who_was_killed_is_forgotten_after_a_day(
    service: NodeService,
    clock: FixedClock,
) -> None:
    await service.beat(WORKER)
    clock.advance(86_400)
    await service.beat(MAIN)
    kept = await service.list_processes()
    clock.advance(1)
    await service.beat(MAIN)

    assert [row.process for row in kept] == [MAIN, WORKER]
    assert [row.process for row in await service.list_processes()] == [MAIN]


class Patience:
    """A clock whose sleeper is woken by hand."""

    def __init__(self, clock: FixedClock) -> None:
        self.now_ns = clock.now_ns
        self.monotonic_ns = clock.monotonic_ns
        self.slept: list[float] = []
        self.wake = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.wake.wait()
        self.wake.clear()


async def test_a_registration_beats_until_it_ends_and_takes_its_row_away(
    service: NodeService,
    clock: FixedClock,
) -> None:
    patience = Patience(clock)
    running = asyncio.create_task(NodeRegistration(service, MAIN, patience).run())
    await until(lambda: len(patience.slept) == 1)
    during = await service.count_living("lpo")
    patience.wake.set()
    await until(lambda: len(patience.slept) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (during, patience.slept) == (1, [4, 4])
    assert await service.list_processes() == ()


class Away(NodeService):
    """A registry whose database is away."""

    async def beat(self, process: RunningProcess) -> None:
        raise DatabaseAway(reason="ConnectionRefusedError")

    async def leave(self, process: RunningProcess) -> None:
        raise DatabaseAway(reason="ConnectionRefusedError")


async def test_a_database_that_is_away_does_not_end_a_registration(
    work: UnitOfWork,
    clock: FixedClock,
) -> None:
    patience = Patience(clock)
    registration = NodeRegistration(Away(work, clock), MAIN, patience)
    running = asyncio.create_task(registration.run())
    await until(lambda: bool(patience.slept))
    running.cancel()

    [ended] = await asyncio.gather(running, return_exceptions=True)

    assert isinstance(ended, asyncio.CancelledError)
