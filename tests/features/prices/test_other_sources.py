"""What memory cannot serve comes from other sources, and is told as what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from support.lpo import bearer
from support.sources import MemoryPriceCache, MemoryRestPrices
from trinity_beast.adapters.market import RestFault, RestVenues
from trinity_beast.adapters.rest_prices import HttpRestPrices
from trinity_beast.features.prices import LpoParts, PriceRequest, PriceService
from trinity_beast.features.sources import Sources
from trinity_beast.features.sources.cached_price import encode
from trinity_beast.features.sources.model import quote_of
from trinity_beast.kernel.time import NS_PER_S

if TYPE_CHECKING:
    import httpx

    from support.lpo import World
    from trinity_beast.features.usage import UsageRecord

SILENCE_S = 40


class Elsewhere:
    """Cache and venues, and an application that asks them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cache = MemoryPriceCache()
        self.rest = MemoryRestPrices(world.clock)
        self.sources = Sources(self.cache, self.rest, world.clock, ttl_s=lambda: 9)
        self.parts: LpoParts = replace(world.parts, sources=self.sources)

    def another_node_has(self, asset: str, price: str, *, ago_s: float) -> None:
        at_ns = self.world.clock.now_ns() - round(ago_s * NS_PER_S)
        quote = quote_of(
            asset, price, "kraken-ws", traded_at_ns=at_ns, received_at_ns=at_ns
        )
        self.cache.values[asset] = encode(quote)


@pytest.fixture
async def elsewhere(world: World) -> AsyncIterator[Elsewhere]:
    elsewhere = Elsewhere(world)
    yield elsewhere
    await elsewhere.sources.close()


@pytest.fixture
async def asking(elsewhere: Elsewhere) -> AsyncIterator[httpx.AsyncClient]:
    async with elsewhere.world.client(elsewhere.parts) as client:
        yield client


def told(record: UsageRecord) -> tuple[object, ...]:
    return (
        record.status,
        record.error,
        record.price,
        record.source,
        record.cached,
        record.cache_age_ms,
        record.latency_ms,
    )


