"""Where a price is looked for when memory has none, and in which order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from support.sources import MemoryPriceCache, MemoryRestPrices
from trinity_beast.features.sources import Found, NoSource, OnlyOlder, Sources, Wanted
from trinity_beast.features.sources.cached_price import decode, encode
from trinity_beast.features.sources.model import quote_of
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.rest_prices import RestVenue, RestVenueAway, RestVenueBusy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.clocks import FixedClock

TTL_S = 9
BTC = Wanted("BTC")


class Place:
    """Sources with everything around them in a test's hands."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.cache = MemoryPriceCache()
        self.rest = MemoryRestPrices(clock)
        self.sources = Sources(self.cache, self.rest, clock, ttl_s=lambda: TTL_S)

    def another_node_has(self, price: str, *, ago_s: float, asset: str = "BTC") -> None:
        at_ns = self.clock.now_ns() - round(ago_s * NS_PER_S)
        quote = quote_of(
            asset, price, "kraken-ws", traded_at_ns=at_ns, received_at_ns=at_ns
        )
        self.cache.values[asset] = encode(quote)

    async def told(self, wanted: Wanted = BTC) -> tuple[str, str, bool]:
        """Return price, source and whether it came from a cache."""
        found = await self.sources.find(wanted)
        return found.quote.price, found.quote.source, found.cached

    async def why_not(self, wanted: Wanted = BTC) -> type[Exception]:
        with pytest.raises((NoSource, OnlyOlder)) as caught:
            await self.sources.find(wanted)
        return caught.type


@pytest.fixture
async def place(clock: FixedClock) -> AsyncIterator[Place]:
    place = Place(clock)
    yield place
    await place.sources.close()


async def test_another_nodes_price_comes_first(place: Place) -> None:
    place.another_node_has("65000.10", ago_s=3)
    place.rest.tell("gemini", "65001")

    found = await place.sources.find(BTC)

    assert found == Found(found.quote, 3 * NS_PER_S, cached=True, latency_ms=0)
    assert (found.quote.price, found.quote.source) == ("65000.10", "kraken-ws")
    assert place.rest.asked == []


@pytest.mark.parametrize("ago_s", [9.1, -6])
async def test_a_cached_price_that_is_old_or_from_the_future_is_passed_by(
    place: Place,
    ago_s: float,
) -> None:
    place.another_node_has("65000.10", ago_s=ago_s)
    place.rest.tell("gemini", "65001.20")

    assert await place.told() == ("65001.20", "gemini-rest", False)


async def test_a_cache_that_holds_nonsense_is_passed_by(place: Place) -> None:
    place.cache.values["BTC"] = b"<html>"
    place.rest.tell("gemini", "65001.20")

    assert await place.told() == ("65001.20", "gemini-rest", False)


async def test_a_live_fetch_has_no_age(place: Place) -> None:
    place.rest.tell("gemini", "65001.20")

    found = await place.sources.find(BTC)

    assert found == Found(found.quote, 0, cached=False, latency_ms=0)


async def test_venues_are_asked_in_order_until_one_tells(place: Place) -> None:
    place.rest.fail("coinbase", RestVenueAway(venue="coinbase", reason="HTTP 500"))
    place.rest.tell("kraken", "64999.1")

    assert await place.told() == ("64999.1", "kraken-rest", False)
    assert [venue for venue, _ in place.rest.asked] == ["gemini", "coinbase", "kraken"]


async def test_a_fetched_price_is_remembered_for_the_caches_time(place: Place) -> None:
    place.rest.tell("gemini", "65001.20")
    await place.told()
    place.cache.values.clear()
    place.clock.advance(9)
    place.rest.tell("gemini", "65002")

    assert await place.told() == ("65001.20", "gemini-rest", True)
    place.clock.advance(0.1)
    assert await place.told() == ("65002", "gemini-rest", False)


async def test_a_fetched_price_is_shared_with_other_nodes(
    place: Place,
    clock: FixedClock,
) -> None:
    place.rest.tell("gemini", "65001.20")
    found = await place.sources.find(BTC)
    await asyncio.sleep(0)
    nobody = MemoryRestPrices(clock, ())
    elsewhere = Sources(place.cache, nobody, clock, ttl_s=lambda: TTL_S)

    assert decode(place.cache.values["BTC"], "BTC") == found.quote
    assert (await elsewhere.find(BTC)).quote == found.quote
    assert place.cache.ttls_s == [TTL_S]


