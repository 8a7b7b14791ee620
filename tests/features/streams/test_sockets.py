"""Prices over a WebSocket, over real sockets."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.lpo import bearer
from support.streams import (
    GRACE_S,
    TOO_LONG_S,
    Listener,
    SlowKeys,
    hear,
    say,
    until,
)
from trinity_beast.features.keys import ApiKey, KeyRing, new_secret
from trinity_beast.features.limits import Limiter, LocalGrants, Refusal
from trinity_beast.features.streams.errors import OperationUnreadable
from trinity_beast.features.streams.operations import operation_in
from trinity_beast.kernel.errors import Invalid

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from support.lpo import World


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(TOO_LONG_S):
        await socket.wait_closed()
    return socket.close_code, socket.close_reason


async def _opened(listener: Listener) -> ClientConnection:
    return await listener.socket(listener.new_key())


async def refusal(
    listener: Listener,
    key: str,
    query: str = "",
    **headers: str,
) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and body of a handshake that is refused."""
    connecting = listener.socket(key, query, **headers)
    with pytest.raises(InvalidStatus) as refused:
        await connecting
    response = refused.value.response
    told = {name.lower(): value for name, value in response.headers.raw_items()}
    return response.status_code, told, json.loads(response.body or b"")


async def test_a_subscription_is_answered_with_a_snapshot_and_then_told(
    world: World,
    listener: Listener,
) -> None:
    world.trade("BTC", "65000.10")

    async with listener.socket(listener.new_key()) as socket:
        assert socket.response is not None
        assert len(socket.response.headers["x-request-id"]) == 36
        await say(socket, op="subscribe", assets=["btc", "XXX"])
        snapshot = await hear(socket)
        world.trade("BTC", "65001.10")
        await listener.hub.turn()
        price = await hear(socket)

    assert (snapshot["event"], snapshot["data"]["count"]) == ("snapshot", 2)
    assert snapshot["data"]["prices"][0]["price"] == "65000.10"
    assert snapshot["data"]["prices"][1]["error"]["code"] == "unknown_asset"
    assert price == {
        "event": "price",
        "id": price["id"],
        "data": {**snapshot["data"]["prices"][0], "price": "65001.10"},
    }


async def test_the_same_client_changes_its_mind(
    world: World,
    listener: Listener,
) -> None:
    world.trade("BTC", "1")
    world.trade("ETH", "1")

    async with listener.socket(listener.new_key()) as socket:
        await say(socket, op="subscribe", assets="BTC")
        await say(socket, op="subscribe", assets=["ETH"])
        await say(socket, op="unsubscribe", assets=["BTC"])
        told = [await hear(socket) for _ in range(3)]
        world.trade("BTC", "2")
        world.trade("ETH", "3")
        await listener.hub.turn()
        price = await hear(socket)
        await say(socket, op="ping")
        pong = await hear(socket)

    assert [each["event"] for each in told] == ["snapshot", "snapshot", "unsubscribed"]
    assert told[2]["data"] == {"assets": ["ETH"]}
    assert (price["data"]["asset"], price["data"]["price"]) == ("ETH", 3)
    assert pong == {"event": "pong", "data": {}}


async def test_a_subscription_goes_on_from_the_last_event(
    world: World,
    listener: Listener,
) -> None:
    world.trade("BTC", "1")
    world.trade("ETH", "1")
    async with listener.socket(listener.new_key()) as socket:
        await say(socket, op="subscribe", assets=["BTC", "ETH"])
        last = await hear(socket)
    world.trade("ETH", "2")

    async with listener.socket(listener.new_key()) as socket:
        await say(
            socket,
            op="subscribe",
            assets=["BTC", "ETH"],
            last_event_id=last["id"],
        )
        told = await hear(socket)

    assert told["data"]["resumed"]
    assert [each["asset"] for each in told["data"]["prices"]] == ["ETH"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "subscribe",
        "[]",
        '{"op":"sing"}',
        '{"assets":["BTC"]}',
        '{"op":"subscribe","assets":[1]}',
        '{"op":"ping","secret":"x"}',
        '{"op":"subscribe","assets":[]}',
        '{"op":"subscribe"}',
        '{"op":"unsubscribe","assets":" , "}',
    ],
)
async def test_what_is_no_operation_is_told_so_and_changes_nothing(
    listener: Listener,
    text: str,
) -> None:
    async with listener.socket(listener.new_key()) as socket:
        await socket.send(text)
        told = await hear(socket)
        await say(socket, op="ping")
        pong = await hear(socket)

    assert (told["event"], told["data"]["code"]) == ("error", "invalid_request")
    assert pong["event"] == "pong"


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_text_is_too_odd_for_an_operation(text: str) -> None:
    with pytest.raises(OperationUnreadable) as refused:
        operation_in(text)

    assert isinstance(refused.value, Invalid)


