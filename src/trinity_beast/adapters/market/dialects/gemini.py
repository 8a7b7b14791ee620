"""Gemini's fast API: short names, nanoseconds, and no word of what a frame is.

Source: recorded frames and the AsyncAPI file of gemini/developer-platform.
"""

from __future__ import annotations

from collections.abc import Sequence

from trinity_beast.adapters.market.dialects.conversation import Conversation
from trinity_beast.adapters.market.dialects.dialect import Dialect
from trinity_beast.adapters.market.dialects.wording import (
    compact,
    parse_object,
    texts_in,
)
from trinity_beast.adapters.market.tape import Trade
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_US

TRADE = "trade"
_TRADE_STREAM = "@trade"
_BAD_REQUEST = -1100
_BAD_STREAM = -1002
_BOOK_EVERY = 2


class GeminiDialect(Dialect):
    """Trades of ``btcusd@trade``, with the best bid and offer now and then."""

    def symbol_of(self, asset: str) -> str:
        """Return ``btcusd``."""
        return f"{asset.lower()}usd"

    def hear(self, talk: Conversation, text: str, at_ns: int) -> Sequence[str]:
        """Answer a method call by its id; one bad stream fails the whole call."""
        message = parse_object(text)
        if message is None:
            return (_error(None, _BAD_REQUEST, "Invalid JSON"),)
        call_id, method = message.get("id"), message.get("method")
        match method:
            case "subscribe" | "unsubscribe":
                answer = self._change(talk, call_id, str(method), message.get("params"))
            case "ping":
                answer = _done(call_id)
            case "time":
                answer = _done(call_id, {"serverTime": at_ns // NS_PER_MS})
            case "list_subscriptions":
                streams = [f"{symbol}@trade" for symbol in talk.symbols(TRADE)]
                answer = _done(call_id, streams)
            case _:
                answer = _error(call_id, _BAD_REQUEST, f"Unknown method: {method}")
        return (answer,)

    def frames(
        self,
        trades: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[tuple[str, str]]:
        """Return each trade, and a book ticker after every other order."""
        frames = [(TRADE, _trade(trade)) for trade in trades]
        if trades[-1].trade_id % _BOOK_EVERY == 0:
            frames.append((TRADE, _book_ticker(trades[-1], at_ns)))
        return frames

    def _change(
        self,
        talk: Conversation,
        call_id: object,
        method: str,
        params: object,
    ) -> str:
        streams = texts_in(params)
        if not streams:
            return _error(call_id, _BAD_REQUEST, "params must be a list of streams")
        symbols = [stream.removesuffix(_TRADE_STREAM) for stream in streams]
        strange = [s for s in streams if not s.endswith(_TRADE_STREAM)]
        unknown = strange or self.listing.unknown_of(symbols)
        if unknown:
            return _error(call_id, _BAD_STREAM, f"Invalid symbol: {unknown[0]}")
        if method == "subscribe":
            talk.join(TRADE, symbols, primed=False)
        else:
            talk.leave(TRADE, symbols)
        return _done(call_id)


def _done(call_id: object, result: object = None) -> str:
    answer: dict[str, object] = {"id": call_id, "status": 200}
    return compact(answer if result is None else {**answer, "result": result})


def _error(call_id: object, code: int, text: str) -> str:
    error = {"code": code, "msg": text}
    return compact({"id": call_id, "status": 400, "error": error})


def _trade(trade: Trade) -> str:
    buyer_made = "true" if trade.side == "sell" else "false"
    return (
        f'{{"E":{trade.traded_at_ns},"s":"{trade.symbol}","t":{trade.trade_id},'
        f'"p":"{trade.price}","q":"{trade.quantity}","m":{buyer_made}}}'
    )


def _book_ticker(trade: Trade, at_ns: int) -> str:
    price, size = trade.price, trade.quantity
    return (
        f'{{"u":{at_ns // NS_PER_US},"E":{at_ns},"s":"{trade.symbol}","b":"{price}",'
        f'"B":"{size}","a":"{price}","A":"{size}","c":"{price}","C":"{size}"}}'
    )
