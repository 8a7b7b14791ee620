"""One answered or refused request, as it travels to the table.

Hot path: a listener makes one record a request; measured in bench/usage_record.py,
budget 1 microsecond for the id, the record and the buffer together.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from trinity_beast.kernel.ids import lowest_uuid7
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.randomness import Randomness

SUCCESS = "success"
ERROR = "error"
RATE_LIMITED = "rate_limited"

ID_BYTES = 16
MOST_NAME = 200
"""Characters kept of keys, users, addresses, sources and other short texts."""
MOST_ERROR = 500
MOST_ASSETS = 1_000
"""Characters kept of ``asset``: 30 names of a batch fit several times."""

_MOST_INT32 = 2**31 - 1
_MOST_INT64 = 2**63 - 1
_COUNTER_BITS = 62
_RANDOM_BYTES = 10


class UsageRecord(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One request of a key.

    The order of the fields is the wire format: new ones go to the end, with a default.

    Attributes:
        id: 16 bytes of a UUIDv7 of ``at_ns``; the row's primary key.
        at_ns: When the request came in, in nanoseconds since the epoch, UTC.
        key_id: The key's uuid as text.
        user_id: The owner's uuid as text, if there is one.
        ip: The client's address as the listener saw it.
        query_type: ``price``, ``multi-price``, ``udp-price``, ``udp-multi-price``,
            ``stream``.
        status: ``success``, ``error`` or ``rate_limited``.
        error: The error's code; None on success.
        asset: The asset, or several with commas between.
        price: The price's text; None for several assets.
        source: Where the price came from, ``coinbase-ws`` for instance.
        cached: Whether the answer came from memory or the cache.
        cache_age_ms: How old the price was when it was served.
        latency_ms: How long fetching took; 0 from memory.
        duration_ms: How long answering took.
        token_count: Tokens that it took from the bucket.

    Source: data dictionary 4.4.
    """

    id: Annotated[bytes, msgspec.Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
    at_ns: int
    key_id: str
    user_id: str | None
    ip: str
    query_type: str
    status: str
    error: str | None = None
    asset: str | None = None
    price: str | None = None
    source: str | None = None
    cached: bool | None = None
    cache_age_ms: int | None = None
    latency_ms: int = 0
    duration_ms: int = 0
    token_count: int = 1


class UsageIds:
    """Makes record ids without asking for randomness each time.

    The random part of a UUIDv7 starts anywhere and counts up, which RFC 9562 allows
    (section 6.2, method 2): ids of one process never repeat, and two processes would
    have to start within a few billions of each other out of 2^74.
    """

    def __init__(self, randomness: Randomness) -> None:
        seed = int.from_bytes(randomness.token_bytes(_RANDOM_BYTES), "big")
        self._count = seed & ((1 << _COUNTER_BITS) - 1)
        fixed = (seed >> _COUNTER_BITS) & 0xFFF
        self._template = lowest_uuid7(0).int | fixed << 64

    def next_id(self, at_ns: int) -> bytes:
        """Return the 16 bytes of a new UUIDv7 of an instant."""
        count = self._count = (self._count + 1) & 0x3FFF_FFFF_FFFF_FFFF
        bits = (at_ns // NS_PER_MS) << 80 | self._template | count
        return bits.to_bytes(ID_BYTES, "big")


def cleaned(record: UsageRecord) -> UsageRecord:
    """Return the record with nothing in it that the wire or the table would refuse.

    NUL and lone surrogates become ``?``, long texts are cut, numbers are brought into
    the range of their columns.  A record without such things comes back as it is.
    """
    if _is_plain(record):
        return record
    age_ms = record.cache_age_ms
    return UsageRecord(
        record.id,
        _clean_number(record.at_ns),
        _clean_text(record.key_id, MOST_NAME) or "",
        _clean_text(record.user_id, MOST_NAME),
        _clean_text(record.ip, MOST_NAME) or "",
        _clean_text(record.query_type, MOST_NAME) or "",
        _clean_text(record.status, MOST_NAME) or "",
        _clean_text(record.error, MOST_ERROR),
        _clean_text(record.asset, MOST_ASSETS),
        _clean_text(record.price, MOST_NAME),
        _clean_text(record.source, MOST_NAME),
        record.cached,
        None if age_ms is None else _clean_number(age_ms),
        _clean_number(record.latency_ms),
        _clean_number(record.duration_ms),
        _clean_number(record.token_count, _MOST_INT32),
    )


def _is_plain(record: UsageRecord) -> bool:
    """Return whether the record needs no cleaning, quickly; False if in doubt."""
    texts = (
        f"{record.key_id}{record.user_id}{record.ip}{record.query_type}"
        f"{record.status}{record.error}{record.asset}{record.price}{record.source}"
    )
    return (
        len(texts) <= MOST_NAME
        and texts.isascii()
        and "\0" not in texts
        and 0 <= record.at_ns <= _MOST_INT64
        and 0 <= (record.cache_age_ms or 0) <= _MOST_INT64
        and 0 <= record.latency_ms <= _MOST_INT64
        and 0 <= record.duration_ms <= _MOST_INT64
        and 0 <= record.token_count <= _MOST_INT32
    )


def _clean_text(text: str | None, most: int) -> str | None:
    if text is None:
        return None
    return text[:most].replace("\0", "?").encode("utf-8", "replace").decode()


def _clean_number(number: int, most: int = _MOST_INT64) -> int:
    return min(max(number, 0), most)
