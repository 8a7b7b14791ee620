"""What a price answer says, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.lpo import bearer
from trinity_beast.kernel.time import NS_PER_S

if TYPE_CHECKING:
    import httpx

    from support.lpo import World

DAY_NS = 86_400 * NS_PER_S


@pytest.mark.parametrize("header", ["bearer", "x-api-key"])
async def test_a_plain_body_has_the_exchanges_digits_in_the_documented_order(
    world: World,
    client: httpx.AsyncClient,
    header: str,
) -> None:
    key = world.new_key()
    sent = bearer(key) if header == "bearer" else {"X-API-Key": key}
    world.trade("BTC", "65000.1000")
    world.clock.advance(0.39)

    answer = await client.get("/price?asset=btc", headers=sent)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == (
        '{"asset":"BTC","price":65000.1000,"timestamp":"2026-09-21T14:13:19.500Z",'
        '"source":"coinbase-ws","cached":true,"cache_age_seconds":0.3,'
        '"latency_ms":0,"duration_ms":0}'
    )


async def test_head_is_metered_like_get(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.1000")

    answer = await client.head("/price?asset=BTC", headers=bearer(key))

    assert answer.status_code == 200
    assert answer.headers["ratelimit"] == '"second";r=9;t=1, "month";r=49999;t=812800'
    assert [record.status for record in world.records()] == ["success"]


async def test_a_tbc_body_opens_with_who_answered(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(response_format="tbc")
    world.trade("BTC", "65000.1000")

    answer = await client.get("/price?asset=BTC", headers=bearer(key))

    assert answer.text == (
        '{"status":"✅ [LPO] [us-east-2] [BeastMain] [/price] [200]",'
        '"status_code":200,"endpoint":"/price",'
        '"asset":"BTC","price":65000.1000,"timestamp":"2026-09-21T14:13:19.500Z",'
        '"source":"coinbase-ws","cached":true,"cache_age_seconds":0.0,'
        '"latency_ms":0,"duration_ms":0}'
    )


async def test_the_request_may_choose_another_format(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    plain, tbc = world.new_key(), world.new_key(response_format="tbc")
    world.trade("BTC", "1")

    as_tbc = await client.get("/price?asset=BTC&format=tbc", headers=bearer(plain))
    as_plain = await client.get("/price?asset=BTC&format=plain", headers=bearer(tbc))

    assert as_tbc.text.startswith('{"status":"✅ ')
    assert as_plain.text.startswith('{"asset":"BTC","price":1,')


@pytest.mark.parametrize(
    "ask",
    [
        ("GET", "/prices?assets=eth,XXX,btc,ETH,,DOGE", None),
        ("POST", "/prices", {"assets": ["eth", "XXX", "btc", "ETH", "DOGE"]}),
    ],
    ids=["GET", "POST"],
)
async def test_a_batch_keeps_the_order_and_tells_errors_in_their_place(
    world: World,
    client: httpx.AsyncClient,
    ask: tuple[str, str, object],
) -> None:
    method, path, body = ask
    key = world.new_key()
    world.trade("BTC", "65000.10")
    world.trade("ETH", "3000.5")

    answer = await client.request(method, path, json=body, headers=bearer(key))

    assert answer.status_code == 200
    rest = (
        '"timestamp":"2026-09-21T14:13:19.500Z","source":"coinbase-ws","cached":true,'
        '"cache_age_seconds":0.0,"latency_ms":0,"duration_ms":0}'
    )
    assert answer.text == (
        '{"count":4,"prices":['
        f'{{"asset":"ETH","price":3000.5,{rest},'
        '{"asset":"XXX","error":{"code":"unknown_asset",'
        '"message":"The asset XXX is not served."}},'
        f'{{"asset":"BTC","price":65000.10,{rest},'
        '{"asset":"DOGE","error":{"code":"price_unavailable",'
        '"message":"There is no live price of DOGE right now."}}]}'
    )


async def test_a_tbc_batch_opens_with_who_answered(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(response_format="tbc")

    answer = await client.post("/prices", json={"assets": ["X"]}, headers=bearer(key))

    assert answer.json() == {
        "status": "✅ [LPO] [us-east-2] [BeastMain] [/prices] [200]",
        "status_code": 200,
        "endpoint": "/prices",
        "count": 1,
        "prices": [
            {
                "asset": "X",
                "error": {
                    "code": "unknown_asset",
                    "message": "The asset X is not served.",
                },
            },
        ],
    }


async def test_a_batch_may_choose_format_and_age_in_its_body(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")
    world.clock.advance(1)
    body = {"assets": ["BTC"], "format": "tbc", "max_age_ms": 500}

    answer = await client.post("/prices", json=body, headers=bearer(key))

    assert answer.json() == {
        "status": "✅ [LPO] [us-east-2] [BeastMain] [/prices] [200]",
        "status_code": 200,
        "endpoint": "/prices",
        "count": 1,
        "prices": [
            {
                "asset": "BTC",
                "error": {
                    "code": "price_stale",
                    "message": "The newest price of BTC is older than 500 ms.",
                },
            },
        ],
    }


async def test_every_keyed_answer_tells_what_is_left(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key()
    world.trade("BTC", "1")

    good = await client.get("/price?asset=BTC", headers=bearer(key))
    bad = await client.get("/price?asset=XXX", headers=bearer(key))

    policy = '"second";q=5;w=1, "month";q=50000;w=2592000'
    assert [each.headers["ratelimit-policy"] for each in (good, bad)] == [policy] * 2
    # The second one took a token, too, but nothing of the month.
    assert good.headers["ratelimit"] == '"second";r=9;t=1, "month";r=49999;t=812800'
    assert bad.headers["ratelimit"] == '"second";r=8;t=1, "month";r=49999;t=812800'
    assert "x-grace-until" not in good.headers


async def test_partners_are_told_of_no_limits(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(
        tier="partner",
        rate_limit_qps=0,
        burst_limit=0,
        query_limit=999_999_999,
    )
    world.trade("BTC", "1")

    answer = await client.get("/price?asset=BTC", headers=bearer(key))

    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers


async def test_a_late_payer_is_told_how_long_the_grace_lasts(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    failed_ns = world.clock.now_ns() - DAY_NS
    key = world.new_key(
        subscription_status="past_due",
        payment_failed_at_ns=failed_ns,
    )
    world.trade("BTC", "1")

    in_grace = await client.get("/price?asset=BTC", headers=bearer(key))
    world.clock.advance(6 * 86_400)
    world.trade("BTC", "1")
    after = await client.get("/price?asset=BTC", headers=bearer(key))

    assert in_grace.headers["x-grace-until"] == "2026-09-27T14:13:20.000Z"
    assert in_grace.headers["ratelimit-policy"].startswith('"second";q=5;')
    assert "x-grace-until" not in after.headers
    assert after.headers["ratelimit-policy"].startswith('"second";q=1;')


async def test_an_answer_tells_how_long_it_took_and_the_age_at_its_end(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key()
    world.trade("BTC", "1")
    world.lookup_s = 0.112

    answer = await client.get("/price?asset=BTC", headers=bearer(key))

    assert answer.json()["duration_ms"] == 112
    assert answer.json()["cache_age_seconds"] == 0.1
