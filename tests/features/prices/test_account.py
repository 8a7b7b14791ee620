"""What a key holder may know of the own key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.lpo import bearer
from trinity_beast.kernel.time import NS_PER_S

if TYPE_CHECKING:
    import httpx

    from support.lpo import World

MONTH_END = "2026-10-01T00:00:00.000Z"


async def test_the_key_with_its_limits_and_what_is_left(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(current_usage=100, last_used_ns=world.clock.now_ns())
    world.trade("BTC", "1")
    await client.get("/price?asset=BTC", headers=bearer(key))

    answer = await client.get("/account/key", headers=bearer(key))

    assert answer.status_code == 200
    assert answer.headers["ratelimit"] == '"second";r=8;t=1, "month";r=49899;t=812800'
    assert answer.json() == {
        "key": f"{key[:12]}…{key[-4:]}",
        "name": "mine",
        "tier": "pro",
        "served_as": "pro",
        "subscription_status": "active",
        "response_format": "plain",
        "limits": {
            "requests_per_second": 5,
            "burst": 10,
            "minimum_wait_ms": 200,
            "requests_per_month": 50_000,
        },
        "month": {"used": 101, "remaining": 49_899, "resets_at": MONTH_END},
        "grace_until": None,
        "reports": {"per_month": 10},
    }


async def test_a_key_without_limits(world: World, client: httpx.AsyncClient) -> None:
    key = world.new_key(
        tier="partner",
        rate_limit_qps=0,
        burst_limit=0,
        minimum_wait_ms=0,
        query_limit=999_999_999,
        current_usage=7,
        last_used_ns=world.clock.now_ns(),
        response_format="tbc",
    )

    answer = await client.get("/account/key", headers=bearer(key))

    assert answer.json() == {
        "status": "✅ [LPO] [us-east-2] [BeastMain] [/account/key] [200]",
        "status_code": 200,
        "endpoint": "/account/key",
        "key": f"{key[:12]}…{key[-4:]}",
        "name": "mine",
        "tier": "partner",
        "served_as": "partner",
        "subscription_status": "active",
        "response_format": "tbc",
        "limits": {
            "requests_per_second": None,
            "burst": None,
            "minimum_wait_ms": 0,
            "requests_per_month": None,
        },
        "month": {"used": 7, "remaining": None, "resets_at": MONTH_END},
        "grace_until": None,
        "reports": {"per_month": None},
    }


async def test_a_late_payer_sees_the_grace(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    failed_ns = world.clock.now_ns() - 86_400 * NS_PER_S
    key = world.new_key(
        subscription_status="past_due",
        payment_failed_at_ns=failed_ns,
        lrs_enabled=True,
    )

    in_grace = (await client.get("/account/key", headers=bearer(key))).json()
    world.clock.advance(6 * 86_400)
    after = (await client.get("/account/key", headers=bearer(key))).json()

    assert in_grace["grace_until"] == "2026-09-27T14:13:20.000Z"
    assert (in_grace["served_as"], after["served_as"]) == ("pro", "free")
    assert after["grace_until"] is None
    assert after["reports"] == {"per_month": None}


async def test_it_costs_nothing_of_the_month_and_answers_when_that_is_used_up(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(query_limit=1)
    world.trade("BTC", "1")

    before = await client.get("/account/key", headers=bearer(key))
    await client.get("/price?asset=BTC", headers=bearer(key))
    after = await client.get("/account/key", headers=bearer(key))

    assert before.json()["month"]["remaining"] == 1
    assert after.status_code == 200
    assert "retry-after" not in after.headers
    assert after.json()["month"] == {"used": 1, "remaining": 0, "resets_at": MONTH_END}


async def test_it_is_held_back_by_the_bucket(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(burst_limit=1)

    await client.get("/account/key", headers=bearer(key))
    answer = await client.get("/account/key", headers=bearer(key))

    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")


@pytest.mark.parametrize("query", ["format=x", "token=1", "a=1&a=2"])
async def test_its_query_is_read_strictly(
    world: World,
    client: httpx.AsyncClient,
    query: str,
) -> None:
    answer = await client.get(f"/account/key?{query}", headers=bearer(world.new_key()))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