async def test_each_subscription_is_one_request(
    world: World,
    listener: Listener,
) -> None:
    key = listener.new_key(tier="lifetime", rate_limit_qps=1, burst_limit=2)

    async with listener.socket(key) as socket:
        for asset in ("BTC", "ETH", "DOGE"):
            await say(socket, op="subscribe", assets=[asset])
        told = [await hear(socket) for _ in range(3)]

    assert [each["event"] for each in told] == ["snapshot", "snapshot", "error"]
    assert told[2]["data"] == {
        "code": "rate_limited",
        "message": "Too many requests; ask again in 1000 ms.",
        "retry_after_ms": 1_000,
    }
    records = world.records()
    assert [(each.status, each.asset, each.token_count) for each in records] == [
        ("success", "BTC", 1),
        ("success", "ETH", 1),
        ("rate_limited", "DOGE", 0),
    ]
    assert {each.query_type for each in records} == {"stream"}
    assert (await world.parts.keys.slot(key)).key.current_usage == 0


async def test_a_subscription_that_comes_too_late_follows_nothing(
    world: World,
) -> None:
    """The stream ends while its subscription waits for the limits."""
    held, may_go_on = asyncio.Event(), asyncio.Event()

    class Waiting(LocalGrants):
        async def refill(self, key: ApiKey, refusal: Refusal, until_ns: int) -> bool:
            held.set()
            await may_go_on.wait()
            world.clock.advance(1)
            return not await super().refill(key, refusal, until_ns)

    limiter = Limiter(world.clock, Waiting())
    listener = Listener(world, replace(world.parts, limiter=limiter))
    await listener.start()
    key = listener.new_key(tier="lifetime", rate_limit_qps=1, burst_limit=1)
    async with listener.socket(key) as socket:
        for _ in range(2):
            await say(socket, op="subscribe", assets=["BTC"])
        await held.wait()
        [client] = listener.hub.clients
        listener.hub.leave(client)
        may_go_on.set()
        told = [await hear(socket) for _ in range(2)]
    await listener.stop()

    assert [each["event"] for each in told] == ["snapshot", "error"]
    assert told[1]["data"]["code"] == "overloaded"
    assert len(listener.hub) == 0


async def test_a_connection_follows_only_so_many_assets(listener: Listener) -> None:
    several = [f"A{number}" for number in range(151)]

    async with listener.socket(listener.new_key()) as socket:
        await say(socket, op="subscribe", assets=several)
        told = await hear(socket)

    assert told["data"]["code"] == "too_many_assets"


async def test_a_subscription_that_would_be_too_many_together_is_refused(
    listener: Listener,
) -> None:
    async with listener.socket(listener.new_key()) as socket:
        await say(socket, op="subscribe", assets=["BTC"])
        await hear(socket)
        await say(socket, op="subscribe", assets=[f"A{n}" for n in range(150)])
        told = await hear(socket)

    assert told["data"]["code"] == "too_many_assets"


async def test_bytes_are_not_understood(listener: Listener) -> None:
    async with listener.socket(listener.new_key()) as socket:
        await socket.send(b"{}")
        await until(lambda: not len(listener.hub))

        assert await closed(socket) == (1003, "invalid_request")


async def test_a_huge_message_ends_the_connection(listener: Listener) -> None:
    async with listener.socket(listener.new_key()) as socket:
        await socket.send(" " * 20_000)

        assert (await closed(socket))[0] == 1009
    await until(lambda: not len(listener.hub))


async def test_a_flood_of_operations_ends_the_connection(listener: Listener) -> None:
    async with listener.socket(listener.new_key()) as socket:
        for _ in range(60):
            await say(socket, op="ping")
        told = [await hear(socket) for _ in range(51)]
        code = await closed(socket)

    assert [each["event"] for each in told] == ["pong"] * 50 + ["error"]
    assert told[50]["data"]["retry_after_ms"] == 100
    assert code == (1008, "rate_limited")


async def test_a_revoked_key_hears_so_and_the_connection_ends(
    world: World,
    listener: Listener,
) -> None:
    key = listener.new_key()

    async with listener.socket(key) as socket:
        await until(lambda: bool(listener.hub.clients))
        (await world.parts.keys.slot(key)).revoked = True
        await listener.hub.turn()
        told = await hear(socket)
        code = await closed(socket)

    assert told["data"]["code"] == "revoked_key"
    assert code == (1008, "revoked_key")


async def test_a_client_that_goes_is_forgotten(listener: Listener) -> None:
    async with listener.socket(listener.new_key()) as socket:
        await say(socket, op="subscribe", assets=["BTC"])
        await hear(socket)
        socket.transport.abort()

        await until(lambda: not len(listener.hub))


async def test_a_client_that_is_gone_before_it_is_let_in_leaves_nothing(
    world: World,
) -> None:
    keys = SlowKeys(world)
    ring = KeyRing(keys, world.clock)
    listener = Listener(world, replace(world.parts, keys=ring))
    await listener.start()
    connecting = asyncio.ensure_future(_opened(listener))
    await keys.asked.wait()

    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await asyncio.sleep(0.01)
    keys.may_answer.set()
    await asyncio.sleep(0.01)
    await listener.stop()

    assert len(listener.hub) == 0
    assert world.records() == []


