"""Coinbase's Exchange feed: one bad product fails the whole request.

Source: recorded frames and https://docs.cdp.coinbase.com/exchange/websocket-feed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

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

MATCHES = "matches"
TICKER = "ticker"
HEARTBEAT = "heartbeat"
_CHANNELS = (MATCHES, TICKER, HEARTBEAT)
_MAKER = 0x9E3779B97F4A7C15F39CC0605CEDC835
_TAKER = 0xC2B2AE3D27D4EB4F165667B19E3779F9
_UUID_BITS = (1 << 128) - 1

_Wish = tuple[str, list[str]]


class CoinbaseDialect(Dialect):
    """Matches, tickers and heartbeats by product."""

    subscribe_within_s: ClassVar[float | None] = 5.0

    def symbol_of(self, asset: str) -> str:
        """Return ``BTC-USD``."""
        return f"{asset}-USD"

    def hear(self, talk: Conversation, text: str, at_ns: int) -> Sequence[str]:
        """Answer ``subscribe`` and ``unsubscribe`` with all that is subscribed."""
        del at_ns
        message = parse_object(text)
        if message is None:
            return (_error("Malformed JSON"),)
        kind = message.get("type")
        if kind not in {"subscribe", "unsubscribe"}:
            return (_error("Type has to be either subscribe or unsubscribe"),)
        wishes = _wishes(message)
        if kind == "unsubscribe":
            for channel, products in wishes:
                talk.leave(channel, products or talk.symbols(channel))
            return (_subscriptions(talk),)
        reason = self._refusal(wishes)
        if reason:
            return (_error("Failed to subscribe", reason),)
        for channel, products in wishes:
            talk.join(channel, products, primed=channel != HEARTBEAT)
        return (_subscriptions(talk),)

    def primer(
        self,
        channel: str,
        history: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[str]:
        """Return the last match of the product, however old."""
        del at_ns
        if channel == TICKER:
            return (_ticker(history[-1]),)
        return (_match("last_match", history[-1]),)

    def frames(
        self,
        trades: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[tuple[str, str]]:
        """Return a match for each trade, and one ticker for the last of them."""
        del at_ns
        matches = [(MATCHES, _match("match", trade)) for trade in trades]
        return (*matches, (TICKER, _ticker(trades[-1])))

    def heartbeats(
        self,
        talk: Conversation,
        last: LastTrade,
        at_ns: int,
    ) -> Sequence[str]:
        """Return one heartbeat for each product that asked for them."""
        time = rfc3339_us(at_ns)
        return [
            _heartbeat(product, last(product), time)
            for product in talk.symbols(HEARTBEAT)
        ]

    def _refusal(self, wishes: list[_Wish]) -> str:
        channels = [channel for channel, _ in wishes]
        products = [product for _, asked in wishes for product in asked]
        strange = [channel for channel in channels if channel not in _CHANNELS]
        unknown = self.listing.unknown_of(products)
        if not channels:
            return "channels must not be empty"
        if strange:
            return f"{strange[0]} is not a valid channel"
        if not products:
            return "product_ids must not be empty"
        return f"{unknown[0]} is not a valid product" if unknown else ""


def _wishes(message: Json) -> list[_Wish]:
    """Return (channel, products); a channel without its own takes the request's."""
    common = texts_in(message.get("product_ids")) or []
    channels = message.get("channels")
    items: list[object] = list(channels) if isinstance(channels, list) else []  # pyright: ignore[reportUnknownArgumentType] - JSON is what it is
    wishes: list[_Wish] = []
    for item in items:
        if isinstance(item, str):
            wishes.append((item, common))
        else:
            own = object_in(item)
            name, products = own.get("name"), texts_in(own.get("product_ids"))
            wishes.append((str(name), products or common))
    return wishes


def _error(message: str, reason: str = "") -> str:
    error = {"type": "error", "message": message}
    return compact({**error, "reason": reason} if reason else error)


def _subscriptions(talk: Conversation) -> str:
    channels = [
        {"name": channel, "product_ids": list(products), "account_ids": None}
        for channel, products in talk.channels.items()
        if products
    ]
    return compact({"type": "subscriptions", "channels": channels})


def _match(kind: str, trade: Trade) -> str:
    maker = UUID(int=trade.trade_id * _MAKER & _UUID_BITS)
    taker = UUID(int=trade.trade_id * _TAKER & _UUID_BITS)
    return (
        f'{{"type":"{kind}","trade_id":{trade.trade_id},"maker_order_id":"{maker}",'
        f'"taker_order_id":"{taker}","side":"{trade.side}","size":"{trade.quantity}",'
        f'"price":"{trade.price}","product_id":"{trade.symbol}",'
        f'"sequence":{_sequence(trade)},"time":"{rfc3339_us(trade.traded_at_ns)}"}}'
    )


def _ticker(trade: Trade) -> str:
    price = trade.price
    return (
        f'{{"type":"ticker","sequence":{_sequence(trade)},'
        f'"product_id":"{trade.symbol}","price":"{price}","open_24h":"{price}",'
        f'"volume_24h":"0","low_24h":"{price}","high_24h":"{price}","volume_30d":"0",'
        f'"best_bid":"{price}","best_ask":"{price}","side":"{trade.side}",'
        f'"time":"{rfc3339_us(trade.traded_at_ns)}","trade_id":{trade.trade_id},'
        f'"last_size":"{trade.quantity}"}}'
    )


def _heartbeat(product: str, trade: Trade | None, time: str) -> str:
    trade_id, sequence = (trade.trade_id, _sequence(trade)) if trade else (0, 0)
    return (
        f'{{"type":"heartbeat","last_trade_id":{trade_id},"product_id":"{product}",'
        f'"sequence":{sequence},"time":"{time}"}}'
    )


def _sequence(trade: Trade) -> int:
    """Return a number that grows faster than the trades, as orders take some too."""
    return trade.trade_id * 3
