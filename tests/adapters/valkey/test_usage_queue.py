from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar, cast

import pytest
from glide import GlideClient

from contracts.usage_queue import (
    OpenQueue,
    UsageQueueContract,
    bodies,
    until_received,
)
from support.relay import Relay
from trinity_beast.adapters.valkey import ValkeyUsageQueue, open_valkey
from trinity_beast.ports.usage_queue import QueueUnreachable

QUICK_MS = 200
T = TypeVar("T")


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[GlideClient]:
    client = await open_valkey(valkey_url, client_name="plain")
    yield client
    await client.close()


@pytest.fixture
async def reader(valkey_url: str) -> AsyncIterator[GlideClient]:
    client = await open_valkey(valkey_url, client_name="reader")
    yield client
    await client.close()


@pytest.fixture
def open_queue(client: GlideClient, reader: GlideClient) -> OpenQueue:
    def opened(consumer: str) -> ValkeyUsageQueue:
        return ValkeyUsageQueue(client, reader, consumer=consumer, claim_idle_ms=20)

    return opened


@pytest.fixture
def patient(client: GlideClient, reader: GlideClient) -> ValkeyUsageQueue:
    """Return a reader that leaves others' batches alone."""
    return ValkeyUsageQueue(client, reader, consumer="ann")


@pytest.fixture
async def relay(valkey_url: str) -> AsyncIterator[Relay]:
    relay = Relay.to_valkey(valkey_url)
    await relay.mend()
    yield relay
    await relay.cut()


@pytest.fixture
async def wired(valkey_url: str, relay: Relay) -> AsyncIterator[ValkeyUsageQueue]:
    """Return a queue behind a wire that can be cut."""
    port = valkey_url.rpartition(":")[2].partition("/")[0]
    url = valkey_url.replace(f":{port}/", f":{relay.port}/")
    clients = [
        await open_valkey(url, client_name="wired", request_timeout_ms=QUICK_MS)
        for _ in range(2)
    ]
    yield ValkeyUsageQueue(clients[0], clients[1], consumer="ann")
    for client in clients:
        await client.close()


class TestValkeyUsageQueue(UsageQueueContract):
    """The queue on Valkey Streams is a usage queue."""


async def test_the_group_is_made_again_after_valkey_lost_everything(
    patient: ValkeyUsageQueue,
    client: GlideClient,
) -> None:
    await patient.publish(b"gone")
    await patient.receive(10, 0)
    await client.flushdb()
    await patient.publish(b"after")

    assert bodies(await patient.receive(10, 0)) == [b"after"]


async def test_a_waiting_reader_survives_the_loss_of_everything(
    patient: ValkeyUsageQueue,
    client: GlideClient,
) -> None:
    assert bodies(await patient.receive(10, 0)) == []
    waiting = asyncio.create_task(patient.receive(10, 5_000))
    await until_blocked(client)
    await client.flushdb()
    await patient.publish(b"after")

    assert bodies(await waiting) == [b"after"]


async def test_a_consumer_that_comes_back_first_gets_what_it_never_finished(
    patient: ValkeyUsageQueue,
    client: GlideClient,
    reader: GlideClient,
) -> None:
    for number in range(3):
        await patient.publish(b"%d" % number)
    await patient.receive(3, 0)
    await patient.publish(b"new")
    back = ValkeyUsageQueue(client, reader, consumer="ann")

    got = [await back.receive(2, 0) for _ in range(3)]

    assert [[(one.body, one.deliveries) for one in batch] for batch in got] == [
        [(b"0", 2), (b"1", 2)],
        [(b"2", 2)],
        [(b"new", 1)],
    ]


async def test_a_batch_that_was_deleted_behind_our_back_is_passed_over(
    patient: ValkeyUsageQueue,
    client: GlideClient,
    reader: GlideClient,
) -> None:
    await patient.publish(b"deleted")
    [lost] = await patient.receive(1, 0)
    await client.xdel("usage:batches", [lost.receipt])
    await patient.publish(b"kept")
    back = ValkeyUsageQueue(client, reader, consumer="ann", claim_idle_ms=0)

    assert bodies(await back.receive(10, 0)) == [b"kept"]


async def test_a_refusal_of_valkey_is_an_unreachable_queue(
    patient: ValkeyUsageQueue,
    client: GlideClient,
) -> None:
    await client.set("usage:batches", "not a stream")

    with pytest.raises(QueueUnreachable) as published:
        await patient.publish(b"x")
    with pytest.raises(QueueUnreachable):
        await patient.receive(1, 0)

    assert "WRONGTYPE" in str(published.value.context["reason"])


async def test_batches_of_a_read_that_was_given_up_come_with_the_next_one(
    patient: ValkeyUsageQueue,
    client: GlideClient,
) -> None:
    await patient.receive(10, 0)
    waiting = asyncio.create_task(patient.receive(10, 5_000))
    await until_blocked(client)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await patient.publish(b"nearly lost")

    assert bodies(await patient.receive(10, 0)) == [b"nearly lost"]


async def test_while_valkey_is_away_each_call_says_so_soon_and_later_works_again(
    wired: ValkeyUsageQueue,
    relay: Relay,
) -> None:
    await relay.cut()
    async with asyncio.timeout(QUICK_MS * 4 * 3 / 1000):
        for call in (wired.publish(b"x"), wired.depth(), wired.receive(1, 0)):
            with pytest.raises(QueueUnreachable):
                await call

    await relay.mend()
    await once_mended(lambda: wired.publish(b"back"))
    received = await until_received(wired)
    await relay.cut()
    with pytest.raises(QueueUnreachable):
        await wired.acknowledge([received[0].receipt])

    await relay.mend()
    again = await once_mended(lambda: until_received(wired))

    assert (bodies(received), bodies(again)) == ([b"back"], [b"back"])


async def test_two_consumers_may_make_the_group_at_once(open_queue: OpenQueue) -> None:
    both = (open_queue(name).receive(10, 0) for name in ("ann", "bob"))

    assert [bodies(got) for got in await asyncio.gather(*both)] == [[], []]


async def until_blocked(client: GlideClient) -> None:
    """Wait until a reader of this database waits inside Valkey."""
    own = f" db={client.config.database_id} "
    async with asyncio.timeout(5):
        while True:
            lines = await all_of(client)
            if any(own in line and " flags=b " in line for line in lines):
                return


async def all_of(client: GlideClient) -> list[str]:
    """Return what Valkey says of each of its clients."""
    ask = cast("Callable[[list[str]], Awaitable[bytes]]", client.custom_command)
    return (await ask(["CLIENT", "LIST"])).decode().splitlines()


async def once_mended(ask: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(5):
        while True:
            with suppress(QueueUnreachable):
                return await ask()
