"""Bybit's API v5, spot: ten topics a request, several trades a frame.

Source: recorded frames and https://bybit-exchange.github.io/docs/v5/ws/connect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from trinity_beast.adapters.market.dialects.conversation import Conversation
from trinity_beast.adapters.market.dialects.dialect import Closing, Dialect
from trinity_beast.adapters.market.dialects.wording import (
    Json,
    compact,
    parse_object,
    texts_in,
)
from trinity_beast.adapters.market.tape import Trade
from trinity_beast.kernel.time import NS_PER_MS

TRADES = "publicTrade"
_TOPIC = "publicTrade."
_MOST_TOPICS = 10


class BybitDialect(Dialect):
    """Trades of ``publicTrade.BTCUSDT``; a bad topic fails its whole request."""

    silence_limit_s: ClassVar[float | None] = 600.0
    silent: ClassVar[Closing] = Closing(1006, "")

    def symbol_of(self, asset: str) -> str:
        """Return ``BTCUSDT``."""
        return f"{asset}USDT"

    def hear(self, talk: Conversation, text: str, at_ns: int) -> Sequence[str]:
        """Answer an operation; answers carry the request's id, never its topics."""
        del at_ns
        message = parse_object(text)
        if message is None:
            return (_answer({}, talk, "Request body is not JSON", good=False),)
        operation = message.get("op")
        if operation == "ping":
            return (_answer(message, talk, "pong"),)
        if operation not in {"subscribe", "unsubscribe"}:
            return (_answer(message, talk, f"Invalid op :{operation}", good=False),)
        topics = texts_in(message.get("args")) or []
        refusal = self._refusal(topics)
        if refusal:
            return (_answer(message, talk, refusal, good=False),)
        symbols = [topic.removeprefix(_TOPIC) for topic in topics]
        if operation == "subscribe":
            talk.join(TRADES, symbols, primed=False)
        else:
            talk.leave(TRADES, symbols)
        return (_answer(message, talk, str(operation)),)

    def frames(
        self,
        trades: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[tuple[str, str]]:
        """Return all trades of an order in one frame, oldest first.

        The venue calls live frames a snapshot.
        """
        symbol = trades[0].symbol
        data = ",".join(map(_trade, trades))
        frame = (
            f'{{"topic":"publicTrade.{symbol}","ts":{at_ns // NS_PER_MS},'
            f'"type":"snapshot","data":[{data}]}}'
        )
        return ((TRADES, frame),)

    def _refusal(self, topics: list[str]) -> str:
        if len(topics) > _MOST_TOPICS:
            return f"args size >{_MOST_TOPICS}"
        bad = [topic for topic in topics if not self._knows(topic)]
        if bad or not topics:
            return f"Invalid symbol :[{','.join(bad)}]"
        return ""

    def _knows(self, topic: str) -> bool:
        symbol = topic.removeprefix(_TOPIC)
        return topic.startswith(_TOPIC) and self.listing.has(symbol)


def _answer(
    message: Json,
    talk: Conversation,
    text: str,
    *,
    good: bool = True,
) -> str:
    echo = {"req_id": message["req_id"]} if "req_id" in message else {}
    answer = compact(
        {
            "success": good,
            "ret_msg": text,
            "conn_id": f"{talk.token[:20]}-{talk.token[-5:]}",
            **echo,
            "op": message.get("op"),
        },
    )
    # The venue's own encoder escapes the sign, and clients were caught out by it.
    return answer.replace(">", "\\u003e")


def _trade(trade: Trade) -> str:
    return (
        f'{{"i":"229{trade.trade_id:016d}","T":{trade.traded_at_ns // NS_PER_MS},'
        f'"p":"{trade.price}","v":"{trade.quantity}","S":"{trade.side.capitalize()}",'
        f'"seq":{trade.trade_id},"s":"{trade.symbol}","BT":false,"RPI":false}}'
    )
