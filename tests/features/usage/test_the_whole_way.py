"""From a request's record to its row, over a real queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from support.clocks import FixedClock
from support.randomness import SeededRandomness
from support.until import until
from support.usage import KEY_ID, usage_record
from support.usage_books import Books, settled
from trinity_beast.adapters.system import SystemClock
from trinity_beast.adapters.valkey import ValkeyUsageQueue, open_valkey
from trinity_beast.features.usage import (
    Shipping,
    Spool,
    UsageBuffer,
    UsageShipper,
    UsageWriter,
)
from trinity_beast.ports.usage_queue import QueueUnreachable, UsageQueue
from trinity_beast.toolkit.work import UnitOfWork


class Deaf:
    """A queue whose writer is killed before each acknowledgement."""

    def __init__(self, queue: UsageQueue) -> None:
        self.publish = queue.publish
        self.receive = queue.receive
        self.depth = queue.depth

    async def acknowledge(self, receipts: Sequence[str]) -> None:
        raise QueueUnreachable(reason="killed")


SHIPPING = Shipping(node="BeastMain", region="us-east-2", flush_ms=lambda: 5)


@pytest.fixture
async def queue(valkey_url: str) -> AsyncIterator[ValkeyUsageQueue]:
    client = await open_valkey(valkey_url, client_name="shipper")
    reader = await open_valkey(
        valkey_url, client_name="writer", request_timeout_ms=5_000
    )
    yield ValkeyUsageQueue(client, reader, consumer="writer")
    await client.close()
    await reader.close()


@pytest.fixture
def buffer() -> UsageBuffer:
    return UsageBuffer(50_000)


@pytest.fixture
def shipper(
    buffer: UsageBuffer, queue: ValkeyUsageQueue, tmp_path: Path
) -> UsageShipper:
    spool = Spool(tmp_path, "node")
    clock, randomness = SystemClock(), SeededRandomness()
    return UsageShipper(buffer, queue, spool, clock, randomness, SHIPPING)


async def test_every_record_becomes_one_row(
    buffer: UsageBuffer,
    shipper: UsageShipper,
    queue: ValkeyUsageQueue,
    work: UnitOfWork,
    books: Books,
    clock: FixedClock,
) -> None:
    await books.add_key()
    writer = UsageWriter(queue, work, clock)
    shipping = asyncio.create_task(shipper.run())
    writing = asyncio.create_task(writer.run())

    for number in range(5_000):
        buffer.add(usage_record(number))
        if number % 100 == 0:
            await asyncio.sleep(0)
    shipping.cancel()
    await asyncio.gather(shipping, return_exceptions=True)
    await shipper.drain(5)
    await until(lambda: writer.state().stored.rows == 5_000)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)

    batches = (await books.counts())["usage_batches"]
    assert await books.counts() == settled(rows=5_000, batches=batches)
    assert (await books.counters())[0] == 5_000
    assert await books.ledger() == {(KEY_ID, 202609): (5_000, 0)}


async def test_a_writer_killed_between_commit_and_acknowledgement_doubles_nothing(
    buffer: UsageBuffer,
    shipper: UsageShipper,
    queue: ValkeyUsageQueue,
    valkey_url: str,
    work: UnitOfWork,
    books: Books,
    clock: FixedClock,
) -> None:
    """The dead writer's batches are claimed by another one."""
    buffer.add(usage_record())
    await shipper.drain(5)
    dead = UsageWriter(Deaf(queue), work, clock)
    await dead.write_next()
    client = await open_valkey(valkey_url, client_name="heir")
    heir = ValkeyUsageQueue(client, client, consumer="heir", claim_idle_ms=0)

    await UsageWriter(heir, work, clock).write_next()

    assert await queue.depth() == 0
    assert await books.counts() == settled(rows=1, batches=1)
    await client.close()