async def test_a_listener_that_stops_says_so_at_once(listener: Listener) -> None:
    async with listener.socket(listener.new_key()) as socket:
        await say(socket, op="subscribe", assets=["BTC"])
        await hear(socket)
        async with asyncio.timeout(2):
            await listener.server.stop(GRACE_S)

        assert await closed(socket) == (1001, "")
    assert len(listener.hub) == 0


async def test_a_listener_that_stops_does_not_wait_for_a_client_that_does_not_read(
    listener: Listener,
) -> None:
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(listener.socket(listener.new_key()))
        socket.transport.pause_reading()
        async with asyncio.timeout(3):
            await listener.server.stop(GRACE_S)
        socket.transport.abort()

    assert len(listener.hub) == 0


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"tier": "pro"}, 403, "tier_not_allowed"),
        ({"revoked": True}, 403, "revoked_key"),
    ],
)
async def test_a_key_that_may_not_is_refused_before_the_socket_opens(
    world: World,
    listener: Listener,
    changes: dict[str, object],
    status: int,
    code: str,
) -> None:
    key = listener.new_key(**changes)
    tbc = listener.new_key(**changes, response_format="tbc")

    refused = await refusal(listener, key)
    enveloped = await refusal(listener, tbc)

    assert (refused[0], refused[2]["code"]) == (status, code)
    assert refused[1]["content-type"] == "application/problem+json"
    assert refused[1]["x-request-id"] == refused[2]["instance"]
    assert refused[1]["cache-control"] == "no-store"
    assert enveloped[2]["error"]["code"] == code
    records = world.records()
    assert [(each.error, each.asset, each.token_count) for each in records] == [
        (code, None, 0),
    ] * 2


async def test_who_is_not_known_is_refused_and_not_recorded(
    world: World,
    listener: Listener,
) -> None:
    missing = await refusal(listener, "")
    unknown = await refusal(listener, new_secret(world.randomness))

    assert (missing[0], missing[2]["code"]) == (401, "missing_key")
    assert (unknown[0], unknown[2]["code"]) == (401, "unknown_key")
    assert unknown[1]["www-authenticate"] == 'Bearer realm="trinity-beast"'
    assert world.records() == []


@pytest.mark.parametrize("query", ["?key=abc", "?a=%FF", "?a=1&a=2"])
async def test_its_query_is_read_strictly(
    world: World,
    listener: Listener,
    query: str,
) -> None:
    refused = await refusal(listener, listener.new_key(), query)

    assert (refused[0], refused[2]["code"]) == (400, "invalid_request")
    assert [each.error for each in world.records()] == ["invalid_request"]


async def test_a_key_in_the_url_opens_nothing(world: World, listener: Listener) -> None:
    refused = await refusal(listener, "", f"?api_key={listener.new_key()}")
    two = await refusal(listener, listener.new_key(), X_API_Key="another")

    assert (refused[0], refused[2]["code"]) == (400, "invalid_request")
    assert (two[0], two[2]["code"]) == (400, "invalid_request")
    assert world.records() == []


async def test_a_key_has_only_so_many_streams_of_both_kinds(listener: Listener) -> None:
    key = listener.new_key()

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listener.events("BTC", key))
        for _ in range(2):
            await stack.enter_async_context(listener.socket(key))
        refused = await refusal(listener, key)

    assert (refused[0], refused[2]["code"]) == (429, "rate_limited")
    assert refused[1]["retry-after"] == "1"


async def test_a_plain_request_is_told_what_the_path_is_for(listener: Listener) -> None:
    async with httpx.AsyncClient(base_url=listener.url) as client:
        answer = await client.get("/ws/prices", headers=bearer(listener.new_key()))

    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "This path takes WebSocket connections only.",
    )


async def test_other_paths_take_no_sockets(listener: Listener) -> None:
    with pytest.raises(InvalidStatus):
        await listener.socket(listener.new_key(), path="/price")


async def test_a_connection_is_not_timed_out_like_a_request(
    world: World,
    listener: Listener,
) -> None:
    """The listener of these tests gives a request a fifth of a second."""
    async with listener.socket(listener.new_key()) as socket:
        await asyncio.sleep(0.3)
        await say(socket, op="ping")

        assert (await hear(socket))["event"] == "pong"


async def test_nothing_is_heard_after_the_end(listener: Listener) -> None:
    async with listener.socket(listener.new_key()) as socket:
        await until(lambda: bool(listener.hub.clients))
        [client] = listener.hub.clients
        listener.hub.leave(client)
        await say(socket, op="subscribe", assets=["BTC"])
        with pytest.raises((ConnectionClosed, TimeoutError)):
            async with asyncio.timeout(0.05):
                await socket.recv()