async def test_a_live_feed_asks_nobody_else(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    world.trade("BTC", "65000.10")
    world.clock.advance(29)
    elsewhere.another_node_has("BTC", "65001", ago_s=0)

    answer = await asking.get("/price?asset=BTC", headers=bearer(world.new_key()))

    assert answer.json()["source"] == "coinbase-ws"
    assert (elsewhere.cache.reads, elsewhere.rest.asked) == (0, [])


async def test_a_silent_feed_gives_way_to_another_node(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    world.trade("BTC", "65000.10")
    world.clock.advance(SILENCE_S)
    elsewhere.another_node_has("BTC", "65001.20", ago_s=2.25)

    answer = await asking.get("/price?asset=BTC", headers=bearer(world.new_key()))

    assert answer.text == (
        '{"asset":"BTC","price":65001.20,"timestamp":"2026-09-21T14:13:57.750Z",'
        '"source":"kraken-ws","cached":true,"cache_age_seconds":2.2,'
        '"latency_ms":0,"duration_ms":0}'
    )
    [record] = world.records()
    assert told(record) == (
        "success", None, "65001.20", "kraken-ws", True, 2250, 0,
    )  # fmt: skip


async def test_a_live_fetch_says_so(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    elsewhere.rest.tell("coinbase", "65002.00")
    elsewhere.rest.held = asyncio.Event()
    headers = bearer(world.new_key())
    waiting = asyncio.create_task(asking.get("/price?asset=BTC", headers=headers))
    await elsewhere.rest.until_asked(1)
    world.clock.advance(0.123)
    elsewhere.rest.held.set()

    answer = await waiting

    assert answer.text == (
        '{"asset":"BTC","price":65002.00,"timestamp":"2026-09-21T14:13:19.623Z",'
        '"source":"coinbase-rest","cached":false,"cache_age_seconds":0.0,'
        '"latency_ms":0,"duration_ms":123}'
    )
    [record] = world.records()
    assert told(record) == (
        "success", None, "65002.00", "coinbase-rest", False, 0, 0,
    )  # fmt: skip
    assert record.duration_ms == 123


async def test_the_second_answer_of_a_fetch_is_from_memory(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    elsewhere.rest.tell("gemini", "65002.00")
    headers = bearer(world.new_key())
    await asking.get("/price?asset=BTC", headers=headers)
    world.clock.advance(1.5)

    body = (await asking.get("/price?asset=BTC", headers=headers)).json()

    assert (body["source"], body["cached"]) == ("gemini-rest", True)
    assert (body["cache_age_seconds"], body["latency_ms"]) == (1.5, 0)


@pytest.mark.parametrize(
    ("max_age", "code"),
    [("", "price_unavailable"), ("&max_age_ms=1000", "price_stale")],
)
async def test_what_nobody_has_young_enough_is_503(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
    max_age: str,
    code: str,
) -> None:
    world = elsewhere.world
    world.trade("BTC", "65000.10")
    world.clock.advance(SILENCE_S)
    if max_age:
        elsewhere.another_node_has("BTC", "65001.20", ago_s=2)

    answer = await asking.get(
        "/price?asset=BTC" + max_age, headers=bearer(world.new_key())
    )

    assert (answer.status_code, answer.json()["code"]) == (503, code)
    [record] = world.records()
    assert told(record) == ("error", code, None, None, None, None, 0)


async def test_gaps_of_a_batch_are_filled_in_their_places(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    world.trade("ETH", "1920.0")
    elsewhere.another_node_has("BTC", "65001.20", ago_s=2)
    elsewhere.rest.held = asyncio.Event()
    elsewhere.rest.held.set()
    elsewhere.rest.tell("kraken", "0.0715")

    answer = await asking.get(
        "/prices?assets=BTC,XXX,ETH,DOGE", headers=bearer(world.new_key())
    )

    prices: list[dict[str, Any]] = answer.json()["prices"]
    assert [(each["asset"], each.get("source")) for each in prices] == [
        ("BTC", "kraken-ws"),
        ("XXX", None),
        ("ETH", "coinbase-ws"),
        ("DOGE", "kraken-rest"),
    ]
    assert prices[1]["error"]["code"] == "unknown_asset"
    [record] = world.records()
    assert told(record) == ("success", None, None, None, False, None, 0)


async def test_gaps_of_a_batch_are_looked_for_at_once(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    elsewhere.rest.tell("gemini", "1.5")
    elsewhere.rest.held = asyncio.Event()
    headers = bearer(world.new_key())
    url = "/prices?assets=BTC,ETH,DOGE"
    waiting = asyncio.create_task(asking.get(url, headers=headers))
    await elsewhere.rest.until_asked(3)
    elsewhere.rest.held.set()

    assert (await waiting).json()["count"] == 3
    assert {venue for venue, _ in elsewhere.rest.asked} == {"gemini"}


async def test_a_hundred_requests_are_one_fetch_and_a_hundred_records(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    key = world.new_key(rate_limit_qps=1_000, burst_limit=1_000)
    elsewhere.rest.tell("gemini", "65002.00")

    answers = await asyncio.gather(
        *(asking.get("/price?asset=BTC", headers=bearer(key)) for _ in range(100)),
    )

    assert {answer.json()["price"] for answer in answers} == {65002.0}
    assert elsewhere.rest.asked == [("gemini", "BTC")]
    records = world.records()
    assert len(records) == len({record.id for record in records}) == 100
    left = (await asking.get("/account/key", headers=bearer(key))).json()["month"]
    assert (left["used"], left["remaining"]) == (100, 49_900)


async def test_venues_on_the_wire_are_asked_once_for_a_hundred_requests(
    world: World,
) -> None:
    key = world.new_key(rate_limit_qps=1_000, burst_limit=1_000)
    venues = RestVenues(world.clock, {"BTC": 65000.25}.get)
    venues.fail("gemini", RestFault(200, b"<html>" + b" " * 10_000_000))
    async with aclosing(HttpRestPrices(await venues.start())) as rest:
        sources = Sources(None, rest, world.clock, ttl_s=lambda: 9)
        async with world.client(replace(world.parts, sources=sources)) as client:
            ask = partial(client.get, "/price?asset=BTC", headers=bearer(key))
            answers = await asyncio.gather(*(ask() for _ in range(100)))
        await sources.close()
    await venues.stop()

    told = {(answer.json()["price"], answer.json()["source"]) for answer in answers}
    assert told == {(65000.25, "coinbase-rest")}
    assert venues.asked == {("gemini", "BTC"): 1, ("coinbase", "BTC"): 1}


async def test_an_asset_that_is_not_served_is_looked_for_nowhere(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    elsewhere.rest.tell("gemini", "1")
    headers = bearer(elsewhere.world.new_key())

    answer = await asking.get("/price?asset=PEPE", headers=headers)

    assert answer.json()["code"] == "unknown_asset"
    assert elsewhere.rest.asked == []


async def test_a_refused_request_is_looked_for_nowhere(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    key = elsewhere.world.new_key(rate_limit_qps=1, burst_limit=1)
    await asking.get("/price?asset=BTC", headers=bearer(key))
    asked = len(elsewhere.rest.asked)

    answer = await asking.get("/price?asset=ETH", headers=bearer(key))

    assert answer.status_code == 429
    assert len(elsewhere.rest.asked) == asked


def a_request(secret: str) -> PriceRequest:
    return PriceRequest(
        secret=secret,
        endpoint="/price",
        query_type="price",
        ip="203.0.113.9",
        request_id="r1",
        assets=("BTC",),
    )


async def test_a_request_that_is_given_up_costs_no_month_and_leaves_a_record(
    elsewhere: Elsewhere,
) -> None:
    world = elsewhere.world
    secret = world.new_key(query_limit=1)
    service = PriceService(elsewhere.parts)
    elsewhere.rest.tell("gemini", "65002.00")
    elsewhere.rest.held = asyncio.Event()
    waiting = asyncio.create_task(service.answer(a_request(secret)))
    await elsewhere.rest.until_asked(1)
    # The only one of the month is reserved while the search is on.
    refused = await service.answer(a_request(secret))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    elsewhere.rest.held.set()

    answered = await service.answer(a_request(secret))

    assert refused.error is not None
    assert refused.error.code == "quota_exceeded"
    assert answered.error is None
    records = world.records()
    assert [told(record)[:2] for record in records] == [
        ("rate_limited", "quota_exceeded"),
        ("error", "overloaded"),
        ("success", None),
    ]
    assert elsewhere.rest.asked == [("gemini", "BTC")]


async def test_a_search_that_breaks_is_our_fault_and_is_settled(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    elsewhere.rest.fail("gemini", RuntimeError("a bug"))
    headers = bearer(elsewhere.world.new_key(query_limit=1))

    broken = await asking.get("/price?asset=BTC", headers=headers)
    elsewhere.rest.tell("gemini", "65002.00")
    again = await asking.get("/price?asset=BTC", headers=headers)

    assert (broken.status_code, broken.json()["code"]) == (500, "internal")
    assert again.status_code == 200
    statuses = [record.status for record in elsewhere.world.records()]
    assert statuses == ["error", "success"]


async def test_a_market_of_another_scale_makes_no_price(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    world.trade("BTC", "65000.10")
    world.clock.advance(SILENCE_S)
    elsewhere.rest.tell("gemini", "0.65")

    answer = await asking.get("/price?asset=BTC", headers=bearer(world.new_key()))

    assert answer.json()["code"] == "price_unavailable"


async def test_the_status_tells_of_the_sources(
    asking: httpx.AsyncClient,
) -> None:
    sources = (await asking.get("/status")).json()["sources"]

    assert sources["cache"] == "closed"
    assert list(sources["rest"]) == ["gemini", "coinbase", "kraken"]


async def test_a_feed_that_comes_back_is_first_again(
    elsewhere: Elsewhere,
    asking: httpx.AsyncClient,
) -> None:
    world = elsewhere.world
    headers = bearer(world.new_key())
    elsewhere.rest.tell("gemini", "65002.00")
    await asking.get("/price?asset=BTC", headers=headers)
    world.trade("BTC", "65003.5")
    world.clock.advance(0.25)

    body = (await asking.get("/price?asset=BTC", headers=headers)).json()

    assert (body["source"], body["cache_age_seconds"]) == ("coinbase-ws", 0.2)
