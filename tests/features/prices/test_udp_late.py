"""Datagrams whose answer must wait: for another source, or for a lease."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support.datagrams import Post
from support.sources import MemoryPriceCache, MemoryRestPrices
from trinity_beast.features.keys import ApiKey, KeySlot
from trinity_beast.features.limits import Limiter, LocalGrants
from trinity_beast.features.limits.model import Refusal, TokenBucket
from trinity_beast.features.prices import Answer, PriceRequest, PriceService
from trinity_beast.features.prices.udp import PriceDatagrams
from trinity_beast.features.prices.udp_late import LateAnswers
from trinity_beast.features.prices.udp_settling import Asked
from trinity_beast.features.prices.udp_wire import Question
from trinity_beast.features.sources import Sources

if TYPE_CHECKING:
    from support.lpo import World


class Lender(LocalGrants):
    """Lends tokens to whoever asks and waits."""

    def __init__(self, world: World) -> None:
        self.refills = 0
        self.lent = asyncio.Event()
        self._world = world
        self._bucket = TokenBucket(0, 0, 0)

    def tokens(self, key: ApiKey, qps: int, burst: int, now_ns: int) -> TokenBucket:
        return self._bucket

    async def refill(self, key: ApiKey, refusal: Refusal, until_ns: int) -> bool:
        self.refills += 1
        await self.lent.wait()
        if self.refills > 1:
            return False
        self._bucket.reconfigure(1, 1, self._world.clock.monotonic_ns())
        return True


@pytest.fixture
def venues(world: World) -> MemoryRestPrices:
    return MemoryRestPrices(world.clock)


@pytest.fixture
async def post(world: World, venues: MemoryRestPrices) -> Post:
    sources = Sources(MemoryPriceCache(), venues, world.clock, ttl_s=lambda: 9)
    parts = replace(world.parts, sources=sources)
    return Post(PriceDatagrams(parts).answers_to)


async def late(post: Post, datagram: str) -> Any:  # noqa: ANN401 - parsed JSON
    assert post.ask(datagram.encode()) is None
    for _ in range(50):
        await asyncio.sleep(0)
    [answer] = post.late
    post.late.clear()
    return json.loads(answer)


async def known_key(world: World, **changes: object) -> str:
    secret = world.new_key(**changes)
    await world.parts.keys.slot(secret)
    return secret


async def test_a_price_that_memory_has_not_comes_from_a_venue(
    world: World,
    post: Post,
    venues: MemoryRestPrices,
) -> None:
    key = await known_key(world)
    venues.tell("gemini", "0.50")

    answer = await late(post, f"{key} BTC my-id")

    assert answer == {
        "id": "my-id",
        "asset": "BTC",
        "price": 0.5,
        "timestamp": "2026-09-21T14:13:19.500Z",
        "source": "gemini-rest",
        "cached": False,
        "cache_age_seconds": 0.0,
        "latency_ms": 0,
        "duration_ms": 0,
    }
    [record] = world.records()
    assert (record.query_type, record.source, record.cached) == (
        "udp-price",
        "gemini-rest",
        False,
    )


async def test_the_gaps_of_a_batch_are_filled(
    world: World,
    post: Post,
    venues: MemoryRestPrices,
) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")
    venues.tell("coinbase", "3000.5")

    answer = await late(post, f"{key} BTC,ETH,NOPE")

    assert list(answer) == ["prices"]
    items = answer["prices"]
    assert [item.get("price") for item in items] == [65000.1, 3000.5, None]


async def test_what_nobody_has_is_an_error(world: World, post: Post) -> None:
    key = await known_key(world)

    assert await late(post, f"{key} BTC x") == {"id": "x", "error": "price_unavailable"}


async def test_a_long_list_goes_without_times(
    world: World,
    post: Post,
    venues: MemoryRestPrices,
) -> None:
    names = [f"ASSETNAMENUMBER{number}" for number in range(8)]
    snapshot = world.parts.catalogue.snapshot
    rows = [
        replace(snapshot.assets[0], id=100 + number, asset=name)
        for number, name in enumerate(names)
    ]
    world.parts.catalogue.replace(replace(snapshot, assets=tuple(rows)))
    key = await known_key(world)
    venues.tell("coinbase", "3000.5")
    answer = await late(post, f"{key} {','.join(names)}")

    assert len(answer["prices"]) == 8
    assert "latency_ms" not in answer["prices"][0]

    venues.tell("coinbase", "0." + "1" * 29)
    world.clock.advance(60)
    answer = await late(post, f"{key} {','.join(names)}")
    assert answer == {"error": "too_many_assets"}


async def test_an_idle_key_waits_for_its_lease(world: World) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")
    lender = Lender(world)
    parts = replace(world.parts, limiter=Limiter(world.clock, lender))
    listener = PriceDatagrams(parts)
    post = Post(listener.answers_to)

    assert post.ask(f"{key} BTC".encode()) is None
    lender.lent.set()
    await listener.finish()

    assert [json.loads(answer)["asset"] for answer in post.late] == ["BTC"]
    assert [record.status for record in world.records()] == ["success"]


async def test_too_many_that_wait_are_refused_at_once(world: World) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")
    lender = Lender(world)
    parts = replace(world.parts, limiter=Limiter(world.clock, lender))
    slot = await parts.keys.slot(key)
    late_answers = LateAnswers(
        PriceService(parts),
        world.clock,
        at_once=1,
        finish_s=0.01,
    )
    heard: list[bytes] = []
    question = Question(("BTC",))
    asked = Asked(question, "203.0.113.9", world.clock.now_ns(), 0)

    before = late_answers.may_help(slot)
    late_answers.answer(slot, asked, heard.append)
    within = late_answers.may_help(slot)
    await late_answers.finish()

    assert (before, within) == (True, False)
    assert heard == []


async def test_a_bug_is_told_as_one(world: World) -> None:
    class Broken(PriceService):
        async def answer_for(self, slot: KeySlot, request: PriceRequest) -> Answer:
            raise ZeroDivisionError

    key = await known_key(world)
    slot = await world.parts.keys.slot(key)
    late_answers = LateAnswers(Broken(world.parts), world.clock)
    heard: list[bytes] = []
    asked = Asked(Question(("BTC",)), "203.0.113.9", world.clock.now_ns(), 0)

    late_answers.answer(slot, asked, heard.append)
    await late_answers.finish()

    assert heard == [b'{"error":"internal"}']
