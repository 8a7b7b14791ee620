"""OKX's API v5: answers argument by argument, and ``ping`` is plain text.

Source: recorded frames and https://www.okx.com/docs-v5/en/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from trinity_beast.adapters.market.dialects.conversation import Conversation
from trinity_beast.adapters.market.dialects.dialect import Closing, Dialect
from trinity_beast.adapters.market.dialects.wording import (
    Json,
    compact,
    objects_in,
    parse_object,
)
from trinity_beast.adapters.market.tape import Trade
from trinity_beast.kernel.time import NS_PER_MS

TRADES = "trades"
_BAD_REQUEST = "60012"
_BAD_CHANNEL = "60018"
_NOTICE = "64008"


class OkxDialect(Dialect):
    """Trades by ``instId``; hangs up on a client that is silent for 30 seconds."""

    silence_limit_s: ClassVar[float | None] = 30.0
    silent: ClassVar[Closing] = Closing(4004, "No data received in 30s.")

    def symbol_of(self, asset: str) -> str:
        """Return ``BTC-USDT``."""
        return f"{asset}-USDT"

    def hear(self, talk: Conversation, text: str, at_ns: int) -> Sequence[str]:
        """Answer ``ping`` and requests; a bad argument spoils no other."""
        del at_ns
        if text == "ping":
            return ("pong",)
        message = parse_object(text) or {}
        operation = message.get("op")
        args = objects_in(message.get("args"))
        if operation not in {"subscribe", "unsubscribe"} or not args:
            return (_error(_BAD_REQUEST, f"Invalid request: {text}", talk),)
        answers = [self._change(talk, str(operation), arg) for arg in args]
        if operation == "subscribe" and talk.subscribed:
            answers.append(_connection_count(talk))
        return answers

    def primer(
        self,
        channel: str,
        history: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[str]:
        """Return the last trade, even if it is a day old."""
        del channel, at_ns
        return (_frame(history[-1]),)

    def frames(
        self,
        trades: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[tuple[str, str]]:
        """Return one frame for each trade."""
        del at_ns
        return [(TRADES, _frame(trade)) for trade in trades]

    def notice(self, talk: Conversation) -> str | None:
        """Return the announcement of a service upgrade."""
        text = (
            "The connection will soon be closed for a service upgrade. "
            "Please reconnect."
        )
        return compact(
            {
                "event": "notice",
                "code": _NOTICE,
                "msg": text,
                "connId": talk.token[:8],
            },
        )

    def _change(self, talk: Conversation, operation: str, arg: Json) -> str:
        channel, symbol = arg.get("channel"), arg.get("instId")
        if channel != TRADES or not isinstance(symbol, str):
            return _no_such(channel, symbol, talk)
        if not self.listing.has(symbol):
            return _no_such(channel, symbol, talk)
        if operation == "subscribe":
            talk.join(TRADES, (symbol,))
        else:
            talk.leave(TRADES, (symbol,))
        return compact({"event": operation, "arg": arg, "connId": talk.token[:8]})


def _no_such(channel: object, symbol: object, talk: Conversation) -> str:
    text = (
        f"Wrong URL or channel:{channel},instId:{symbol} doesn't exist. Please use "
        "the correct URL, channel and parameters referring to API document."
    )
    return _error(_BAD_CHANNEL, text, talk)


def _error(code: str, text: str, talk: Conversation) -> str:
    return compact(
        {"event": "error", "code": code, "msg": text, "connId": talk.token[:8]},
    )


def _connection_count(talk: Conversation) -> str:
    return compact(
        {
            "event": "channel-conn-count",
            "channel": TRADES,
            "connCount": "1",
            "connId": talk.token[:8],
        },
    )


def _frame(trade: Trade) -> str:
    symbol = trade.symbol
    return (
        f'{{"arg":{{"channel":"trades","instId":"{symbol}"}},"data":['
        f'{{"instId":"{symbol}","tradeId":"{trade.trade_id}","px":"{trade.price}",'
        f'"sz":"{trade.quantity}","side":"{trade.side}",'
        f'"ts":"{trade.traded_at_ns // NS_PER_MS}","count":"1","source":"0",'
        f'"seqId":{trade.trade_id}}}]}}'
    )