async def test_a_cache_that_cannot_be_written_harms_nobody(place: Place) -> None:
    place.cache.is_away = True
    place.rest.tell("gemini", "65001.20")

    assert await place.told() == ("65001.20", "gemini-rest", False)
    await place.sources.close()


async def test_an_older_trade_of_a_thin_market_tells_its_age_and_stays_here(
    place: Place,
) -> None:
    place.rest.tell("gemini", "65001.20", ago_s=60)

    found = await place.sources.find(BTC)
    await asyncio.sleep(0)

    assert found.age_ns == 60 * NS_PER_S
    assert place.cache.values == {}
    assert await place.told() == ("65001.20", "gemini-rest", True)


async def test_a_dead_market_and_another_coin_make_no_price(place: Place) -> None:
    now_ns = place.clock.now_ns()
    known = quote_of(
        "BTC", "65000", "okx-ws", traded_at_ns=now_ns, received_at_ns=now_ns
    )
    place.rest.tell("gemini", "65001.20", ago_s=1_000)
    place.rest.tell("coinbase", "0.002")

    assert await place.why_not(Wanted("BTC", None, known)) is NoSource
    place.clock.advance(29)
    place.rest.tell("gemini", "65001.20")
    assert await place.why_not() is NoSource
    place.clock.advance(2)
    assert await place.told() == ("65001.20", "gemini-rest", False)


async def test_a_hundred_who_ask_at_once_are_one_question(place: Place) -> None:
    place.rest.tell("gemini", "65001.20")
    place.rest.held = asyncio.Event()
    asking = [asyncio.create_task(place.told()) for _ in range(100)]
    for _ in range(5):
        await asyncio.sleep(0)
    asking[0].cancel()
    place.rest.held.set()

    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert answers[1:] == [("65001.20", "gemini-rest", False)] * 99
    assert place.rest.asked == [("gemini", "BTC")]
    assert place.cache.reads == 1


async def test_who_wants_it_younger_is_told_by_the_next_tier(place: Place) -> None:
    place.another_node_has("65000.10", ago_s=3)
    place.rest.tell("gemini", "65001", ago_s=60)
    place.rest.tell("coinbase", "65002")

    assert await place.told(Wanted("BTC", 2_999)) == ("65002", "coinbase-rest", False)


async def test_when_there_are_only_older_ones_that_is_said(place: Place) -> None:
    place.another_node_has("65000.10", ago_s=3)

    assert await place.why_not(Wanted("BTC", 2_999)) is OnlyOlder
    assert await place.told() == ("65000.10", "kraken-ws", True)


async def test_a_live_fetch_satisfies_whoever_wants_it_new(place: Place) -> None:
    place.rest.tell("gemini", "65001.20")

    assert await place.told(Wanted("BTC", 0)) == ("65001.20", "gemini-rest", False)


async def test_nobody_can_have_venues_asked_more_than_once_a_second(
    place: Place,
) -> None:
    place.rest.tell("gemini", "65001.20")
    await place.told()
    for _ in range(20):
        place.clock.advance(0.049)
        assert await place.why_not(Wanted("BTC", 1)) is OnlyOlder
    asked = [each for each in place.rest.asked if each[0] == "gemini"]
    place.clock.advance(0.1)

    assert asked == [("gemini", "BTC")]
    assert await place.told(Wanted("BTC", 1)) == ("65001.20", "gemini-rest", False)


async def test_that_nobody_has_it_is_remembered_for_a_second(place: Place) -> None:
    assert await place.why_not() is NoSource
    asked, reads = len(place.rest.asked), place.cache.reads
    place.clock.advance(0.9)

    assert await place.why_not() is NoSource
    assert (len(place.rest.asked), place.cache.reads) == (asked, reads)
    place.clock.advance(0.2)
    place.another_node_has("65000.10", ago_s=0)
    assert await place.told() == ("65000.10", "kraken-ws", True)


