"""Each answered or refused keyed request leaves one usage record."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from support.lpo import KEY_ID, USER_ID, bearer
from trinity_beast.features.keys import new_secret
from trinity_beast.features.usage import UsageRecord
from trinity_beast.kernel.time import NS_PER_MS

if TYPE_CHECKING:
    import httpx

    from support.lpo import World


def told(record: UsageRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


async def test_a_price(world: World, client: httpx.AsyncClient) -> None:
    key = world.new_key()
    world.trade("BTC", "65000.10")
    world.clock.advance(0.25)
    at_ns = world.clock.now_ns()
    world.lookup_s = 0.012

    await client.get("/price?asset=btc", headers=bearer(key))

    [record] = world.records()
    assert UUID(bytes=record.id).int >> 80 == at_ns // NS_PER_MS
    assert told(record) == {
        "id": record.id,
        "at_ns": at_ns,
        "key_id": str(KEY_ID),
        "user_id": str(USER_ID),
        "ip": "203.0.113.9",
        "query_type": "price",
        "status": "success",
        "error": None,
        "asset": "BTC",
        "price": "65000.10",
        "source": "coinbase-ws",
        "cached": True,
        "cache_age_ms": 262,
        "latency_ms": 0,
        "duration_ms": 12,
        "token_count": 1,
    }


async def test_a_batch(world: World, client: httpx.AsyncClient) -> None:
    key = world.new_key(user_id=None)
    world.trade("BTC", "65000.10")
    body = {"assets": ["btc", "XXX", "caf\u00e9", "\ud800\u0000"]}

    await client.post("/prices", content=json.dumps(body), headers=bearer(key))

    [record] = world.records()
    assert told(record) == {
        "id": record.id,
        "at_ns": world.clock.now_ns(),
        "key_id": str(KEY_ID),
        "user_id": None,
        "ip": "203.0.113.9",
        "query_type": "multi-price",
        "status": "success",
        "error": None,
        "asset": "BTC,XXX",
        "price": None,
        "source": None,
        "cached": True,
        "cache_age_ms": None,
        "latency_ms": 0,
        "duration_ms": 0,
        "token_count": 1,
    }


@pytest.mark.parametrize(
    ("changes", "method", "path", "outcome"),
    [
        ({}, "GET", "/price?asset=XXX", ("error", "unknown_asset", "XXX", 1)),
        ({}, "GET", "/price?asset=%22", ("error", "unknown_asset", None, 1)),
        ({}, "GET", "/price?asset=ETH", ("error", "price_unavailable", "ETH", 1)),
        ({}, "GET", "/price?a=%FF", ("error", "invalid_request", None, 1)),
        ({}, "GET", "/price?key=abc", ("error", "invalid_request", None, 1)),
        ({}, "DELETE", "/price", ("error", "method_not_allowed", None, 1)),
        (
            {"burst_limit": 0},
            "GET",
            "/price?asset=ETH",
            ("rate_limited", "rate_limited", "ETH", 0),
        ),
        (
            {"query_limit": 0},
            "GET",
            "/prices?assets=BTC,ETH",
            ("rate_limited", "quota_exceeded", "BTC,ETH", 0),
        ),
        (
            {"revoked": True},
            "GET",
            "/price?asset=BTC",
            ("error", "revoked_key", "BTC", 0),
        ),
    ],
)
async def test_a_refusal(
    world: World,
    client: httpx.AsyncClient,
    changes: dict[str, object],
    method: str,
    path: str,
    outcome: tuple[object, ...],
) -> None:
    key = world.new_key(**changes)

    await client.request(method, path, headers=bearer(key))

    [record] = world.records()
    assert (record.status, record.error, record.asset, record.token_count) == outcome
    assert (record.price, record.source, record.cached) == (None, None, None)
    assert record.cache_age_ms is None


async def test_who_is_not_known_leaves_no_record(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    await client.get("/price?asset=BTC")
    await client.get("/price?asset=BTC", headers=bearer(new_secret(world.randomness)))
    await client.get("/account/key", headers=bearer(world.new_key()))
    await client.get("/status")

    assert world.records() == []


async def test_the_address_is_that_of_the_client_behind_trusted_hops(
    world: World,
) -> None:
    parts = replace(world.parts, trusted_hops=(ip_network("203.0.113.0/24"),))
    headers = bearer(world.new_key()) | {"X-Forwarded-For": "1.1.1.1, 198.51.100.7"}

    async with world.client() as direct, world.client(parts) as behind:
        await direct.get("/price?asset=BTC", headers=headers)
        await behind.get("/price?asset=BTC", headers=headers)

    assert [record.ip for record in world.records()] == ["203.0.113.9", "198.51.100.7"]


async def test_a_full_buffer_makes_nobody_wait(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key()
    world.trade("BTC", "1")
    world.usage.resize(1)

    answers = [
        await client.get("/price?asset=BTC", headers=bearer(key)) for _ in range(3)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert world.usage.dropped == 2
