"""Adding an exchange is an INSERT: the engine speaks dialects that it never heard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from websockets.asyncio.server import ServerConnection, serve

from support.dialects import Dialect, Told, draw_dialect, draw_trades
from support.feeds import RecordingBoard
from trinity_beast.adapters.exchange_sockets import WebSocketExchanges
from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.features.catalogue import AssetRow, CatalogueSnapshot
from trinity_beast.features.feeds import (
    FeedEngine,
    FrameDecoder,
    check_feed_row,
    symbol_of,
)
from trinity_beast.kernel.time import NS_PER_S

ASSETS = ["BTC", "ETH", "1INCH"]
NOW_NS = 1_790_000_000 * NS_PER_S


@settings(max_examples=300)
@given(st.integers(0, 2**32))
def test_a_row_alone_makes_the_trades_of_an_unknown_dialect(seed: int) -> None:
    random = Random(seed)
    dialect = draw_dialect(random)
    symbols = {symbol_of(dialect.row.symbol_template, name): name for name in ASSETS}
    trades = draw_trades(random, dialect, list(symbols))
    check_feed_row(dialect.row)
    decoder = FrameDecoder(dialect.row, symbols)

    found = decoder.decode(dialect.frame(trades), NOW_NS)

    assert [trade[:6] for trade in found.trades] == [
        (trade.symbol, symbols[trade.symbol], trade.price, trade.traded_at_ns, "own", k)
        for k, trade in enumerate(trades)
    ]
    assert found.rejected == []
    assert decoder.decode(dialect.frame(trades, marked=False), NOW_NS).trades == ()


class UnknownExchange:
    """A local server that speaks a dialect."""

    def __init__(self, dialect: Dialect, frames: list[str]) -> None:
        self._dialect = dialect
        self._frames = frames
        self.asked: list[str] = []
        self.connections = 0

    async def talk(self, connection: ServerConnection) -> None:
        self.connections += 1
        async for message in connection:
            if message == self._dialect.row.ping_message:
                await connection.send("I am")
                continue
            request: dict[str, Any] = json.loads(message)
            self.asked = request["what"]
            await connection.send(json.dumps({"taken": request["what"]}))
            for frame in self._frames:
                await connection.send(frame)
            if self.connections == 1:
                await connection.close(1001, "going away")


@asynccontextmanager
async def listening(exchange: UnknownExchange) -> AsyncGenerator[str]:
    async with serve(exchange.talk, "127.0.0.1", 0) as server:
        port: int = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


@pytest.mark.parametrize("seed", range(4))
async def test_an_inserted_exchange_is_heard_over_a_real_socket(seed: int) -> None:
    random = Random(seed)
    dialect = draw_dialect(random)
    template = dialect.row.symbol_template
    symbols = {asset: symbol_of(template, asset) for asset in ASSETS}
    told: list[list[Told]] = [
        [Told(symbol, f"{number}.50", 1_789_000_000_000_000_000)]
        for number, symbol in enumerate(symbols.values(), 1)
    ]
    exchange = UnknownExchange(dialect, [dialect.frame(trades) for trades in told])
    board = RecordingBoard()
    engine = FeedEngine(
        WebSocketExchanges(),
        board,
        SystemClock(),
        SystemRandomness(),
        lambda: 30.0,
    )

    async with listening(exchange) as url:
        row = draw_dialect(Random(seed), url).row
        mapping = tuple(
            AssetRow(
                id=number,
                exchange_name=row.exchange_name,
                asset=asset,
                exchange_symbol=symbol,
            )
            for number, (asset, symbol) in enumerate(symbols.items())
        )
        running = asyncio.create_task(engine.run())
        engine.follow(CatalogueSnapshot((row,), mapping))
        await board.until(lambda: exchange.connections == 2 and len(board.ticks) == 6)
        await engine.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert sorted(exchange.asked) == sorted(symbols.values())
    assert board.prices == {"BTC": "1.50", "ETH": "2.50", "1INCH": "3.50"}
    status = board.reports[-1]["exchanges"]["dialect"]
    assert {name: status[name] for name in ("acked", "seen", "reconnects")} == {
        "acked": 3,
        "seen": 3,
        "reconnects": 1,
    }
