"""Streams of a whole node: real keys, a moving market, real records."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from websockets.asyncio.client import connect

from support.waiting import eventually
from trinity_beast.apps.node import prices_are_there

if TYPE_CHECKING:
    import httpx

    from support.nodes import OpenNode
    from trinity_beast.apps.settings import Settings
    from trinity_beast.features.keys import KeyService
    from trinity_beast.toolkit.work import UnitOfWork


async def test_a_key_that_psql_revokes_loses_its_streams_within_a_second(
    node: OpenNode,
    settings: Settings,
    keys: KeyService,
    http: httpx.AsyncClient,
    seeded_work: UnitOfWork,
) -> None:
    issued = await keys.create("dev@example.org", "unlimited")
    headers = {"Authorization": f"Bearer {issued.secret}"}
    url = f"ws://127.0.0.1:{settings.listen.lpo_port}/ws/prices"
    events: list[str] = []

    async def follow() -> None:
        path = "/stream/prices?assets=BTC,ETH"
        async with http.stream("GET", path, headers=headers) as answer:
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                events.extend([value] if name == "event" else [])

    async with (
        node() as opened,
        connect(url, additional_headers=headers) as socket,
    ):
        await prices_are_there(opened)
        await socket.send('{"op":"subscribe","assets":["BTC"]}')
        told: list[dict[str, Any]] = [json.loads(await socket.recv()) for _ in range(3)]
        following = asyncio.create_task(follow())
        await eventually(lambda: _those_after(events, 3))
        async with seeded_work.begin() as connection:
            await connection.execute(text("UPDATE api_keys SET revoked = true"))
        revoked = time.monotonic()
        await asyncio.gather(following, socket.wait_closed())
        waited_s = time.monotonic() - revoked

    async with seeded_work.begin() as connection:
        statement = text("SELECT query_type, asset, status FROM usage_logs")
        rows = [tuple(row) for row in await connection.execute(statement)]
    assert [each["event"] for each in told] == ["snapshot", "price", "price"]
    assert events[:3] == ["snapshot", "price", "price"]
    assert events[-1] == "error"
    assert (socket.close_code, socket.close_reason) == (1008, "revoked_key")
    assert waited_s < 1
    assert sorted(rows) == [
        ("stream", "BTC", "success"),
        ("stream", "BTC,ETH", "success"),
    ]


async def test_a_node_ends_at_once_although_streams_are_open(
    node: OpenNode,
    keys: KeyService,
    http: httpx.AsyncClient,
) -> None:
    issued = await keys.create("dev@example.org", "unlimited")
    headers = {"Authorization": f"Bearer {issued.secret}"}
    lines: list[str] = []
    is_open = asyncio.Event()

    async def follow() -> None:
        path = "/stream/prices?assets=BTC"
        async with http.stream("GET", path, headers=headers) as answer:
            async for line in answer.aiter_lines():
                lines.append(line)
                is_open.set()

    async with node() as opened:
        await prices_are_there(opened)
        following = asyncio.create_task(follow())
        await is_open.wait()
        started = time.monotonic()
    took_s = time.monotonic() - started
    await following

    assert lines[-2:] == [": this listener is about to stop", ""]
    assert took_s < 5


async def _those_after(events: list[str], count: int) -> list[str]:
    return events[count - 1 :]
