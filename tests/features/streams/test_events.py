"""Prices as server-sent events, over real sockets."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from support.lpo import KEY_ID, USER_ID, bearer
from support.streams import GRACE_S, Listener, SlowKeys, Told, until
from trinity_beast.features.keys import KeyRing, new_secret
from trinity_beast.features.limits import NANOTOKENS, KeyLimits

if TYPE_CHECKING:
    from support.lpo import World

LIMITED = {"rate_limit_qps": 1, "burst_limit": 5}
BTC = {
    "asset": "BTC",
    "price": "65000.10",
    "timestamp": "2026-09-21T14:13:19.500Z",
    "source": "coinbase-ws",
    "cached": True,
    "cache_age_seconds": "0.0",
    "latency_ms": 0,
    "duration_ms": 0,
}


async def test_a_stream_begins_with_a_snapshot_of_all_assets_asked(
    world: World,
    listener: Listener,
) -> None:
    world.trade("BTC", "65000.10")

    async with listener.events("btc,ETH,XXX,BTC", listener.new_key()) as client:
        first = await client.next()

    assert client.status == 200
    assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert client.headers["cache-control"] == "no-store"
    assert client.headers["x-accel-buffering"] == "no"
    assert len(client.headers["x-request-id"]) == 36
    assert "content-length" not in client.headers
    assert first == Told(
        "snapshot",
        {
            "count": 3,
            "prices": [
                BTC,
                {
                    "asset": "ETH",
                    "error": {
                        "code": "price_unavailable",
                        "message": "There is no live price of ETH right now.",
                    },
                },
                {
                    "asset": "XXX",
                    "error": {
                        "code": "unknown_asset",
                        "message": "The asset XXX is not served.",
                    },
                },
            ],
        },
        first.event_id,
    )


async def test_each_change_is_an_event(world: World, listener: Listener) -> None:
    world.trade("BTC", "65000.10")

    async with listener.events("BTC,ETH", listener.new_key()) as client:
        await client.next()
        world.trade("ETH", "2")
        world.trade("DOGE", "0.1")
        await listener.hub.turn()
        world.trade("BTC", "65000.10")
        await listener.hub.turn()
        told = [await client.next(), await client.next()]

    assert [(event.name, event.data["asset"]) for event in told] == [
        ("price", "ETH"),
        ("price", "BTC"),
    ]
    assert told[1].data == BTC


async def test_what_the_limits_say_comes_with_it(listener: Listener) -> None:
    key = listener.new_key(
        tier="lifetime",
        rate_limit_qps=5,
        burst_limit=10,
        subscription_status="past_due",
        payment_failed_at_ns=listener.world.clock.now_ns(),
    )

    async with listener.events("BTC", key) as client:
        assert client.headers["ratelimit"].startswith('"second";r=9;t=1, "month";r=49')
        assert client.headers["x-grace-until"] == "2026-09-28t14:13:20.000z"


async def test_a_stream_is_one_request_however_much_it_says(
    world: World,
    listener: Listener,
) -> None:
    key = listener.new_key(tier="lifetime", rate_limit_qps=1, burst_limit=5)

    async with listener.events("btc,XXX", key) as client:
        await client.next()
        for price in range(1, 20):
            world.trade("BTC", str(price))
            await listener.hub.turn()
            await client.next()
        slot = await world.parts.keys.slot(key)

    [record] = world.records()
    limits = slot.state
    assert isinstance(limits, KeyLimits)
    assert limits.tokens is not None
    assert limits.tokens.level(world.clock.monotonic_ns()) == 4 * NANOTOKENS
    assert limits.month.remaining == 49_999
    assert [noted.endpoint for noted in limits.history.newest_first()] == [
        "/stream/prices",
    ]
    assert (record.query_type, record.status, record.error) == (
        "stream",
        "success",
        None,
    )
    assert (record.asset, record.price, record.token_count) == ("BTC,XXX", None, 1)
    assert (record.key_id, record.user_id) == (str(KEY_ID), str(USER_ID))
    assert (record.ip, record.cached) == ("127.0.0.1", True)


async def test_a_broken_stream_goes_on_with_what_changed_since(
    world: World,
    listener: Listener,
) -> None:
    key = listener.new_key()
    world.trade("BTC", "1")
    world.trade("ETH", "1")
    async with listener.events("BTC,ETH,XXX", key) as client:
        await client.next()
        world.trade("BTC", "2")
        await listener.hub.turn()
        last = await client.next()
    world.trade("ETH", "2")

    since = {"Last_Event_ID": last.event_id}
    async with listener.events("BTC,ETH,XXX", key, **since) as client:
        told = await client.next()
    async with listener.events("BTC,ETH,XXX", key, **since) as client:
        again = await client.next()
    async with listener.events("BTC,ETH", key, Last_Event_ID="of others") as client:
        all_of_it = await client.next()

    assert [item["asset"] for item in told.data["prices"]] == ["XXX", "ETH"]
    assert (told.name, told.data["resumed"]) == ("snapshot", True)
    assert again == told
    assert all_of_it.data["count"] == 2
    assert "resumed" not in all_of_it.data


async def test_the_client_is_told_when_to_come_back(listener: Listener) -> None:
    async with listener.events("BTC", listener.new_key()) as client:
        first = await client.reader.readuntil(b"event: snapshot\n")

    assert b"retry: 2000\n" in first


async def test_an_asset_that_goes_stale_and_comes_back(
    world: World,
    listener: Listener,
) -> None:
    world.trade("BTC", "65000.10")

    async with listener.events("BTC", listener.new_key()) as client:
        await client.next()
        world.clock.advance(31)
        await listener.hub.turn()
        stale = [await client.next(), await client.next()]
        world.trade("BTC", "65000.10")
        await listener.hub.turn()
        back = await client.next()

    assert [event.name for event in stale] == ["stale", ""]
    assert stale[0].data["error"]["code"] == "price_unavailable"
    assert stale[1].data == "heartbeat"
    assert back.data["price"] == "65000.10"


async def test_a_client_that_goes_is_forgotten(listener: Listener) -> None:
    async with listener.events("BTC", listener.new_key()) as client:
        await client.next()
        assert len(listener.hub) == 1

    await until(lambda: not len(listener.hub))


async def test_what_a_client_sends_after_its_request_is_ignored(
    world: World,
    listener: Listener,
) -> None:
    async with listener.events("BTC", listener.new_key()) as client:
        await client.next()
        client.writer.write(b"GET /price?asset=BTC HTTP/1.1\r\nHost: x\r\n\r\n")
        client.writer.write(b"\0" * 100_000)
        await client.writer.drain()
        world.trade("BTC", "2")
        await listener.hub.turn()
        told = await client.next()

    assert told.data["price"] == 2


async def test_a_client_that_is_gone_before_its_answer_leaves_nothing(
    world: World,
) -> None:
    keys = SlowKeys(world)
    ring = KeyRing(keys, world.clock)
    listener = Listener(world, replace(world.parts, keys=ring))
    await listener.start()
    _, writer = await asyncio.open_connection("127.0.0.1", listener.server.port)
    head = "GET /stream/prices?assets=BTC HTTP/1.1\r\nHost: x\r\nX-API-Key: "
    writer.write(f"{head}{listener.new_key()}\r\n\r\n".encode())
    await keys.asked.wait()

    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.01)
    keys.may_answer.set()
    await until(lambda: bool(world.records()))
    await listener.stop()

    assert len(listener.hub) == 0


async def test_a_revoked_key_hears_so_and_the_stream_ends(
    world: World,
    listener: Listener,
) -> None:
    key = listener.new_key()

    async with listener.events("BTC", key) as client:
        await client.next()
        (await world.parts.keys.slot(key)).revoked = True
        world.clock.advance(0.25)
        await listener.hub.turn()
        last = await client.next()
        ended = await client.ended()

    message = "This key has been revoked."
    assert last == Told("error", {"code": "revoked_key", "message": message})
    assert ended


async def test_a_listener_that_stops_does_not_wait_for_streams(
    world: World,
    listener: Listener,
) -> None:
    running = asyncio.create_task(listener.hub.run())

    async with listener.events("BTC", listener.new_key()) as client:
        await client.next()
        async with asyncio.timeout(2):
            await listener.server.stop(GRACE_S)
        told = await client.next()
        while told.data == "heartbeat":
            told = await client.next()
        ended = await client.ended()

    running.cancel()
    assert told == Told("", "this listener is about to stop")
    assert ended


async def test_clients_that_never_read_are_owed_little_and_then_cut_off(
    world: World,
    listener: Listener,
) -> None:
    world.parts.parameters.replace({"stream_connections_per_key": "300"})
    key = listener.new_key()
    assets = ("BTC", "ETH", "1INCH")
    for asset in assets:
        world.trade(asset, "1")

    async with AsyncExitStack() as stack:
        for _ in range(200):
            client = listener.events(",".join(assets), key)
            await stack.enter_async_context(client)
        wires = listener.wires()
        turns = 0
        while not all(wire.owed_bytes for wire in wires):
            turns += 1
            for asset in assets:
                world.trade(asset, f"{turns}.{'0' * 29}1")
            await listener.hub.turn()
        owed = [wire.owed_bytes for wire in wires]
        for _ in range(100):
            world.trade("BTC", "1")
            await listener.hub.turn()
        later = [wire.owed_bytes for wire in wires]
        world.clock.advance(60)
        await listener.hub.turn()

    assert len(owed) == 200
    assert max(later) <= max(owed) < 1_500
    assert len(listener.hub) == 0


@pytest.mark.parametrize(
    ("changes", "query", "status", "code"),
    [
        ({}, "assets=", 400, "invalid_request"),
        ({}, "", 400, "invalid_request"),
        ({}, "assets=" + ",".join(f"A{n}" for n in range(151)), 400, "too_many_assets"),
        ({}, "assets=" + "BTC," * 1_001, 400, "too_many_assets"),
        ({"tier": "pro", **LIMITED}, "assets=BTC", 403, "tier_not_allowed"),
        ({"revoked": True}, "assets=BTC", 403, "revoked_key"),
        ({"tier": "lifetime"}, "assets=BTC", 429, "rate_limited"),
        (
            {"tier": "lifetime", "query_limit": 0, **LIMITED},
            "assets=BTC",
            429,
            "quota_exceeded",
        ),
    ],
)
async def test_a_refusal_is_recorded_and_costs_nothing_of_the_month(
    world: World,
    listener: Listener,
    changes: dict[str, object],
    query: str,
    status: int,
    code: str,
) -> None:
    key = listener.new_key(**changes)

    async with httpx.AsyncClient(base_url=listener.url) as client:
        plain = await client.get(f"/stream/prices?{query}", headers=bearer(key))
        tbc = await client.get(
            f"/stream/prices?{query}&format=tbc",
            headers=bearer(key),
        )

    assert (plain.status_code, plain.json()["code"]) == (status, code)
    assert plain.headers["content-type"] == "application/problem+json"
    assert tbc.status_code == status
    assert (tbc.json()["error"]["code"], tbc.json()["endpoint"]) == (
        code,
        "/stream/prices",
    )
    records = world.records()
    assert [record.error for record in records] == [code, code]
    assert {record.query_type for record in records} == {"stream"}
    assert len(listener.hub) == 0


@pytest.mark.parametrize("query", ["assets=BTC&assets=ETH", "assets=BTC&key=x"])
async def test_its_query_is_read_strictly(listener: Listener, query: str) -> None:
    async with httpx.AsyncClient(base_url=listener.url) as client:
        answer = await client.get(
            f"/stream/prices?{query}",
            headers=bearer(listener.new_key()),
        )

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_who_is_not_known_is_refused_and_not_recorded(
    world: World,
    listener: Listener,
) -> None:
    async with httpx.AsyncClient(base_url=listener.url) as client:
        missing = await client.get("/stream/prices?assets=BTC")
        unknown = await client.get(
            "/stream/prices?assets=BTC",
            headers=bearer(new_secret(world.randomness)),
        )

    assert (missing.status_code, missing.json()["code"]) == (401, "missing_key")
    assert (unknown.status_code, unknown.json()["code"]) == (401, "unknown_key")
    assert world.records() == []


async def test_a_key_with_too_many_streams_is_told_so(listener: Listener) -> None:
    key = listener.new_key()

    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(listener.events("BTC", key))
        async with listener.events("BTC", key) as client:
            refused = await client.body()

    assert (client.status, refused["code"]) == (429, "rate_limited")
    assert client.headers["retry-after"] == "1"
    assert refused["retry_after_ms"] == 1_000
    assert refused["detail"] == (
        "This key may have 3 streams open at a time, and has; close one first."
    )


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_streams_are_only_got(listener: Listener, method: str) -> None:
    async with httpx.AsyncClient(base_url=listener.url) as client:
        answers = [
            await client.request(method, path)
            for path in ("/stream/prices", "/ws/prices")
        ]

    assert [(each.status_code, each.headers["allow"]) for each in answers] == [
        (405, "GET"),
        (405, "GET"),
    ]


async def test_a_server_that_is_none_of_ours_cannot_stream(
    world: World,
    listener: Listener,
) -> None:
    transport = httpx.ASGITransport(listener.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get(
            "/stream/prices?assets=BTC",
            headers=bearer(listener.new_key()),
        )

    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert world.records() == []


async def test_both_ways_are_described(listener: Listener) -> None:
    async with httpx.AsyncClient(base_url=listener.url) as client:
        document = (await client.get("/openapi.json")).json()
        page = (await client.get("/docs")).text

    stream = document["paths"]["/stream/prices"]["get"]
    socket = document["paths"]["/ws/prices"]["get"]
    refusals = ["400", "401", "403", "429", "500", "503"]
    assert list(document["paths"]["/stream/prices"]) == ["get"]
    assert sorted(stream["responses"]) == ["200", *refusals]
    assert list(stream["responses"]["200"]["content"]) == ["text/event-stream"]
    assert sorted(socket["responses"]) == ["101", *refusals]
    assert stream["security"] == socket["security"] == [{"bearer": []}, {"api_key": []}]
    assert "<code>GET /stream/prices</code>" in page
    assert "<h2>Streams</h2>" in page


async def test_a_stream_that_nobody_ends_is_cut_after_the_grace(
    listener: Listener,
) -> None:
    async with listener.events("BTC", listener.new_key()) as client:
        await client.next()
        async with asyncio.timeout(2):
            await listener.server.stop(0.2)

        assert await client.ended()
    await until(lambda: not len(listener.hub))
