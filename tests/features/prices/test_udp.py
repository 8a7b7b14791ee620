"""Prices by datagram: what is answered, to whom, and what it costs."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from support.datagrams import Post
from support.lpo import KEY_ID, SNAPSHOT, USER_ID, bearer
from trinity_beast.features.keys import KeyRevoked, hash_of, new_secret
from trinity_beast.features.prices.udp import PriceDatagrams
from trinity_beast.features.prices.udp_lookups import LookupBounds
from trinity_beast.features.prices.udp_replay import ReplayWindow
from trinity_beast.features.prices.udp_wire import mac_of
from trinity_beast.features.usage import UsageRecord
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.changes import Change

if TYPE_CHECKING:
    from support.lpo import World

BTC = {
    "asset": "BTC",
    "price": 65000.1,
    "timestamp": "2026-09-21T14:13:19.500Z",
    "source": "coinbase-ws",
    "cached": True,
    "cache_age_seconds": 0.0,
    "latency_ms": 0,
    "duration_ms": 0,
}


@pytest.fixture
def listener(world: World) -> PriceDatagrams:
    return PriceDatagrams(world.parts)


@pytest.fixture
def post(listener: PriceDatagrams) -> Post:
    return Post(listener.answers_to)


@pytest.fixture
async def busy_key(world: World) -> str:
    return await known_key(world, rate_limit_qps=10**9, burst_limit=10**9)


def told(record: UsageRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


async def asked(post: Post, text: str | bytes) -> Any:  # noqa: ANN401 - parsed JSON
    """Return the answer, whether it comes at once or later; None when none does."""
    datagram = text.encode() if isinstance(text, str) else text
    answer = post.ask(datagram)
    for _ in range(20):
        if answer is not None:
            break
        await asyncio.sleep(0)
        answer = post.late.pop() if post.late else None
    return None if answer is None else json.loads(answer)


async def known_key(world: World, **changes: object) -> str:
    """Issue a key that this process has seen."""
    secret = world.new_key(**changes)
    with suppress(KeyRevoked):
        await world.parts.keys.slot(secret)
    return secret


def signed(world: World, secret: str, nonce: int, *, off_ms: int = 0) -> bytes:
    now_ms = world.clock.now_ns() // NS_PER_MS + off_ms
    key_hash = hash_of(secret)
    line = f"TB1 {key_hash[:16]} {now_ms} {nonce:016x} BTC".encode()
    return line + b" " + mac_of(line, key_hash)


async def test_the_first_datagram_of_a_key_waits_for_the_key(
    world: World,
    post: Post,
) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")

    first = post.ask(f"{key} BTC".encode())
    late = await asked(post, f"{key} btc")

    assert first is None
    assert late == BTC


async def test_the_digits_are_those_of_the_exchange(world: World, post: Post) -> None:
    key = await known_key(world)
    world.trade("BTC", "0.10")

    answers = [post.ask(f"{key} BTC".encode()) for _ in range(2)]

    assert answers[0] == answers[1]
    assert b'"price":0.10,' in (answers[0] or b"")


async def test_several_assets_with_an_id(world: World, post: Post) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")

    for _ in range(2):
        answer = await asked(post, f"{key} BTC,nope,ETH my-id")
        assert list(answer) == ["id", "prices"]
        assert answer["id"] == "my-id"
        assert answer["prices"] == [
            BTC,
            {
                "asset": "NOPE",
                "error": {
                    "code": "unknown_asset",
                    "message": "The asset NOPE is not served.",
                },
            },
            {
                "asset": "ETH",
                "error": {
                    "code": "price_unavailable",
                    "message": "There is no live price of ETH right now.",
                },
            },
        ]


async def test_the_id_comes_back_first_and_costs_nothing(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")

    answers = [await asked(post, f"{key} BTC r{number}") for number in range(3)]

    assert answers == [{"id": f"r{number}", **BTC} for number in range(3)]
    assert next(iter(answers[2])) == "id"


async def test_a_new_price_and_a_growing_age_are_told_at_once(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")
    await asked(post, f"{key} BTC")

    world.clock.advance(0.31)
    older = await asked(post, f"{key} BTC")
    world.trade("BTC", "64999.00")
    newer = await asked(post, f"{key} BTC")

    assert (older["price"], older["cache_age_seconds"]) == (65000.1, 0.3)
    assert (newer["price"], newer["cache_age_seconds"]) == (64999.0, 0.0)


async def test_eight_assets_fit_without_what_is_nought(
    world: World,
    post: Post,
) -> None:
    names = [f"ASSET{number}" for number in range(8)]
    rows = tuple(
        replace(SNAPSHOT.assets[0], id=100 + number, asset=name)
        for number, name in enumerate(names)
    )
    world.parts.catalogue.replace(replace(SNAPSHOT, assets=rows))
    for name in names:
        world.trade(name, "65000.10")
    key = await known_key(world)

    datagram = post.ask(f"{key} {','.join(names)} a".encode())

    assert datagram is not None
    assert len(datagram) <= 1_200
    prices = json.loads(datagram)["prices"]
    short = {k: v for k, v in BTC.items() if not k.endswith("_ms")}
    assert prices == [short | {"asset": name} for name in names]


async def test_an_answer_that_cannot_fit_is_an_error(world: World, post: Post) -> None:
    names = [f"VERYLONGASSETNAMENO{number}" for number in range(8)]
    rows = tuple(
        replace(SNAPSHOT.assets[0], id=100 + number, asset=name)
        for number, name in enumerate(names)
    )
    world.parts.catalogue.replace(replace(SNAPSHOT, assets=rows))
    for name in names:
        world.trade(name, "0." + "1" * 26)
    key = await known_key(world)

    answer = await asked(post, f"{key} {','.join(names)}")

    assert answer == {"error": "too_many_assets"}
    assert [record.error for record in world.records()] == ["too_many_assets"]


async def test_an_answer_that_fits_only_without_the_id(
    world: World,
    post: Post,
) -> None:
    names = [f"ASSETNAMENO{number}" for number in range(8)]
    rows = tuple(
        replace(SNAPSHOT.assets[0], id=100 + number, asset=name)
        for number, name in enumerate(names)
    )
    world.parts.catalogue.replace(replace(SNAPSHOT, assets=rows))
    for name in names:
        world.trade(name, "0.12345678901")
    key = await known_key(world)
    text = f"{key} {','.join(names)}"

    plain = post.ask(text.encode())
    assert plain is not None
    room = 1_200 - len(plain) - len('"id":"",')
    assert 0 < room < 32

    assert len(post.ask(f"{text} {'i' * room}".encode()) or b"") == 1_200
    longer = await asked(post, f"{text} {'i' * (room + 1)}")
    assert longer == {"id": "i" * (room + 1), "error": "too_many_assets"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("NOPE", {"error": "unknown_asset"}),
        ("ETH", {"error": "price_unavailable"}),
        ("ETH x", {"id": "x", "error": "price_unavailable"}),
        ("BTC bad.id", {"error": "invalid_request"}),
        (",", {"error": "invalid_request"}),
        ("1,2,3,4,5,6,7,8,9", {"error": "too_many_assets"}),
    ],
)
async def test_a_proven_key_is_told_what_is_wrong(
    world: World,
    post: Post,
    text: str,
    answer: object,
) -> None:
    key = await known_key(world)

    assert await asked(post, f"{key} {text}") == answer
    assert [(r.status, r.token_count) for r in world.records()] == [("error", 1)]


async def test_a_price_of_a_silent_feed_is_not_served(world: World, post: Post) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")
    assert await asked(post, f"{key} BTC") == BTC

    world.clock.advance(20)
    heard = await asked(post, f"{key} BTC")
    world.clock.advance(20)
    silent = await asked(post, f"{key} BTC")
    world.trade("BTC", "65000.20")
    again = await asked(post, f"{key} BTC")

    assert heard["cache_age_seconds"] == 20.0
    assert silent == {"error": "price_unavailable"}
    assert again["price"] == 65000.2


async def test_operators_decide_how_old_a_price_may_be(
    world: World,
    post: Post,
    listener: PriceDatagrams,
) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")
    world.clock.advance(40)
    assert await asked(post, f"{key} BTC") == {"error": "price_unavailable"}

    world.parts.parameters.replace({"cache_ttl": "60"})
    assert (await asked(post, f"{key} BTC"))["cache_age_seconds"] == 40.0
    await listener.finish()


async def test_a_record_of_a_price(world: World, post: Post) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")
    await asked(post, f"{key} BTC")
    world.clock.advance(0.25)
    await asked(post, f"{key} BTC i")

    [_, record] = world.records()
    assert told(record) == {
        "id": record.id,
        "at_ns": world.clock.now_ns(),
        "key_id": str(KEY_ID),
        "user_id": str(USER_ID),
        "ip": "203.0.113.9",
        "query_type": "udp-price",
        "status": "success",
        "error": None,
        "asset": "BTC",
        "price": "65000.10",
        "source": "coinbase-ws",
        "cached": True,
        "cache_age_ms": 250,
        "latency_ms": 0,
        "duration_ms": 0,
        "token_count": 1,
    }


async def test_both_ways_make_the_same_record(world: World, post: Post) -> None:
    key = await known_key(world, user_id=None)
    world.trade("BTC", "65000.10")
    for text in ("BTC", "BTC,NOPE"):
        for _ in range(2):
            await asked(post, f"{key} {text}")

    one, again, some, more = [told(record) for record in world.records()]
    assert one | {"id": again["id"]} == again
    assert some | {"id": more["id"]} == more
    assert (some["query_type"], some["asset"]) == ("udp-multi-price", "BTC,NOPE")
    assert (some["price"], some["cached"]) == (None, True)


async def test_a_late_answer_tells_how_late(world: World, post: Post) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")
    at_ns = world.clock.now_ns()
    world.lookup_s = 0.012

    answer = await asked(post, f"{key} BTC")

    assert answer == BTC | {"duration_ms": 12}
    [record] = world.records()
    assert (record.at_ns, record.duration_ms) == (at_ns, 12)


async def test_datagrams_and_http_share_one_bucket(world: World, post: Post) -> None:
    key = await known_key(world, rate_limit_qps=1, burst_limit=3)
    world.trade("BTC", "65000.10")
    async with world.client() as client:
        codes = [
            (await client.get("/price?asset=BTC", headers=bearer(key))).status_code
        ]
        answers = [await asked(post, f"{key} BTC x") for _ in range(3)]
        reply = await client.get("/price?asset=BTC", headers=bearer(key))

    assert codes == [200]
    assert answers[:2] == [{"id": "x", **BTC}] * 2
    assert answers[2] == {"id": "x", "error": "rate_limited", "retry_after_ms": 1_000}
    assert reply.status_code == 429
    records = world.records()
    assert [r.status for r in records] == ["success"] * 3 + ["rate_limited"] * 2
    assert [r.token_count for r in records] == [1, 1, 1, 0, 0]


async def test_the_month_is_one_too_and_errors_cost_nothing_of_it(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world, query_limit=3, rate_limit_qps=100, burst_limit=100)
    world.trade("BTC", "65000.10")

    for text in ("NOPE", "BTC", "ETH", "BTC", "NOPE", "BTC"):
        await asked(post, f"{key} {text}")
    refused = await asked(post, f"{key} BTC")

    assert refused["error"] == "quota_exceeded"
    assert refused["retry_after_ms"] > 86_400_000
    [*_, record] = world.records()
    assert (record.status, record.error) == ("rate_limited", "quota_exceeded")


async def test_the_history_of_a_key_knows_each_datagram(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world, rate_limit_qps=1, burst_limit=2)
    world.trade("BTC", "65000.10")
    for _ in range(3):
        await asked(post, f"{key} BTC")

    slot = await world.parts.keys.slot(key)
    history = getattr(slot.state, "history")  # noqa: B009 - the limiter's own
    noted = [(n.endpoint, n.code, n.tokens_left) for n in history.newest_first()]
    assert noted == [("udp", "rate_limited", 0), ("udp", None, 0), ("udp", None, 1)]


async def test_a_key_without_limits_is_never_held_back(
    world: World,
    post: Post,
) -> None:
    key = await known_key(
        world,
        tier="partner",
        rate_limit_qps=0,
        burst_limit=0,
        query_limit=999_999_999,
    )
    world.trade("BTC", "65000.10")

    answers = post.ask_all([f"{key} BTC".encode()] * 200)

    assert {json.loads(answer or b"")["asset"] for answer in answers} == {"BTC"}


async def test_a_flood_over_the_limit_is_refused_without_tasks(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world, rate_limit_qps=1, burst_limit=1)
    world.trade("BTC", "65000.10")
    await asked(post, f"{key} BTC")
    await asked(post, f"{key} BTC")

    answers = post.ask_all([f"{key} BTC".encode()] * 100)

    assert {json.loads(answer or b"")["error"] for answer in answers} == {
        "rate_limited",
    }


async def test_who_was_refused_is_served_as_soon_as_there_is_a_token(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world, rate_limit_qps=1, burst_limit=1)
    world.trade("BTC", "65000.10")
    codes: list[str | None] = []
    for _ in range(2):
        codes += [(await asked(post, f"{key} BTC")).get("error") for _ in range(2)]
        world.clock.advance(1)

    assert codes == [None, "rate_limited"] * 2


async def test_strangers_get_a_small_error_five_times_a_second(
    world: World,
    post: Post,
) -> None:
    datagram = f"{new_secret(world.randomness)} BTC".encode()
    nonsense = b"nonsense? not even a key"

    answers = [await asked(post, datagram) for _ in range(8)]
    at_once = await asked(post, nonsense)
    world.clock.advance(1)
    later = await asked(post, nonsense)

    assert answers == [{"error": "unknown_key"}] * 5 + [None] * 3
    assert (at_once, later) == (None, {"error": "unknown_key"})
    assert world.records() == []


async def test_what_is_no_request_is_told_so(post: Post) -> None:
    assert await asked(post, b"what is this, please?") is None
    assert await asked(post, b"what is this, please? A price?") == {
        "error": "invalid_request",
    }


async def test_a_key_with_a_slip_needs_no_lookup(world: World, post: Post) -> None:
    key = world.new_key()
    world.database_is_away = True
    mistyped = key[:-1] + ("0" if key[-1] != "0" else "1")

    assert post.ask(f"{mistyped} BTC".encode()) == b'{"error":"unknown_key"}'


async def test_no_error_is_larger_than_its_request(world: World, post: Post) -> None:
    assert post.ask(b"") is None
    assert post.ask(b"12345678 BTC") is None
    assert post.ask(b"x") is None
    assert await asked(post, b"12345678 BTC,ETH,DOGE") is None
    assert await asked(post, b"12345678 BTC,ETH,DOGE,1INCH") == {
        "error": "unknown_key",
    }


async def test_a_datagram_that_is_too_long_is_refused(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world)

    answer = await asked(post, f"{key} BTC".encode().ljust(1_201))

    assert answer == {"error": "payload_too_large"}


async def test_a_revoked_key_is_told_in_a_small_answer(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world, revoked=True)

    answers = [await asked(post, f"{key} BTC x") for _ in range(7)]

    assert answers == [{"id": "x", "error": "revoked_key"}] * 5 + [None] * 2
    assert [(r.error, r.token_count) for r in world.records()] == [
        ("revoked_key", 0),
    ] * 5


async def test_a_revoked_key_that_nobody_has_seen_is_told_too(
    world: World,
    post: Post,
) -> None:
    key = world.new_key(revoked=True)

    assert await asked(post, f"{key} BTC") == {"error": "revoked_key"}


async def test_a_revocation_works_on_the_next_datagram(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")
    key_hash = hash_of(key)
    assert await asked(post, f"{key} BTC") == BTC

    world.keys[key_hash] = replace(world.keys[key_hash], revoked=True)
    await world.parts.keys.apply(Change("api_keys", "UPDATE", str(KEY_ID), key_hash))
    assert await asked(post, f"{key} BTC") == {"error": "revoked_key"}

    del world.keys[key_hash]
    await world.parts.keys.apply(Change("api_keys", "DELETE", str(KEY_ID), key_hash))
    assert await asked(post, f"{key} BTC") == {"error": "unknown_key"}


async def test_changed_terms_work_on_the_next_datagram(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world, rate_limit_qps=1, burst_limit=1)
    world.trade("BTC", "65000.10")
    key_hash = hash_of(key)
    assert await asked(post, f"{key} BTC") == BTC

    world.keys[key_hash] = replace(
        world.keys[key_hash],
        rate_limit_qps=100,
        burst_limit=100,
    )
    await world.parts.keys.apply(Change("api_keys", "UPDATE", str(KEY_ID), key_hash))
    world.clock.advance(1)
    answers = [await asked(post, f"{key} BTC") for _ in range(50)]
    assert all("error" not in answer for answer in answers)


async def test_a_database_that_is_away_is_told_small(world: World, post: Post) -> None:
    known = await known_key(world)
    world.trade("BTC", "65000.10")
    world.database_is_away = True

    answers = [
        await asked(post, f"{new_secret(world.randomness)} BTC"),
        await asked(post, f"{known} BTC"),
    ]

    assert answers == [{"error": "overloaded"}, BTC]


async def test_many_datagrams_of_one_new_key_cost_one_lookup(
    world: World,
    post: Post,
) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")
    post.ask_all([f"{key} BTC r{number}".encode() for number in range(10)])
    for _ in range(20):
        await asyncio.sleep(0)

    assert sorted(json.loads(answer)["id"] for answer in post.late) == [
        f"r{number}" for number in range(10)
    ]


@pytest.mark.parametrize(
    "bounds",
    [
        LookupBounds(per_second=2),
        LookupBounds(per_second_of_sender=2),
        LookupBounds(at_once=2),
        LookupBounds(waiting=2),
    ],
)
async def test_made_up_keys_are_held_to_a_budget(
    world: World,
    bounds: LookupBounds,
) -> None:
    listener = PriceDatagrams(world.parts, lookups=bounds)
    post = Post(listener.answers_to)
    datagrams = [f"{new_secret(world.randomness)} BTC".encode() for _ in range(4)]

    at_once = post.ask_all(datagrams)
    await listener.finish()

    assert at_once == [None, None] + [b'{"error":"overloaded"}'] * 2
    assert post.late == [b'{"error":"unknown_key"}'] * 2


async def test_what_waits_is_answered_before_the_end(
    world: World,
    post: Post,
    listener: PriceDatagrams,
) -> None:
    key = world.new_key(rate_limit_qps=1, burst_limit=1)
    world.trade("BTC", "65000.10")
    post.ask_all([f"{key} BTC".encode()] * 2)

    await listener.finish()

    codes = [json.loads(answer).get("error") for answer in post.late]
    assert codes == [None, "rate_limited"]


async def test_a_lookup_that_never_ends_does_not_stop_the_end(world: World) -> None:
    listener = PriceDatagrams(world.parts, lookups=LookupBounds(finish_s=0.01))
    post = Post(listener.answers_to)
    world.lookups = asyncio.Event()
    post.ask(f"{world.new_key()} BTC".encode())

    await listener.finish()

    assert post.late == [b'{"error":"overloaded"}']


async def test_more_senders_than_are_remembered_are_all_answered(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world, rate_limit_qps=10**9, burst_limit=10**9)
    world.trade("BTC", "65000.10")
    datagram = f"{key} BTC".encode()

    answers = {post.ask(datagram, sender) for sender in range(4_200)}

    assert len(answers) == 1
    assert len({record.ip for record in world.usage.drain(5_000)}) > 900


async def test_a_signed_datagram_is_answered_once(world: World, post: Post) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")
    datagram = signed(world, key, 1)

    first = await asked(post, datagram)
    again = await asked(post, datagram)

    assert first == BTC
    assert again == {"error": "conflict"}
    assert [r.status for r in world.records()] == ["success"]


async def test_signed_datagrams_go_the_short_way_too(world: World, post: Post) -> None:
    key = world.new_key(rate_limit_qps=1, burst_limit=4)
    world.trade("BTC", "65000.10")

    answers = [await asked(post, signed(world, key, number)) for number in range(5)]

    assert answers[:4] == [BTC] * 4
    assert answers[4] == {"error": "rate_limited", "retry_after_ms": 1_000}
    statuses = [record.status for record in world.records()]
    assert statuses == ["success"] * 4 + ["rate_limited"]


async def test_the_id_of_a_key_is_no_key(world: World, post: Post) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")
    await asked(post, signed(world, key, 1))
    key_hash = hash_of(key)

    for text in (key_hash[:16], key_hash, f"TB1 {key_hash[:16]}"):
        answer = post.ask(f"{text} BTC".encode())
        assert answer is None or b"price" not in answer
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(b"price" in answer for answer in post.late)


async def test_a_wrong_signature_is_an_unknown_key(world: World, post: Post) -> None:
    key, other = await known_key(world), new_secret(world.randomness)
    world.trade("BTC", "65000.10")
    now_ms = world.clock.now_ns() // NS_PER_MS
    line = f"TB1 {hash_of(key)[:16]} {now_ms} {1:016x} BTC".encode()

    forged = await asked(post, line + b" " + mac_of(line, hash_of(other)))
    unknown = await asked(post, signed(world, other, 1))
    unknown_again = post.ask(signed(world, other, 2))
    right = await asked(post, line + b" " + mac_of(line, hash_of(key)))

    assert forged == unknown == {"error": "unknown_key"}
    assert unknown_again == b'{"error":"unknown_key"}'
    assert right == BTC


@pytest.mark.parametrize(
    ("off_ms", "is_accepted"),
    [(-30_001, False), (-30_000, True), (30_000, True), (30_001, False)],
)
async def test_a_signed_datagram_is_of_these_thirty_seconds(
    world: World,
    post: Post,
    off_ms: int,
    *,
    is_accepted: bool,
) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")

    answer = await asked(post, signed(world, key, 1, off_ms=off_ms))

    assert answer == (BTC if is_accepted else {"error": "invalid_request"})


async def test_a_full_window_refuses_what_is_new(world: World) -> None:
    post = Post(PriceDatagrams(world.parts, replay=ReplayWindow(1)).answers_to)
    key = world.new_key()
    world.trade("BTC", "65000.10")

    answers = [await asked(post, signed(world, key, number)) for number in (1, 2)]

    assert answers == [BTC, {"error": "overloaded"}]


async def test_a_revoked_key_signs_nothing(world: World, post: Post) -> None:
    key = world.new_key(revoked=True)

    assert await asked(post, signed(world, key, 1)) == {"error": "revoked_key"}


async def test_a_key_that_is_gone_signs_nothing(world: World, post: Post) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")
    key_hash = hash_of(key)
    assert await asked(post, signed(world, key, 1)) == BTC

    del world.keys[key_hash]
    await world.parts.keys.apply(Change("api_keys", "DELETE", str(KEY_ID), key_hash))

    assert await asked(post, signed(world, key, 2)) == {"error": "unknown_key"}


async def test_a_line_feed_at_the_end_is_none_of_our_business(
    world: World,
    post: Post,
) -> None:
    key = await known_key(world)
    world.trade("BTC", "65000.10")

    answers = [await asked(post, f"{key} BTC{end}") for end in ("\n", "\r\n", "\n")]

    assert answers == [BTC] * 3


def datagrams_of(key: str) -> st.SearchStrategy[bytes]:
    key_id = hash_of(key)[:16]
    words = st.sampled_from(
        [key, key[:-1], key_id, "TB1", "BTC", "btc,ETH", "NOPE", "x" * 32, "", "a-1"],
    ) | st.text(max_size=20)
    lines = st.lists(words, max_size=7).map(" ".join)
    return st.binary(max_size=1_300) | lines.map(
        lambda line: line.encode("utf-8", "replace"),
    )


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_whatever_comes_nothing_breaks_and_strangers_gain_nothing(
    world: World,
    post: Post,
    busy_key: str,
    data: st.DataObject,
) -> None:
    world.trade("BTC", "65000.10")
    world.clock.advance(1)
    datagram = data.draw(datagrams_of(busy_key))

    for _ in range(2):
        answers = [post.ask(datagram)]
        for _ in range(8):
            await asyncio.sleep(0)
        answers += post.late
        post.late.clear()
        is_proven = datagram.split(b" ")[0].strip() == busy_key.encode()
        told = [answer for answer in answers if answer is not None]
        assert len(told) <= 1
        for answer in told:
            assert isinstance(json.loads(answer), dict)
            assert len(answer) <= (1_200 if is_proven else len(datagram))