async def test_a_venue_that_does_not_list_an_asset_is_not_asked_for_it_again(
    place: Place,
) -> None:
    await place.why_not()
    place.clock.advance(599)
    await place.why_not()
    assert len(place.rest.asked) == 3
    place.clock.advance(2)
    await place.why_not()
    assert len(place.rest.asked) == 6


async def test_a_venue_that_fails_is_left_alone_and_tried_again(place: Place) -> None:
    place.rest.fail("gemini", RestVenueAway(venue="gemini", reason="HTTP 500"))
    place.rest.tell("coinbase", "65002")
    for asset in ("BTC", "ETH", "SOL", "XRP", "ADA"):
        await place.told(Wanted(asset))

    assert [a for venue, a in place.rest.asked if venue == "gemini"] == [
        "BTC",
        "ETH",
        "SOL",
    ]
    place.clock.advance(5)
    place.rest.tell("gemini", "65001")
    assert await place.told(Wanted("ADA", 0)) == ("65001", "gemini-rest", False)
    assert place.sources.report() == {
        "cache": "closed",
        "rest": {
            "gemini": {
                "state": "closed",
                "answers": 1,
                "failures": 3,
                "last_failure": "gemini gave no price: HTTP 500.",
                "latency_ms": 0,
            },
            "coinbase": {
                "state": "closed",
                "answers": 5,
                "failures": 0,
                "last_failure": None,
                "latency_ms": 0,
            },
            "kraken": {
                "state": "closed",
                "answers": 0,
                "failures": 0,
                "last_failure": None,
                "latency_ms": None,
            },
        },
    }


async def test_a_venue_that_asks_for_peace_has_it_at_once(place: Place) -> None:
    place.rest.fail("gemini", RestVenueBusy(venue="gemini", reason="HTTP 429"))
    place.rest.tell("coinbase", "65002")
    await place.told()
    await place.told(Wanted("ETH"))

    assert [a for venue, a in place.rest.asked if venue == "gemini"] == ["BTC"]


async def test_a_venue_is_asked_no_more_often_than_it_allows(clock: FixedClock) -> None:
    slow = RestVenue("gemini", requests_per_s=1.0, burst=2)
    rest = MemoryRestPrices(clock, (slow,))
    rest.tell("gemini", "1")
    sources = Sources(None, rest, clock, ttl_s=lambda: TTL_S)
    for asset in ("BTC", "ETH"):
        await sources.find(Wanted(asset))

    with pytest.raises(NoSource):
        await sources.find(Wanted("SOL"))
    clock.advance(1)
    assert (await sources.find(Wanted("SOL"))).quote.price == "1"
    assert sources.report()["cache"] is None


async def test_few_questions_are_on_their_way_to_one_venue(place: Place) -> None:
    place.rest.tell("gemini", "65001.20")
    place.rest.held = asyncio.Event()
    wanted = [Wanted(f"A{number}") for number in range(30)]
    asking = [asyncio.create_task(place.told(each)) for each in wanted]
    for _ in range(9):
        await asyncio.sleep(0)
    assert len(place.rest.asked) == 8
    place.rest.held.set()

    assert len(await asyncio.gather(*asking)) == 30


async def test_a_cache_that_is_away_is_left_alone_for_a_moment(place: Place) -> None:
    place.cache.is_away = True
    place.rest.tell("gemini", "65001.20")
    for asset in ("BTC", "ETH", "SOL"):
        assert await place.told(Wanted(asset)) == ("65001.20", "gemini-rest", False)

    assert place.cache.reads == 1
    place.cache.is_away = False
    place.clock.advance(1)
    place.another_node_has("39.5", ago_s=0, asset="ADA")
    assert await place.told(Wanted("ADA")) == ("39.5", "kraken-ws", True)


async def test_patience_with_all_sources_ends(place: Place) -> None:
    place.rest.held = asyncio.Event()
    hasty = Sources(
        place.cache, place.rest, place.clock, ttl_s=lambda: TTL_S, within_s=0.02
    )

    with pytest.raises(NoSource):
        await hasty.find(BTC)
    await hasty.close()


async def test_without_cache_and_venues_there_is_nothing(clock: FixedClock) -> None:
    sources = Sources(None, None, clock, ttl_s=lambda: TTL_S)

    with pytest.raises(NoSource):
        await sources.find(BTC)
    assert sources.report() == {"cache": None, "rest": {}}
