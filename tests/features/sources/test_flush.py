"""The board's changed prices go to the cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.sources import MemoryPriceCache
from support.steered_clock import SteeredClock
from trinity_beast.features.board import BoardReader, BoardWriter, Tick
from trinity_beast.features.sources import PriceFlush
from trinity_beast.features.sources.cached_price import decode
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.price_cache import PriceCacheAway
from trinity_beast.toolkit.background import Background

if TYPE_CHECKING:
    from support.clocks import FixedClock
    from trinity_beast.ports.clock import Clock


class Desk:
    """A board, a cache and what carries from one to the other."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock = clock
        self.writer = BoardWriter.create(folder / "board")
        self.reader = BoardReader.open(folder / "board")
        self.cache = MemoryPriceCache()
        self.flush = PriceFlush(self.reader, self.cache, clock, ttl_s=lambda: 9)

    def trade(self, asset: str, price: str, ago_s: float = 0) -> None:
        at_ns = self.clock.now_ns() - round(ago_s * NS_PER_S)
        tick = Tick(price, "okx-ws", at_ns, self.clock.now_ns(), snapshot=False)
        self.writer.publish(asset, tick)

    def cached(self) -> dict[str, str]:
        prices: dict[str, str] = {}
        for asset, value in self.cache.values.items():
            quote = decode(value, asset)
            assert quote is not None
            prices[asset] = quote.price
        return prices

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


@pytest.fixture
def desk(tmp_path: Path, clock: FixedClock) -> Iterator[Desk]:
    desk = Desk(tmp_path, clock)
    yield desk
    desk.close()


async def test_all_prices_go_in_one_round_trip_for_the_caches_time(desk: Desk) -> None:
    desk.trade("BTC", "65000.10")
    desk.trade("ETH", "1920.0")

    assert await desk.flush.flush() == 2
    assert desk.cached() == {"BTC": "65000.10", "ETH": "1920.0"}
    assert desk.cache.ttls_s == [9]


async def test_only_what_changed_goes_again(desk: Desk) -> None:
    desk.trade("BTC", "65000.10")
    desk.trade("ETH", "1920.0")
    await desk.flush.flush()
    desk.cache.values.clear()
    desk.trade("ETH", "1921.0")

    assert await desk.flush.flush() == 1
    assert desk.cached() == {"ETH": "1921.0"}
    assert await desk.flush.flush() == 0
    assert desk.cache.ttls_s == [9, 9]


async def test_history_stays_here(desk: Desk) -> None:
    desk.trade("OKB", "40.1", ago_s=3600)

    assert await desk.flush.flush() == 0
    assert desk.cached() == {}


async def test_what_a_cache_that_was_away_did_not_take_goes_the_next_time(
    desk: Desk,
) -> None:
    desk.trade("BTC", "65000.10")
    desk.cache.is_away = True
    with pytest.raises(PriceCacheAway):
        await desk.flush.flush()
    desk.cache.is_away = False

    assert await desk.flush.flush() == 1


async def test_it_flushes_each_second_and_outlives_a_cache_that_is_away(
    tmp_path: Path,
) -> None:
    clock = SteeredClock()
    desk, background = Desk(tmp_path, clock), Background(clock)
    desk.cache.is_away = True
    desk.trade("BTC", "65000.10")
    background.start("flush", desk.flush.run)
    await clock.advance(0.5)
    desk.cache.is_away = False
    assert desk.cached() == {}
    await clock.advance(1)

    assert desk.cached() == {"BTC": "65000.10"}
    await background.stop()
    desk.close()
