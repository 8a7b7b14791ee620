"""Kraken's API v2: answers symbol by symbol, prices as JSON numbers.

A price keeps its zeros at the end (``2688.30``), so frames are written by hand: a
number that went through a float would lose them.

Source: recorded frames and https://docs.kraken.com/api/docs/websocket-v2/trade.
"""

from __future__ import annotations

from collections.abc import Sequence

from trinity_beast.adapters.market.dialects.conversation import Conversation
from trinity_beast.adapters.market.dialects.dialect import Dialect, LastTrade
from trinity_beast.adapters.market.dialects.wording import (
    Json,
    compact,
    object_in,
    parse_object,
    rfc3339_us,
    texts_in,
)
from trinity_beast.adapters.market.tape import Trade
from trinity_beast.kernel.time import NS_PER_US

TRADE = "trade"
_THINKING_NS = 41 * NS_PER_US
_HEARTBEAT = '{"channel":"heartbeat"}'


class KrakenDialect(Dialect):
    """Trades by symbol, with a snapshot of the last fifty."""

    def symbol_of(self, asset: str) -> str:
        """Return ``BTC/USD``."""
        return f"{asset}/USD"

    def hello(self, talk: Conversation, at_ns: int) -> Sequence[str]:
        """Return the system's status; connection ids need 64 bits without a sign."""
        del at_ns
        status: Json = {
            "version": "2.0.10",
            "system": "online",
            "api_version": "v2",
            "connection_id": int(talk.token[:16], 16) | 1 << 63,
            "upcoming_maintenance": [],
            "emergency": [],
        }
        return (compact({"channel": "status", "type": "update", "data": [status]}),)

    def hear(self, talk: Conversation, text: str, at_ns: int) -> Sequence[str]:
        """Answer a method call; subscriptions are answered one by one."""
        message = parse_object(text)
        if message is None:
            return (_answer({"error": "Malformed request", "success": False}, at_ns),)
        echo = {"req_id": message["req_id"]} if "req_id" in message else {}
        method = message.get("method")
        if method == "ping":
            return (_answer({"method": "pong", **echo}, at_ns),)
        if method not in {"subscribe", "unsubscribe"}:
            error = {"error": "Method not found", "method": method, "success": False}
            return (_answer({**error, **echo}, at_ns),)
        params = object_in(message.get("params"))
        symbols = texts_in(params.get("symbol")) or []
        if params.get("channel") != TRADE or not symbols:
            error = {"error": "Channel not supported", "method": method}
            return (_answer({**error, "success": False, **echo}, at_ns),)
        return [
            _answer({**self._change(talk, str(method), symbol, params), **echo}, at_ns)
            for symbol in symbols
        ]

    def primer(
        self,
        channel: str,
        history: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[str]:
        """Return the last fifty trades in one frame, oldest first."""
        del channel, at_ns
        return (_frame("snapshot", history),)

    def frames(
        self,
        trades: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[tuple[str, str]]:
        """Return all trades of an order in one update, oldest first."""
        del at_ns
        return ((TRADE, _frame("update", trades)),)

    def heartbeats(
        self,
        talk: Conversation,
        last: LastTrade,
        at_ns: int,
    ) -> Sequence[str]:
        """Return a heartbeat if anything is subscribed."""
        del last, at_ns
        return (_HEARTBEAT,) if talk.subscribed else ()

    def _change(
        self,
        talk: Conversation,
        method: str,
        symbol: str,
        params: Json,
    ) -> Json:
        if not self.listing.has(symbol):
            error = f"Currency pair not supported {symbol}"
            return {
                "error": error,
                "method": method,
                "success": False,
                "symbol": symbol,
            }
        if method == "unsubscribe":
            talk.leave(TRADE, (symbol,))
            result: Json = {"channel": TRADE, "symbol": symbol}
        else:
            snapshot = params.get("snapshot", True) is True
            talk.join(TRADE, (symbol,), primed=snapshot)
            result = {"channel": TRADE, "snapshot": snapshot, "symbol": symbol}
        return {"method": method, "result": result, "success": True}


def _answer(body: Json, at_ns: int) -> str:
    times = {"time_in": rfc3339_us(at_ns), "time_out": rfc3339_us(at_ns + _THINKING_NS)}
    return compact({**body, **times})


def _frame(kind: str, trades: Sequence[Trade]) -> str:
    data = ",".join(
        f'{{"symbol":"{trade.symbol}","side":"{trade.side}","price":{trade.price},'
        f'"qty":{trade.quantity},"ord_type":"limit","trade_id":{trade.trade_id},'
        f'"timestamp":"{rfc3339_us(trade.traded_at_ns)}"}}'
        for trade in trades
    )
    return f'{{"channel":"trade","type":"{kind}","data":[{data}]}}'
