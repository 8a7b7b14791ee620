"""Everything together in one process: frames in, a recorded price out."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from websockets.asyncio.server import ServerConnection, serve

from support.waiting import eventually
from trinity_beast.adapters.system import SystemClock
from trinity_beast.apps.node import prices_are_there
from trinity_beast.features.board import BoardInUse
from trinity_beast.toolkit.http.server import PortInUse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from support.nodes import OpenNode
    from trinity_beast.features.keys import KeyService
    from trinity_beast.toolkit.work import UnitOfWork


async def rows(work: UnitOfWork, statement: str) -> list[dict[str, Any]]:
    async with work.begin() as connection:
        found = await connection.execute(text(statement))
        return [dict(row) for row in found.mappings()]


async def execute(work: UnitOfWork, statement: str) -> None:
    async with work.begin() as connection:
        await connection.execute(text(statement))


async def price(http: httpx.AsyncClient, secret: str, asset: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {secret}"}
    params = {"asset": asset, "format": "plain"}
    return await http.get("/price", params=params, headers=headers)


async def test_a_key_holder_gets_a_price_that_is_recorded_within_a_second(
    node: OpenNode,
    keys: KeyService,
    http: httpx.AsyncClient,
    seeded_work: UnitOfWork,
) -> None:
    issued = await keys.create("dev@example.org", "unlimited")

    async with node() as opened:
        await prices_are_there(opened)
        answer = await price(http, issued.secret, "BTC")
        asked = time.monotonic()
        recorded = await eventually(
            lambda: rows(seeded_work, "SELECT * FROM usage_logs"),
        )
        waited_s = time.monotonic() - asked

    assert answer.status_code == 200
    assert answer.json()["source"] == "coinbase-ws"
    assert [(row["asset"], row["status"]) for row in recorded] == [("BTC", "success")]
    assert recorded[0]["price"] == float(answer.json()["price"])
    assert recorded[0]["api_key_id"] == str(issued.key.id)
    assert waited_s < 1
    counted = await rows(seeded_work, "SELECT current_usage FROM api_keys")
    assert counted == [{"current_usage": 1}]


async def test_a_key_that_psql_revokes_is_refused_within_a_second(
    node: OpenNode,
    keys: KeyService,
    http: httpx.AsyncClient,
    seeded_work: UnitOfWork,
) -> None:
    issued = await keys.create("dev@example.org", "unlimited")

    async with node() as opened:
        await prices_are_there(opened)
        before = await price(http, issued.secret, "BTC")
        await execute(seeded_work, "UPDATE api_keys SET revoked = true")

        async def refused() -> bool:
            answer = await price(http, issued.secret, "BTC")
            return answer.status_code == 403

        await eventually(refused, patience_s=1)

    assert before.status_code == 200


async def test_nothing_is_lost_when_the_node_ends(
    node: OpenNode,
    keys: KeyService,
    http: httpx.AsyncClient,
    seeded_work: UnitOfWork,
) -> None:
    issued = await keys.create("dev@example.org", "unlimited")

    async with node() as opened:
        await prices_are_there(opened)
        answers = [await price(http, issued.secret, "ETH") for _ in range(50)]

    recorded = await rows(seeded_work, "SELECT id FROM usage_logs")
    assert [answer.status_code for answer in answers] == [200] * 50
    assert len(recorded) == 50


NOW_NS = SystemClock().now_ns()


class Mine:
    """An exchange that nobody has heard of."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def serve(self, connection: ServerConnection) -> None:
        self.asked.append(str(await connection.recv()))
        trade = {"ch": "t", "d": {"s": "FOO:EUR", "v": "12.3400", "at": NOW_NS}}
        await connection.send(json.dumps(trade))
        await connection.wait_closed()


@pytest.fixture
async def mine() -> AsyncIterator[tuple[Mine, str]]:
    exchange = Mine()
    async with serve(exchange.serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield exchange, f"ws://127.0.0.1:{port}"


async def test_adding_an_exchange_is_an_insert(
    node: OpenNode,
    keys: KeyService,
    http: httpx.AsyncClient,
    seeded_work: UnitOfWork,
    mine: tuple[Mine, str],
) -> None:
    issued = await keys.create("dev@example.org", "unlimited")
    exchange, url = mine

    async with node() as opened:
        await prices_are_there(opened)
        await execute(
            seeded_work,
            f"""
            INSERT INTO exchange_feeds (exchange_name, display_name, ws_endpoint,
              symbol_template, source_tag, subscribe_template, trade_channel_match,
              price_path, symbol_path, timestamp_path, timestamp_format)
            VALUES ('mine', 'Mine', '{url}', '{{ASSET}}', 'mine-ws',
              '{{"want":{{SYMBOLS}}}}', 'ch=t', 'd.v', 'd.s', 'd.at', 'unix_ns');
            """,  # noqa: S608 - a port of our own
        )
        await execute(
            seeded_work,
            "INSERT INTO exchange_asset_map (exchange_name, asset, exchange_symbol) "
            "VALUES ('mine', 'FOO', 'FOO:EUR')",
        )

        async def served() -> httpx.Response | None:
            answer = await price(http, issued.secret, "FOO")
            return answer if answer.status_code == 200 else None

        answer = await eventually(served)

    assert exchange.asked == ['{"want":["FOO:EUR"]}']
    assert '"price":12.3400,' in answer.text
    assert answer.json()["source"] == "mine-ws"


async def test_a_row_that_cannot_work_is_named_and_the_others_go_on(
    node: OpenNode,
    http: httpx.AsyncClient,
    seeded_work: UnitOfWork,
) -> None:
    async with node() as opened:
        await prices_are_there(opened)
        await execute(
            seeded_work,
            "UPDATE exchange_feeds SET trade_channel_match = '===' "
            "WHERE exchange_name = 'kraken'",
        )

        async def broken() -> dict[str, Any] | None:
            status = (await http.get("/status")).json()
            feeds: dict[str, Any] = status["feeds"]["exchanges"]
            return feeds if feeds["kraken"]["state"] == "broken" else None

        feeds = await eventually(broken)

    assert "trade_channel_match" in feeds["kraken"]["last_error"]
    assert feeds["coinbase"]["state"] == "live"


async def test_a_home_has_one_listener_to_the_exchanges(node: OpenNode) -> None:
    async with node("feeds"):
        with pytest.raises(BoardInUse):
            async with node("feeds"):
                pass


async def test_a_port_that_is_taken_is_named_with_its_variable(node: OpenNode) -> None:
    async with node("feeds", "lpo"):
        with pytest.raises(PortInUse) as caught:
            async with node("lpo"):
                pass

    assert "LPO_PORT" in caught.value.message


async def test_a_price_server_waits_for_the_board(
    node: OpenNode,
    http: httpx.AsyncClient,
) -> None:
    async def serve_prices() -> int:
        async with node("lpo"):
            return (await http.get("/health/live")).status_code

    waiting = asyncio.create_task(serve_prices())
    async with node("feeds"):
        assert await waiting == 200
