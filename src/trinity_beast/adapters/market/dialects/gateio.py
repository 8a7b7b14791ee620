"""Gate.io's API v4: acknowledgements look like trades but for their ``event``.

Source: recorded frames and https://www.gate.com/docs/developers/apiv4/ws/en/.
"""

from __future__ import annotations

from collections.abc import Sequence

from trinity_beast.adapters.market.dialects.conversation import Conversation
from trinity_beast.adapters.market.dialects.dialect import Dialect
from trinity_beast.adapters.market.dialects.wording import (
    Json,
    compact,
    parse_object,
    texts_in,
)
from trinity_beast.adapters.market.tape import Trade
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

TRADES = "spot.trades"
_PING = "spot.ping"
_INVALID_BODY = 1
_INVALID_ARGUMENT = 2
_MISSING = object()


class GateioDialect(Dialect):
    """Trades of ``BTC_USDT``, one in a frame."""

    def symbol_of(self, asset: str) -> str:
        """Return ``BTC_USDT``."""
        return f"{asset}_USDT"

    def hear(self, talk: Conversation, text: str, at_ns: int) -> Sequence[str]:
        """Answer a request; one unknown pair fails the whole payload."""
        message = parse_object(text)
        if message is None:
            return (_failed({}, talk, at_ns, (_INVALID_BODY, "invalid json")),)
        if not _is_time(message.get("time", _MISSING)):
            return (_failed(message, talk, at_ns, (_INVALID_BODY, "invalid time")),)
        if message.get("channel") == _PING:
            pong = {"channel": "spot.pong", "event": "", "result": None}
            return (compact({**_head(talk, at_ns), **pong}),)
        pairs = texts_in(message.get("payload")) or []
        refusal = self._refusal(message, pairs)
        if refusal:
            return (_failed(message, talk, at_ns, (_INVALID_ARGUMENT, refusal)),)
        if message["event"] == "subscribe":
            talk.join(TRADES, pairs, primed=False)
        else:
            talk.leave(TRADES, pairs)
        return (compact(_answer(message, talk, at_ns)),)

    def frames(
        self,
        trades: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[tuple[str, str]]:
        """Return one frame for each trade; its ``result`` is an object, not a list."""
        return [(TRADES, _update(trade, at_ns)) for trade in trades]

    def _refusal(self, message: Json, pairs: list[str]) -> str:
        channel, event = message.get("channel"), message.get("event")
        if channel != TRADES:
            return f"unknown channel: {channel}"
        if event not in {"subscribe", "unsubscribe"}:
            return f"unknown event: {event}"
        if not pairs:
            return "empty payload"
        unknown = self.listing.unknown_of(pairs)
        return f"unknown currency pair: {unknown[0]}" if unknown else ""


def _is_time(value: object) -> bool:
    """Return whether a request's time is good: whole seconds, or left away."""
    return value is _MISSING or type(value) is int


def _head(talk: Conversation, at_ns: int) -> Json:
    return {
        "time": at_ns // NS_PER_S,
        "time_ms": at_ns // NS_PER_MS,
        "conn_id": talk.token[:16],
    }


def _answer(message: Json, talk: Conversation, at_ns: int) -> Json:
    trace = f"{at_ns // NS_PER_MS & 0xFFFF:04x}"
    asked = ("channel", "event", "payload")
    echo = {"id": message["id"]} if "id" in message else {}
    return {
        **_head(talk, at_ns),
        **echo,
        "trace_id": trace,
        **{name: message.get(name) for name in asked},
        "result": {"status": "success"},
        "requestId": trace,
    }


def _failed(
    message: Json,
    talk: Conversation,
    at_ns: int,
    error: tuple[int, str],
) -> str:
    code, text = error
    failure = {
        "error": {"code": code, "message": text},
        "result": {"status": "fail"},
    }
    return compact({**_answer(message, talk, at_ns), **failure})


def _update(trade: Trade, at_ns: int) -> str:
    asset, _, money = trade.symbol.partition("_")
    number, made_ns = trade.trade_id, trade.traded_at_ns
    fraction_ns = made_ns % NS_PER_MS
    return (
        f'{{"time":{at_ns // NS_PER_S},"time_ms":{at_ns // NS_PER_MS},'
        f'"channel":"spot.trades","event":"update","result":{{"id":{number},'
        f'"id_market":{number},"create_time":{made_ns // NS_PER_S},'
        f'"create_time_ms":"{made_ns // NS_PER_MS}.{fraction_ns:06d}",'
        f'"side":"{trade.side}","currency_pair":"{trade.symbol}",'
        f'"amount":"{trade.quantity}","price":"{trade.price}",'
        f'"range":"{number}-{number}","stock":"{asset}","money":"{money}",'
        f'"trade_mode":0}}}}'
    )
