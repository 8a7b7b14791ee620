from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from support.feeds import asset_rows, row_with
from trinity_beast.features.catalogue import AssetRow
from trinity_beast.features.feeds import FeedRowInvalid, check_feed_row
from trinity_beast.features.feeds.program import compile_feed


def asset(name: str, symbol: str) -> AssetRow:
    return AssetRow(id=1, exchange_name="plain", asset=name, exchange_symbol=symbol)


def test_symbols_lead_to_assets_in_the_order_of_the_rows() -> None:
    program = compile_feed(row_with(), asset_rows("plain", ["ETH", "BTC"]))

    assert list(program.symbols.items()) == [("ETH-USD", "ETH"), ("BTC-USD", "BTC")]
    assert program.refused == {}


def test_an_asset_without_a_symbol_gets_the_one_of_the_template() -> None:
    row = row_with(symbol_template="{asset}usd")

    assert compile_feed(row, [asset("BTC", "")]).symbols == {"btcusd": "BTC"}


def test_a_symbol_belongs_to_one_asset_and_the_other_is_told_so() -> None:
    program = compile_feed(row_with(), [asset("BTC", "B"), asset("XBT", "B")])

    assert program.symbols == {"B": "BTC"}
    assert program.refused == {"XBT": "B is already the symbol of BTC"}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("ws_endpoint", "", "is no ws:// or wss:// address: ''"),
        ("ws_endpoint", "https://x.example", "is no ws:// or wss:// address"),
        ("ws_endpoint", "wss://", "is no ws:// or wss:// address"),
        ("ws_endpoint", "wss://x:99999/", "is no ws:// or wss:// address"),
        ("ws_endpoint", "ws://[::1", "is no ws:// or wss:// address"),
        ("source_tag", "", "is not 1 to 32 plain characters: ''"),
        ("source_tag", "x" * 33, "is not 1 to 32 plain characters"),
        ("source_tag", "é", "is not 1 to 32 plain characters"),
        ("subscribe_template", "{", "is no JSON"),
        ("ping_message", "{", "is no JSON"),
        ("symbol_style", "odd", "is none of"),
        ("price_path", None, "is missing"),
        ("trade_channel_match", "x", "has a bad term"),
    ],
)
def test_a_row_is_refused_by_the_column_that_cannot_work(
    column: str,
    value: object,
    reason: str,
) -> None:
    with pytest.raises(FeedRowInvalid) as caught:
        check_feed_row(row_with(**{column: value}))

    assert caught.value.message.startswith(f"plain: {column} {reason}")


def test_a_row_that_works_is_not_refused() -> None:
    check_feed_row(row_with())


TEXTS = st.none() | st.text(max_size=20) | st.text('{}[]":,.=!^|*%sSYMBOLTIE09 ')


@given(
    st.fixed_dictionaries(
        {
            "ws_endpoint": st.text(max_size=20) | st.just("wss://x.example"),
            "symbol_template": st.text(max_size=20),
            "subscribe_template": TEXTS,
            "trade_channel_match": TEXTS,
            "price_path": TEXTS,
            "symbol_path": TEXTS,
            "timestamp_path": TEXTS,
            "timestamp_format": TEXTS | st.just("unix_ms"),
            "ping_interval_sec": st.none() | st.integers(-(2**31), 2**31 - 1),
            "ping_message": TEXTS,
            "symbol_style": TEXTS | st.just("okx"),
            "msg_is_array": st.none() | st.booleans(),
            "array_path": TEXTS,
        },
    ),
)
def test_whatever_a_row_holds_it_works_or_is_refused_by_column(
    columns: dict[str, object],
) -> None:
    row = row_with(**columns)
    refused: str | None = None
    try:
        program = compile_feed(row, asset_rows("plain", ["BTC"]))
    except FeedRowInvalid as error:
        refused = error.column
    else:
        program.decoder.decode('{"a":[{"b":"1"}],"0":"1"}', 0)
        for chunk in program.subscribe.requests(list(program.symbols)):
            json.loads(program.subscribe.render(chunk, 0))

    assert refused is None or refused in columns


def test_a_path_part_of_thousands_of_digits_is_a_name() -> None:
    row = row_with(price_path="9" * 5_000, symbol_path="a." + "9" * 5_000)

    assert compile_feed(row, ()).decoder.decode("{}", 0).trades == ()


def test_only_more_symbols_need_no_new_connection() -> None:
    row = row_with()
    one = compile_feed(row, asset_rows("plain", ["BTC"]))
    two = compile_feed(row, asset_rows("plain", ["BTC", "ETH"]))
    noted = replace(
        row,
        notes="x",
        display_name="y",
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    moved = replace(row, ws_endpoint="wss://other.example")
    renamed = compile_feed(row, [asset("XBT", "BTC-USD")])

    assert two.only_adds_to(one)
    assert one.only_adds_to(one)
    assert compile_feed(noted, asset_rows("plain", ["BTC"])).only_adds_to(one)
    assert not one.only_adds_to(two)
    assert not renamed.only_adds_to(one)
    assert not compile_feed(moved, asset_rows("plain", ["BTC"])).only_adds_to(one)
