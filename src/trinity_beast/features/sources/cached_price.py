"""What stands in the cache of an asset: JSON, with the digits that the exchange wrote.

It is written by hand and read without a float, since through one ``0.10`` would come
out as ``0.1``.  ``received_at`` is ours; a value without it, as other writers make it,
counts from its ``timestamp``.

Source: the cache keys of the platform, ``price:{ASSET}``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from trinity_beast.features.board import Quote
from trinity_beast.features.sources.model import quote_of
from trinity_beast.kernel.price_text import parse_price_text
from trinity_beast.kernel.time import from_datetime, rfc3339_ms, to_datetime

MOST_BYTES: Final = 4096
_SOURCE: Final = re.compile(r"[a-z0-9._-]{1,32}")


class _Value(msgspec.Struct):
    asset: str
    price: object
    timestamp: str
    source: str
    received_at: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Value, float_hook=str)


def encode(quote: Quote, latency_ms: int = 0) -> bytes:
    """Return the value of a price.

    Args:
        quote: The price.
        latency_ms: How long fetching it took; 0 from a feed.
    """
    moment = to_datetime(quote.traded_at_ns)
    source = msgspec.json.encode(quote.source).decode()
    return (
        f'{{"asset":"{quote.asset}","price":{quote.price},'
        f'"timestamp":"{rfc3339_ms(quote.traded_at_ns)}",'
        f'"readable_timestamp":"{moment:%Y-%m-%d %H:%M:%S} UTC",'
        f'"source":{source},"latency_ms":{latency_ms},"cached":false,'
        f'"received_at":"{rfc3339_ms(quote.received_at_ns)}"}}'
    ).encode()


def decode(raw: bytes, asset: str) -> Quote | None:
    """Return the price in a value; None when it is not a price of this asset."""
    if len(raw) > MOST_BYTES:
        return None
    try:
        value = _DECODER.decode(raw)
        traded_at_ns = _instant(value.timestamp)
        received_at_ns = _instant(value.received_at or value.timestamp)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    number = value.price
    price = parse_price_text(str(number)) if isinstance(number, str | int) else None
    if price is None or value.asset != asset or not _SOURCE.fullmatch(value.source):
        return None
    return quote_of(
        asset,
        price,
        value.source,
        traded_at_ns=traded_at_ns,
        received_at_ns=received_at_ns,
    )


def _instant(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return from_datetime(moment)
