"""Why was I limited?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.lpo import bearer

if TYPE_CHECKING:
    import httpx

    from support.lpo import World

AT = "2026-09-21T14:13:20.000Z"


async def test_the_last_decisions_newest_first(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(burst_limit=2, query_limit=100)
    world.trade("BTC", "1")

    await client.get("/price?asset=BTC", headers=bearer(key))
    await client.get("/prices?assets=BTC,XXX", headers=bearer(key))
    await client.get("/price?asset=BTC", headers=bearer(key))
    world.clock.advance(0.2)
    answer = await client.get("/account/limits", headers=bearer(key))

    refused = {"code": "rate_limited", "retry_after_ms": 200}
    granted = {"code": None, "retry_after_ms": 0}
    assert answer.status_code == 200
    assert answer.json() == {
        "count": 4,
        "limits": [
            {
                "at": "2026-09-21T14:13:20.200Z",
                "endpoint": "/account/limits",
                "tokens_left": 0,
                "month_remaining": 97,
                **granted,
            },
            {
                "at": AT,
                "endpoint": "/price",
                "tokens_left": 0,
                "month_remaining": 98,
                **refused,
            },
            {
                "at": AT,
                "endpoint": "/prices",
                "tokens_left": 0,
                "month_remaining": 98,
                **granted,
            },
            {
                "at": AT,
                "endpoint": "/price",
                "tokens_left": 1,
                "month_remaining": 99,
                **granted,
            },
        ],
    }


async def test_it_answers_when_the_month_is_used_up_and_costs_nothing_of_it(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(query_limit=0, response_format="tbc")

    await client.get("/price?asset=BTC", headers=bearer(key))
    answer = await client.get("/account/limits", headers=bearer(key))

    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] == (
        "✅ [LPO] [us-east-2] [BeastMain] [/account/limits] [200]"
    )
    assert [(each["endpoint"], each["code"]) for each in body["limits"]] == [
        ("/account/limits", None),
        ("/price", "quota_exceeded"),
    ]
    assert len(world.records()) == 1


async def test_keys_see_their_own_decisions_alone(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    one, other = world.new_key(), world.new_key()

    await client.get("/price?asset=BTC", headers=bearer(one))
    answer = await client.get("/account/limits", headers=bearer(other))

    assert answer.json()["count"] == 1


async def test_it_is_for_key_holders_alone(client: httpx.AsyncClient) -> None:
    answer = await client.get("/account/limits")

    assert (answer.status_code, answer.json()["code"]) == (401, "missing_key")
