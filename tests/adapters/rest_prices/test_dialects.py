"""Answers are untrusted: only a trade of the asset asked for becomes a price."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from trinity_beast.adapters.rest_prices.dialects import DIALECTS, trade_in
from trinity_beast.kernel.price_text import parse_price_text
from trinity_beast.ports.rest_prices import (
    NotListed,
    RestPrice,
    RestVenueAway,
    RestVenueBusy,
)

GEMINI, COINBASE, KRAKEN = DIALECTS
AT_NS = 1_790_000_000_123_456_000
AT_MS_NS = 1_790_000_000_123_000_000

# Shapes as the venues' own documents show them.
GEMINI_BODY = (
    b'[{"timestamp":1790000000,"timestampms":1790000000123,"tid":5335307668,'
    b'"price":"3610.85","amount":"0.27413495","exchange":"gemini","type":"buy"}]'
)
COINBASE_BODY = (
    b'{"trade_id":86326522,"price":"6268.48","size":"0.00698254",'
    b'"time":"2026-09-21T14:13:20.123456Z","bid":"6265.15","ask":"6267.71",'
    b'"volume":"53602.03940154"}'
)
KRAKEN_BODY = (
    b'{"error":[],"result":{"XXBTZUSD":[["30243.30000","0.00376960",'
    b'1790000000.123456,"s","l","",61044953]],"last":"1688671969993150842"}}'
)


def test_paths_are_the_venues_own() -> None:
    assert [dialect.path_of("BTC") for dialect in DIALECTS] == [
        "/v1/trades/btcusd?limit_trades=1",
        "/products/BTC-USD/ticker",
        "/0/public/Trades?pair=XBTUSD&count=1",
    ]


def test_gemini_documented_answer() -> None:
    assert trade_in(GEMINI, "BTC", 200, GEMINI_BODY) == RestPrice("3610.85", AT_MS_NS)


def test_coinbase_documented_answer() -> None:
    assert trade_in(COINBASE, "BTC", 200, COINBASE_BODY) == RestPrice("6268.48", AT_NS)


@pytest.mark.parametrize("pair", [b"XXBTZUSD", b"XBTUSD", b"XBT/USD", b"BTC/USD"])
def test_kraken_documented_answer_under_each_of_its_names(pair: bytes) -> None:
    body = KRAKEN_BODY.replace(b"XXBTZUSD", pair)

    assert trade_in(KRAKEN, "BTC", 200, body) == RestPrice("30243.30000", AT_NS)


def test_a_price_as_a_number_keeps_its_digits() -> None:
    body = COINBASE_BODY.replace(b'"6268.48"', b"0.10")
    whole = COINBASE_BODY.replace(b'"6268.48"', b"6268")

    assert trade_in(COINBASE, "BTC", 200, body).price == "0.10"
    assert trade_in(COINBASE, "BTC", 200, whole).price == "6268"


@pytest.mark.parametrize(
    "said",
    [b"NaN", b"Infinity", b"-1", b"0", b"true", b"null", b"[]", b'"1,000"', b'"NaN"'],
)
def test_what_is_no_number_above_zero_is_no_price(said: bytes) -> None:
    bodies = (
        GEMINI_BODY.replace(b'"3610.85"', said),
        COINBASE_BODY.replace(b'"6268.48"', said),
        KRAKEN_BODY.replace(b'"30243.30000"', said),
    )
    for dialect, body in zip(DIALECTS, bodies, strict=True):
        with pytest.raises(RestVenueAway):
            trade_in(dialect, "BTC", 200, body)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (GEMINI, GEMINI_BODY.replace(b"1790000000123,", b"1790000000,")),
        (GEMINI, GEMINI_BODY.replace(b"1790000000123,", b'"soon",')),
        (GEMINI, GEMINI_BODY.replace(b"1790000000123,", b"9" * 30 + b",")),
        (GEMINI, b"{}"),
        (GEMINI, b"[1]"),
        (COINBASE, COINBASE_BODY.replace(b"2026-09-21T14:13:20.123456Z", b"today")),
        (COINBASE, COINBASE_BODY.replace(b".123456Z", b"")),
        (COINBASE, COINBASE_BODY.replace(b'"time"', b'"when"')),
        (COINBASE, COINBASE_BODY.replace(b"{", b'{"product_id":"ETH-USD",')),
        (COINBASE, b"[]"),
        (KRAKEN, KRAKEN_BODY.replace(b"XXBTZUSD", b"XETHZUSD")),
        (KRAKEN, KRAKEN_BODY.replace(b"1790000000.123456", b'"x"')),
        (KRAKEN, KRAKEN_BODY.replace(b"1790000000.123456", b'"NaN"')),
        (KRAKEN, KRAKEN_BODY.replace(b"1790000000.123456", b'"1e99"')),
        (KRAKEN, KRAKEN_BODY.replace(b"1790000000.123456", b"null")),
        (KRAKEN, KRAKEN_BODY.replace(b'"error":[]', b'"error":["EService:Busy"]')),
        (KRAKEN, b'{"error":[],"result":{"XXBTZUSD":[["1"]]}}'),
        (KRAKEN, b"{}"),
    ],
)
def test_a_wrong_asset_time_or_shape_is_no_price(dialect: object, body: bytes) -> None:
    [known] = [each for each in DIALECTS if each is dialect]
    with pytest.raises(RestVenueAway):
        trade_in(known, "BTC", 200, body)


@pytest.mark.parametrize(
    ("dialect", "status", "body"),
    [
        (GEMINI, 400, b'{"result":"error","reason":"InvalidSymbol"}'),
        (GEMINI, 404, b""),
        (GEMINI, 200, b"[]"),
        (COINBASE, 404, b'{"message":"NotFound"}'),
        (KRAKEN, 200, b'{"error":["EQuery:Unknown asset pair"]}'),
        (KRAKEN, 200, b'{"error":[],"result":{"XBTUSD":[],"last":"0"}}'),
    ],
)
def test_a_market_that_is_not_there_is_said(
    dialect: object,
    status: int,
    body: bytes,
) -> None:
    [known] = [each for each in DIALECTS if each is dialect]
    with pytest.raises(NotListed):
        trade_in(known, "BTC", status, body)


@pytest.mark.parametrize(
    "said",
    [b"EAPI:Rate limit exceeded", b"EGeneral:Too many requests"],
)
def test_kraken_asks_for_peace_with_status_200(said: bytes) -> None:
    with pytest.raises(RestVenueBusy):
        trade_in(KRAKEN, "BTC", 200, b'{"error":["' + said + b'"]}')


@given(st.binary(max_size=300))
def test_no_bytes_make_a_false_price(body: bytes) -> None:
    for dialect in DIALECTS:
        try:
            told = trade_in(dialect, "BTC", 200, body)
        except (NotListed, RestVenueAway):
            continue
        assert parse_price_text(told.price) == told.price


def test_depth_without_end_is_no_price() -> None:
    for dialect in DIALECTS:
        with pytest.raises(RestVenueAway):
            trade_in(dialect, "BTC", 200, b"[" * 60_000)
