"""The client and the server of this repository understand each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.lpo import World
from trinity_beast.client import (
    NEVER,
    AsyncBeastClient,
    Options,
    PriceStale,
    RateLimited,
    Surroundings,
    TooManyAssets,
    UnknownAsset,
    UnknownKey,
)
from trinity_beast.features.board import BoardReader, BoardWriter
from trinity_beast.features.prices import build_lpo_app
from trinity_beast.features.prices.udp import PriceDatagrams
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.toolkit.http.protocol import Manners
from trinity_beast.toolkit.http.request_ids import RequestIds
from trinity_beast.toolkit.http.server import HttpServer
from trinity_beast.toolkit.udp import UdpServer

if TYPE_CHECKING:
    from support.clocks import FixedClock
    from support.randomness import SeededRandomness

Connect = Callable[[str], AsyncBeastClient]


@pytest.fixture
async def world(
    tmp_path: Path,
    clock: FixedClock,
    randomness: SeededRandomness,
) -> AsyncIterator[World]:
    writer = BoardWriter.create(tmp_path / "board")
    reader = BoardReader.open(tmp_path / "board")
    world = World(writer, reader, clock, randomness)
    world.trade("BTC", "65012.30")
    world.trade("ETH", "0.10")
    yield world
    reader.close()
    writer.close()


@pytest.fixture
async def connect(world: World) -> AsyncIterator[Connect]:
    """Run both listeners, and connect clients to them."""
    clock = world.clock
    manners = Manners(RequestIds(clock, world.randomness), linger_s=0.05)
    app = build_lpo_app(world.parts)
    http = HttpServer(app, "127.0.0.1", 0, manners=manners, variable="LPO_PORT")
    datagrams = PriceDatagrams(world.parts)
    udp = UdpServer(datagrams, "127.0.0.1", 0, variable="LPO_UDP_PORT")
    await http.start()
    await udp.start()

    def made(key: str) -> AsyncBeastClient:
        options = Options(retry=NEVER, udp_port=udp.port)
        around = Surroundings(unix_ms=lambda: clock.now_ns() // NS_PER_MS)
        url = f"http://127.0.0.1:{http.port}"
        return AsyncBeastClient(key, url, options=options, around=around)

    yield made
    await udp.stop()
    await http.stop(0)


@pytest.mark.parametrize("response_format", ["tbc", "plain"])
async def test_the_price_is_the_same_by_every_way(
    world: World,
    connect: Connect,
    response_format: str,
) -> None:
    async with connect(world.new_key(response_format=response_format)) as beast:
        prices = [
            await beast.price("btc"),
            (await beast.prices(["BTC", "ETH"]))["BTC"],
            await beast.udp_price("btc"),
            await beast.udp_price("btc", signed=False),
            (await beast.udp_prices(["BTC"]))["BTC"],
            (await beast.udp_prices(["ETH", "BTC"], signed=False))["BTC"],
        ]

    assert {price.price_text for price in prices} == {"65012.30"}
    assert set(prices) == {prices[0]}


@pytest.mark.parametrize("response_format", ["tbc", "plain"])
async def test_refusals_have_their_names_by_every_way(
    world: World,
    connect: Connect,
    response_format: str,
) -> None:
    world.clock.advance(1)
    async with connect(world.new_key(response_format=response_format)) as beast:
        with pytest.raises(UnknownAsset):
            await beast.price("NOPE")
        with pytest.raises(UnknownAsset):
            await beast.udp_price("NOPE", signed=False)
        with pytest.raises(PriceStale):
            await beast.price("BTC", max_age_ms=1)
        with pytest.raises(TooManyAssets):
            await beast.prices([f"A{number}" for number in range(31)])
        batches = [
            await beast.prices(["NOPE", "BTC"]),
            await beast.udp_prices(["NOPE", "BTC"]),
            await beast.udp_prices(["NOPE"]),
        ]

    failures = [failure for batch in batches for failure in batch.failures]
    assert [(it.asset, it.error.code) for it in failures] == [
        ("NOPE", "unknown_asset")
    ] * 3


async def test_a_full_bucket_says_when_to_come_back_by_every_way(
    world: World,
    connect: Connect,
) -> None:
    key = world.new_key(rate_limit_qps=1, burst_limit=1, minimum_wait_ms=250)
    async with connect(key) as beast:
        await beast.price("BTC")
        with pytest.raises(RateLimited) as http:
            await beast.price("BTC")
        with pytest.raises(RateLimited) as udp:
            await beast.udp_price("BTC")

    assert (http.value.retry_after_ms, udp.value.retry_after_ms) == (1_000, 1_000)


async def test_a_stranger_is_told_so_by_every_way(connect: Connect) -> None:
    async with connect("nobody_knows_me") as beast:
        with pytest.raises(UnknownKey):
            await beast.price("BTC")
        with pytest.raises(UnknownKey):
            await beast.udp_price("BTC")
        with pytest.raises(UnknownKey):
            await beast.udp_price("BTC", signed=False)
