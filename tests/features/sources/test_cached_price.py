"""What stands in the cache keeps the digits, and nothing false is read from it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from support.clocks import NOON_NS
from trinity_beast.features.sources.cached_price import MOST_BYTES, decode, encode
from trinity_beast.features.sources.model import quote_of
from trinity_beast.kernel.price_text import parse_price_text
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

BTC = quote_of(
    "BTC",
    "65000.10",
    "coinbase-ws",
    traded_at_ns=NOON_NS,
    received_at_ns=NOON_NS + 250 * NS_PER_MS,
)


def value(**changes: object) -> bytes:
    """Return a value as another writer makes it."""
    fields: dict[str, object] = {
        "asset": "BTC",
        "price": 65000.5,
        "timestamp": "2026-09-21T14:13:20.000Z",
        "readable_timestamp": "September 21, 2026",
        "source": "kraken-ws",
        "latency_ms": 3,
        "cached": False,
    }
    return json.dumps(fields | changes).encode()


def test_a_value_has_the_fields_of_the_platform() -> None:
    written = json.loads(encode(BTC, 12), parse_float=Decimal)

    assert written == {
        "asset": "BTC",
        "price": Decimal("65000.10"),
        "timestamp": "2026-09-21T14:13:20.000Z",
        "readable_timestamp": "2026-09-21 14:13:20 UTC",
        "source": "coinbase-ws",
        "latency_ms": 12,
        "cached": False,
        "received_at": "2026-09-21T14:13:20.250Z",
    }


def test_what_is_written_is_read() -> None:
    assert decode(encode(BTC), "BTC") == BTC


@given(st.from_regex(r"[0-9]{1,20}(\.[0-9]{1,30})?", fullmatch=True))
def test_no_digit_is_lost(text: str) -> None:
    price = parse_price_text(text)
    if price is not None:
        read = decode(encode(BTC._replace(price=price)), "BTC")
        assert read is not None
        assert read.price == price


def test_another_writers_value_counts_from_its_timestamp() -> None:
    assert decode(value(), "BTC") == quote_of(
        "BTC",
        "65000.5",
        "kraken-ws",
        traded_at_ns=NOON_NS,
        received_at_ns=NOON_NS,
    )


@pytest.mark.parametrize("price", [65000, "65000.00", 1e-7])
def test_a_price_may_be_a_whole_number_a_text_or_small(price: object) -> None:
    assert decode(value(price=price), "BTC") is not None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 4_000,
        value(asset="ETH"),
        value(asset=None),
        value(price=0),
        value(price=-1.5),
        value(price=True),
        value(price=None),
        value(price=[1]),
        value(price="NaN"),
        value().replace(b"65000.5", b"NaN"),
        value(timestamp="yesterday"),
        value(timestamp="2026-09-21T14:13:20"),
        value(timestamp=1_790_000_000),
        value(received_at="soon"),
        value(source=""),
        value(source='x"y'),
        value(source="x" * 33),
        value(note="x" * MOST_BYTES),
    ],
)
def test_what_is_no_price_of_the_asset_is_none(raw: bytes) -> None:
    assert decode(raw, "BTC") is None


def test_history_is_as_old_as_its_trade() -> None:
    late = value(received_at="2026-09-21T15:13:20.000Z")
    read = decode(late, "BTC")

    assert read is not None
    assert read.received_at_ns - read.as_of_ns == 3600 * NS_PER_S
