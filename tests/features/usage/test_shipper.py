from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from support.clocks import FixedClock
from support.queues import MemoryQueue
from support.randomness import SeededRandomness
from support.until import until
from support.usage import usage_record
from trinity_beast.features.usage import (
    BatchCodec,
    ShipperState,
    Shipping,
    Spool,
    UsageBuffer,
    UsageRecord,
    UsageShipper,
)

RECORDS = [usage_record(number) for number in range(25)]
SHIPPING = Shipping(node="BeastMain", region="us-east-2", most_records=10)


class StoppedClock(FixedClock):
    """Never reaches the end of a sleep."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Ship:
    """A shipper with all it needs, in sight."""

    def __init__(
        self,
        home: Path,
        clock: FixedClock,
        shipping: Shipping = SHIPPING,
        spool_bytes: int = 1 << 20,
    ) -> None:
        self.clock = clock
        self.buffer = UsageBuffer(100, wake_at=10)
        self.queue = MemoryQueue()
        self.spool = Spool(home, "node", limit_bytes=spool_bytes)
        self.shipper = UsageShipper(
            self.buffer,
            self.queue,
            self.spool,
            clock,
            SeededRandomness(),
            shipping,
        )

    def add(self, *records: UsageRecord) -> None:
        for record in records:
            self.buffer.add(record)

    def arrived(self) -> list[UsageRecord]:
        """Return what the queue took, in order of first arrival.

        A batch that goes to the disk while it is being published arrives twice.
        """
        return list(dict.fromkeys(records_of(self.queue.bodies.values())))

    def left_behind(self) -> list[UsageRecord]:
        """Return what the next process would find on the disk."""
        self.spool.close()
        spool = Spool(self.spool.directory.parent, "next")
        bodies: list[bytes] = []
        while (batch := spool.oldest()) is not None:
            bodies.append(batch.body)
            spool.forget(batch)
        return records_of(bodies)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self.shipper.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def records_of(bodies: Iterable[bytes]) -> list[UsageRecord]:
    codec = BatchCodec()
    return [record for body in bodies for record in codec.decode(body).records]


@pytest.fixture
def ship(tmp_path: Path, clock: FixedClock) -> Ship:
    return Ship(tmp_path, clock)


async def test_records_are_published_in_order_and_in_batches(ship: Ship) -> None:
    ship.add(*RECORDS)

    async with ship.running():
        await until(lambda: len(ship.arrived()) == 25)

    assert ship.arrived() == RECORDS
    assert len(ship.queue.bodies) == 3
    assert ship.shipper.state() == ShipperState(0, 25, 0, 0, 0, None)


async def test_a_full_batch_does_not_wait_for_the_flush(tmp_path: Path) -> None:
    ship = Ship(tmp_path, StoppedClock())

    async with ship.running():
        await asyncio.sleep(0)
        ship.add(*RECORDS[:9])
        await asyncio.sleep(0)
        assert ship.arrived() == []
        ship.add(*RECORDS[9:])
        await until(lambda: ship.arrived() == RECORDS)


async def test_while_the_queue_is_away_records_go_to_disk_and_follow_in_order(
    ship: Ship,
) -> None:
    ship.queue.away = True

    async with ship.running():
        ship.add(*RECORDS[:10])
        await until(lambda: ship.shipper.state().spooled == 10)
        ship.add(*RECORDS[10:])
        await until(lambda: ship.shipper.state().spooled == 25)
        waiting = ship.shipper.state()
        ship.queue.away = False
        await until(lambda: ship.shipper.state().published == 25)
        await until(lambda: ship.spool.is_empty)

    assert waiting == ShipperState(
        buffered=0,
        published=0,
        spooled=25,
        spool_bytes=waiting.spool_bytes,
        dropped=0,
        last_error="queue_unreachable: it is away",
    )
    assert waiting.spool_bytes > 0
    assert ship.arrived() == RECORDS
    assert ship.shipper.state() == ShipperState(0, 25, 25, 0, 0, None)


async def test_a_queue_that_hangs_keeps_nothing_in_memory_for_longer_than_a_flush(
    ship: Ship,
) -> None:
    ship.queue.hangs = True
    ship.add(*RECORDS)

    await ship.shipper.collect()
    at_once = ship.shipper.state().spooled
    ship.clock.advance(0.1)
    await ship.shipper.collect()

    assert at_once == 0
    assert ship.shipper.state().spooled == 25
    assert ship.left_behind() == RECORDS


async def test_a_queue_that_does_not_answer_in_time_counts_as_away(
    tmp_path: Path,
    clock: FixedClock,
) -> None:
    ship = Ship(tmp_path, clock, replace(SHIPPING, timeout_ms=lambda: 1))
    ship.queue.hangs = True
    ship.add(*RECORDS)

    async with ship.running():
        await until(lambda: ship.shipper.state().last_error is not None)
        error = ship.shipper.state().last_error
        ship.queue.hangs = False
        await until(lambda: len(ship.arrived()) == 25)

    assert error == "queue_unreachable: no answer in 0.001 s"
    assert ship.arrived() == RECORDS


async def test_a_batch_that_is_tried_again_is_the_same_batch(ship: Ship) -> None:
    ship.queue.breaks = True
    ship.add(RECORDS[0])

    async with ship.running():
        await until(lambda: len(ship.queue.bodies) > 2)
        ship.queue.breaks = False
        await until(lambda: ship.shipper.state().published > 0)

    assert len(ship.queue.bodies) > 3
    assert len(set(ship.queue.bodies.values())) == 1


async def test_what_a_dead_process_left_is_published_first(tmp_path: Path) -> None:
    dead = Ship(tmp_path, FixedClock())
    dead.add(*RECORDS[:10])
    dead.queue.away = True
    await dead.shipper.drain(1)
    dead.spool.close()
    ship = Ship(tmp_path, FixedClock())
    ship.add(*RECORDS[10:])

    async with ship.running():
        await until(lambda: len(ship.arrived()) == 25)

    assert ship.arrived() == RECORDS


async def test_a_batch_of_a_newer_version_in_the_spool_is_shipped_unread(
    ship: Ship,
) -> None:
    ship.spool.append([b"\x92\x09\x01"])

    async with ship.running():
        await until(lambda: len(ship.queue.bodies) > 0)

    assert list(ship.queue.bodies.values()) == [b"\x92\x09\x01"]


async def test_a_spool_that_holds_nothing_whole_is_passed_over(
    tmp_path: Path,
) -> None:
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "0000000000000001.segment").write_bytes(b"torn")
    ship = Ship(tmp_path, FixedClock())

    await ship.shipper.drain(5)

    assert ship.spool.is_empty
    assert ship.queue.bodies == {}


async def test_when_neither_queue_nor_disk_take_more_the_drops_are_counted(
    tmp_path: Path,
) -> None:
    ship = Ship(
        tmp_path,
        FixedClock(),
        replace(SHIPPING, most_unsent_bytes=1),
        spool_bytes=10,
    )
    ship.queue.away = True

    with capture_logs() as logs:
        async with ship.running():
            ship.add(*RECORDS[:10])
            await until(lambda: ship.shipper.state().last_error is not None)
            ship.add(*[usage_record(number) for number in range(10, 200)])
            await until(lambda: any("since_start" in line for line in logs))
            stuck = ship.shipper.state()
            ship.queue.away = False
            await until(lambda: ship.shipper.state().published == 110)
            await until(lambda: ship.shipper.state().buffered == 0)

    assert stuck == ShipperState(
        buffered=110,
        published=0,
        spooled=0,
        spool_bytes=0,
        dropped=90,
        last_error="The usage spool takes no more: 10 bytes are its limit.",
    )
    assert [line for line in logs if line["log_level"] == "error"] == [
        {
            "event": "usage records dropped: neither queue nor spool take any",
            "log_level": "error",
            "since_last_line": 90,
            "since_start": 90,
            "spool": "The usage spool takes no more: 10 bytes are its limit.",
        },
    ]
    assert ship.arrived() == [usage_record(number) for number in range(110)]


async def test_waiting_writes_one_log_line_a_second(ship: Ship) -> None:
    ship.queue.away = True
    ship.add(*RECORDS)

    with capture_logs() as logs:
        started_ns = ship.clock.steady_ns
        async with ship.running():
            await until(lambda: ship.clock.steady_ns - started_ns > 20e9)

    seconds = (ship.clock.steady_ns - started_ns) / 1e9
    assert 1 <= len(logs) <= seconds + 1
    assert logs[0] == {
        "event": "shipping usage records has to wait",
        "log_level": "warning",
        "code": "queue_unreachable",
        "reason": "it is away",
    }


async def test_a_cancelled_shipper_loses_nothing_and_starts_again(ship: Ship) -> None:
    ship.queue.hangs = True
    async with ship.running():
        ship.add(*RECORDS)
        await until(lambda: ship.shipper.state().buffered == 25)
    ship.queue.hangs = False

    async with ship.running():
        await until(lambda: ship.shipper.state().published >= 25)

    assert ship.arrived() == RECORDS


async def test_draining_publishes_everything(ship: Ship) -> None:
    ship.add(*RECORDS)

    await ship.shipper.drain(5)

    assert ship.arrived() == RECORDS
    assert ship.shipper.state() == ShipperState(0, 25, 0, 0, 0, None)


async def test_draining_replays_the_spool_too(ship: Ship) -> None:
    ship.queue.away = True
    ship.add(*RECORDS[:10])
    await ship.shipper.collect()
    ship.clock.advance(1)
    await ship.shipper.collect()
    ship.queue.away = False
    ship.add(*RECORDS[10:])

    await ship.shipper.drain(5)

    assert ship.arrived() == RECORDS
    assert ship.spool.is_empty


@pytest.mark.parametrize("trouble", ["away", "hangs"])
async def test_draining_without_a_queue_puts_everything_on_the_disk(
    ship: Ship,
    trouble: str,
) -> None:
    setattr(ship.queue, trouble, True)
    ship.add(*RECORDS)

    await ship.shipper.drain(0.01)

    assert ship.shipper.state().spooled == 25
    assert ship.left_behind() == RECORDS


async def test_draining_with_nowhere_to_go_counts_what_is_lost(tmp_path: Path) -> None:
    ship = Ship(tmp_path, FixedClock(), spool_bytes=10)
    ship.queue.away = True
    ship.add(*RECORDS)

    with capture_logs() as logs:
        await ship.shipper.drain(1)

    state = ship.shipper.state()
    assert (state.dropped, state.buffered) == (25, 0)
    assert [line["event"] for line in logs] == [
        "queue is away at the end, spooling",
        "usage records dropped: neither queue nor spool take any",
    ]


async def test_draining_nothing_is_quick(ship: Ship) -> None:
    await ship.shipper.drain(0)

    assert ship.queue.bodies == {}
