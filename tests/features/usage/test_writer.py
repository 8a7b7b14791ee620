from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from support.clocks import FixedClock
from support.queues import MemoryQueue
from support.until import until
from support.usage import packed, usage_record
from support.usage_books import Books, settled
from trinity_beast.features.usage import Stored, UsageWriter, WriterState
from trinity_beast.toolkit.work import UnitOfWork


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def writer(queue: MemoryQueue, work: UnitOfWork, clock: FixedClock) -> UsageWriter:
    return UsageWriter(queue, work, clock)


async def test_batches_are_written_and_acknowledged(
    writer: UsageWriter,
    queue: MemoryQueue,
    books: Books,
    clock: FixedClock,
) -> None:
    await queue.publish(packed(usage_record(0), number=1))
    await queue.publish(packed(usage_record(1), number=2))

    await writer.write_next()

    assert queue.bodies == {}
    assert await books.counts() == settled(rows=2, batches=2)
    assert writer.state() == WriterState(Stored(rows=2), clock.now_ns(), None)


async def test_an_empty_queue_leaves_all_as_it_is(
    writer: UsageWriter,
    books: Books,
) -> None:
    await writer.write_next()

    assert await books.counts() == settled(rows=0, batches=0)
    assert writer.state() == WriterState(Stored(), 0, None)


async def test_a_writer_that_dies_before_acknowledging_doubles_nothing(
    writer: UsageWriter,
    queue: MemoryQueue,
    books: Books,
) -> None:
    await books.add_key()
    await queue.publish(packed(usage_record()))
    queue.forgetful = True
    await writer.write_next()
    failed = writer.state()
    queue.forgetful = False

    await writer.write_next()

    assert failed.last_error == "queue_unreachable: it went away"
    assert queue.bodies == {}
    assert await books.counts() == settled(rows=1, batches=1)
    assert (await books.counters())[0] == 1
    assert writer.state().stored == Stored(rows=1, duplicates=1)
    assert writer.state().last_error is None


async def test_poison_is_acknowledged_and_the_others_go_on(
    writer: UsageWriter,
    queue: MemoryQueue,
    books: Books,
) -> None:
    for body in (b"rubbish", packed(usage_record()), b""):
        await queue.publish(body)

    await writer.write_next()

    assert queue.bodies == {}
    assert await books.counts() == settled(rows=1, batches=1, dead=2)


async def test_a_queue_that_is_away_is_waited_for(
    writer: UsageWriter,
    queue: MemoryQueue,
    books: Books,
    clock: FixedClock,
) -> None:
    await queue.publish(packed(usage_record()))
    queue.away = True
    before_ns = clock.monotonic_ns()

    with capture_logs() as logs:
        for _ in range(20):
            await writer.write_next()
        waited_s = (clock.monotonic_ns() - before_ns) / 1e9
        queue.away = False
        await writer.write_next()

    # 0.1 + 0.2 + 0.4 + 0.8, then 1 s each.
    assert waited_s == pytest.approx(17.5)
    assert len(logs) <= waited_s
    assert logs[0] == {
        "event": "writing usage records has to wait",
        "log_level": "warning",
        "code": "queue_unreachable",
        "reason": "it is away",
    }
    assert await books.counts() == settled(rows=1, batches=1)


async def test_while_the_database_is_away_nothing_is_acknowledged(
    engine: AsyncEngine,
    writer: UsageWriter,
    queue: MemoryQueue,
    books: Books,
) -> None:
    await queue.publish(packed(usage_record()))
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE usage_logs RENAME TO elsewhere"))

    running = asyncio.create_task(writer.run())
    await until(lambda: writer.state().last_error is not None)
    waiting = (writer.state().last_error, await queue.depth())
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO usage_logs"))
    await until(lambda: not queue.bodies)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert waiting == ("overloaded: UndefinedTableError 42P01", 1)
    assert await books.counts() == settled(rows=1, batches=1)


async def test_two_writers_on_one_queue_write_each_record_once(
    queue: MemoryQueue,
    work: UnitOfWork,
    clock: FixedClock,
    books: Books,
) -> None:
    """The queue gives everything to both: the worst that redelivery can do."""
    await books.add_key()
    for number in range(100):
        records = [usage_record(10 * number + n) for n in range(10)]
        await queue.publish(packed(*records, number=number + 1))
    writers = [UsageWriter(queue, work, clock) for _ in range(2)]

    while queue.bodies:
        await asyncio.gather(*(writer.write_next() for writer in writers))

    assert await books.counts() == settled(rows=1_000, batches=100)
    assert (await books.counters())[0] == 1_000
