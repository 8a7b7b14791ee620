"""The Python servers that bench/udp.py measures: prices, and a bare echo of uvloop."""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast
from uuid import UUID

from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.adapters.valkey import ValkeyUsageQueue, open_valkey
from trinity_beast.features.board import BoardReader
from trinity_beast.features.catalogue import (
    AssetRow,
    Catalogue,
    CatalogueSnapshot,
    FeedRow,
)
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    ApiKey,
    KeyRing,
    Template,
    hash_of,
)
from trinity_beast.features.limits import Limiter
from trinity_beast.features.parameters import Parameters
from trinity_beast.features.prices import Identity, LpoParts
from trinity_beast.features.prices.udp import PriceDatagrams
from trinity_beast.features.usage import (
    BatchCodec,
    Shipping,
    Spool,
    UsageBuffer,
    UsageShipper,
)
from trinity_beast.toolkit.udp import UdpServer

SECRET = "ak_live_0123456789abcdefghijklmnopqrstuvwxyzABCD"  # noqa: S105 - nobody's
ASSETS = ("BTC", *(f"A{number:03}" for number in range(149)))
KEY = ApiKey(
    id=UUID(int=1),
    user_id=UUID(int=2),
    key_hash=hash_of(SECRET),
    name=None,
    tier="enterprise",
    query_limit=900_000_000,
    current_usage=0,
    last_used_ns=None,
    created_at_ns=0,
    rate_limit_qps=100_000_000,
    burst_limit=1_000_000_000,
    minimum_wait_ms=100,
    revoked=False,
    lrs_enabled=False,
    response_format="tbc",
    subscription_status="active",
    payment_failed_at_ns=None,
    tier_effective_at_ns=None,
    shown="bench",
)
FEED = FeedRow(
    id=1,
    exchange_name="coinbase",
    display_name="Coinbase",
    ws_endpoint="wss://127.0.0.1",
    symbol_template="{SYMBOL}",
    source_tag="coinbase-ws",
)


class OneKey:
    """The key of the bench, and no other."""

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        """Return the key if it is meant."""
        return KEY if key_hash == KEY.key_hash else None

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        """Return the key if it is meant."""
        return {it: KEY for it in key_hashes if it == KEY.key_hash}

    async def list_hashes(self, start: str) -> list[str]:
        """Return the key's hash if it is meant."""
        return [KEY.key_hash] if KEY.key_hash.startswith(start) else []

    async def free_template(self) -> Template:
        """Return the free tier."""
        return FREE_TEMPLATE


class Echo(asyncio.DatagramProtocol):
    """What a bare echo is in uvloop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transport is not registered as the DatagramTransport that it is.
        self._send = cast("asyncio.DatagramTransport", transport).sendto

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Send it back."""
        self._send(data, addr)


async def serve_echo() -> None:
    """Echo until killed."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        Echo,
        local_addr=("127.0.0.1", 0),
    )
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


def parts_of(board: BoardReader, usage: UsageBuffer) -> LpoParts:
    """Return what the listener is made of, as an app puts it together."""
    clock = SystemClock()
    snapshot = CatalogueSnapshot(
        (FEED,),
        tuple(
            AssetRow(
                id=number,
                exchange_name=FEED.exchange_name,
                asset=asset,
                exchange_symbol=asset,
            )
            for number, asset in enumerate(ASSETS)
        ),
    )

    async def load_catalogue() -> CatalogueSnapshot:
        return replace(snapshot)

    async def load_parameters() -> dict[str, str]:
        return {}

    parts = LpoParts(
        catalogue=Catalogue(load_catalogue),
        board=board,
        keys=KeyRing(OneKey(), clock),
        limiter=Limiter(clock),
        parameters=Parameters(load_parameters),
        usage=usage,
        clock=clock,
        randomness=SystemRandomness(),
        identity=Identity("BeastMain", "us-east-2", "1", clock.now_ns()),
    )
    parts.catalogue.replace(snapshot)
    return parts


async def serve_prices(board: str, url: str) -> None:
    """Answer until told to end; then say how many records are in the queue."""
    clock, usage = SystemClock(), UsageBuffer(200_000)
    client = await open_valkey(url, client_name="bench")
    queue = ValkeyUsageQueue(client, client, consumer="bench")
    with tempfile.TemporaryDirectory() as folder:
        shipper = UsageShipper(
            usage,
            queue,
            Spool(Path(folder), "bench"),
            clock,
            SystemRandomness(),
            Shipping(node="BeastMain", region="us-east-2"),
        )
        shipping = asyncio.create_task(shipper.run())
        handler = PriceDatagrams(parts_of(BoardReader.open(Path(board)), usage))
        server = UdpServer(handler, "127.0.0.1", 0, variable="PORT")
        await server.start()
        print(server.port, flush=True)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        await ended.wait()
        await server.stop()
        shipping.cancel()
        await asyncio.gather(shipping, return_exceptions=True)
        await shipper.drain(10.0)
    told = {"records": await _records(queue), "dropped": usage.dropped}
    print(json.dumps(told), flush=True)
    await client.close()


async def _records(queue: ValkeyUsageQueue) -> int:
    """Count the records in the queue; a batch that came in twice counts once."""
    codec, counts = BatchCodec(), dict[UUID, int]()
    while batches := await queue.receive(1_000, 1):
        for each in batches:
            batch = codec.decode(each.body)
            counts[batch.batch_id] = len(batch.records)
        await queue.acknowledge([batch.receipt for batch in batches])
    return sum(counts.values())
