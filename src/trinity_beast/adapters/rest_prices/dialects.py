"""How each venue is asked for its last trade, and how its answer reads; no sockets.

Each venue is asked for a *trade*, since only a trade says when its price was true.
Gemini's ticker would not do: its time stamp is that of the volume, in steps of five
minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, cast

import msgspec

from trinity_beast.kernel.price_text import parse_price_text
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S, from_datetime
from trinity_beast.ports.rest_prices import (
    NotListed,
    RestPrice,
    RestVenue,
    RestVenueAway,
    RestVenueBusy,
)

_OK: Final = 200
_NOT_FOUND: Final = 404
_BUSY: Final = frozenset({418, 429})
_EARLIEST_NS: Final = 1_262_304_000 * NS_PER_S
"""2010: earlier stamps are in a wrong unit, or nonsense."""
_LATEST_NS: Final = 2**63 - 1
_JSON: Final = msgspec.json.Decoder(float_hook=str)

_COINBASE_NAMES: Final = {"MNT": "MANTLE"}
_KRAKEN_NAMES: Final = {"BTC": "XBT", "DOGE": "XDG"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to talk to one venue.

    Attributes:
        venue: Its name, and how often it may be asked.
        path_of: Returns path and query of the question about an asset.
        read: Returns the trade in a decoded answer about an asset; None when the
            answer holds no trade.  Anything but a trade raises ``_Unreadable``.
        unlisted: Statuses that say that there is no such market.
    """

    venue: RestVenue
    path_of: Callable[[str], str]
    read: Callable[[object, str], RestPrice | None]
    unlisted: frozenset[int]


class _Unreadable(Exception):
    """An answer is not what the venue's documents promise."""


class _ToldOff(Exception):
    """An answer of status 200 asks for fewer questions."""


def trade_in(dialect: Dialect, asset: str, status: int, body: bytes) -> RestPrice:
    """Return the trade that a venue's answer tells.

    Raises:
        NotListed: The venue does not trade the asset, or has not for days.
        RestVenueBusy: It asks for fewer questions.
        RestVenueAway: The answer is anything else.
    """
    name = dialect.venue.name
    if status in dialect.unlisted:
        raise NotListed(venue=name, asset=asset)
    if status in _BUSY:
        raise RestVenueBusy(venue=name, reason=f"HTTP {status}")
    if status != _OK:
        raise RestVenueAway(venue=name, reason=f"HTTP {status}")
    try:
        trade = dialect.read(_JSON.decode(body), asset)
    except _ToldOff as error:
        raise RestVenueBusy(venue=name, reason=str(error)) from error
    except (_Unreadable, msgspec.DecodeError, ValueError, RecursionError) as error:
        reason = f"its answer is no trade of {asset}"
        raise RestVenueAway(venue=name, reason=reason) from error
    if trade is None:
        raise NotListed(venue=name, asset=asset)
    return trade


def _read_gemini(answer: object, _: str) -> RestPrice | None:
    """Read ``[{"timestampms":…,"price":"65000.12",…},…]``, newest first.

    Source: https://developer.gemini.com/trading/rest-api/market-data/list-trades
    """
    trades = _list(answer)
    if not trades:
        return None
    trade = _object(trades[0])
    at_ms = trade.get("timestampms")
    if type(at_ms) is not int:
        raise _Unreadable
    return _price(trade.get("price"), at_ms * NS_PER_MS)


def _read_coinbase(answer: object, asset: str) -> RestPrice | None:
    """Read ``{"price":"65000.12","time":"2026-09-21T14:13:20.123456Z",…}``.

    Source: https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-ticker
    """
    tick = _object(answer)
    product = tick.get("product_id")
    if product is not None and product != _coinbase_product(asset):
        raise _Unreadable
    return _price(tick.get("price"), _rfc3339_ns(tick.get("time")))


def _read_kraken(answer: object, asset: str) -> RestPrice | None:
    """Read ``{"error":[],"result":{"XXBTZUSD":[["65000.1","0.2",1688669597.8,…]]}}``.

    The pair comes back under its old or its new name; the newest trade stands last.
    Source: https://docs.kraken.com/api/docs/rest-api/get-recent-trades
    """
    said = _object(answer)
    errors = " ".join(str(error) for error in _list(said.get("error")))
    if "Unknown asset pair" in errors:
        return None
    if "Rate limit" in errors or "Too many requests" in errors:
        raise _ToldOff(errors[:80])
    if errors:
        raise _Unreadable
    result = _object(said.get("result"))
    base = _kraken_base(asset)
    for pair in (f"{base}USD", f"X{base}ZUSD", f"{base}/USD", f"{asset}/USD"):
        if pair in result:
            return _kraken_trade(_list(result[pair]))
    raise _Unreadable


def _kraken_trade(trades: Sequence[object]) -> RestPrice | None:
    if not trades:
        return None
    match _list(trades[-1]):
        case [price, _, str() | int() as at_s, *_]:
            return _price(price, _unix_ns(str(at_s)))
        case _:
            raise _Unreadable


def _price(value: object, traded_at_ns: int) -> RestPrice:
    text = str(value) if type(value) is int else value
    price = parse_price_text(text) if isinstance(text, str) else None
    if price is None or not _EARLIEST_NS <= traded_at_ns <= _LATEST_NS:
        raise _Unreadable
    return RestPrice(price, traded_at_ns)


def _unix_ns(text: str) -> int:
    try:
        at_ns = Decimal(text[:40]) * NS_PER_S
        return int(at_ns) if abs(at_ns) <= _LATEST_NS else 0
    except InvalidOperation as error:
        raise _Unreadable from error


def _rfc3339_ns(value: object) -> int:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        raise _Unreadable
    return from_datetime(moment)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _Unreadable
    return cast("dict[str, object]", value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise _Unreadable
    return cast("list[object]", value)


def _coinbase_product(asset: str) -> str:
    return f"{_COINBASE_NAMES.get(asset, asset)}-USD"


def _kraken_base(asset: str) -> str:
    return _KRAKEN_NAMES.get(asset, asset)


# The rates are the public limits of one address, with some room left: Gemini allows 120
# a minute, Coinbase 10 a second, Kraken about one a second.
DIALECTS: Final = (
    Dialect(
        RestVenue("gemini", requests_per_s=2.0, burst=20),
        lambda asset: f"/v1/trades/{asset.lower()}usd?limit_trades=1",
        _read_gemini,
        # Nothing but the symbol can be wrong with our question.
        unlisted=frozenset({400, _NOT_FOUND}),
    ),
    Dialect(
        RestVenue("coinbase", requests_per_s=8.0, burst=15),
        lambda asset: f"/products/{_coinbase_product(asset)}/ticker",
        _read_coinbase,
        unlisted=frozenset({_NOT_FOUND}),
    ),
    Dialect(
        RestVenue("kraken", requests_per_s=1.0, burst=10),
        lambda asset: f"/0/public/Trades?pair={_kraken_base(asset)}USD&count=1",
        _read_kraken,
        unlisted=frozenset(),
    ),
)
"""The venues in the order of being asked."""
