from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from support.clocks import NOON_NS
from support.feeds import FRAMES, read_lines, row_with, seeded_rows, seeded_symbols
from trinity_beast.features.feeds.decoder import FrameDecoder
from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.features.feeds.model import Decoded, Trade
from trinity_beast.kernel.time import NS_PER_S

SYMBOLS = {"BTC-USD": "BTC", "ETH-USD": "ETH"}
TRADED_NS = NOON_NS - NS_PER_S
GOOD: dict[str, Any] = {
    "type": "trade",
    "symbol": "BTC-USD",
    "price": "65051.10",
    "time": "2026-09-21T14:13:19Z",
}
GOOD_TRADE = Trade("BTC-USD", "BTC", "65051.10", TRADED_NS, "own", 0)
ARRIVED = Trade("BTC-USD", "BTC", "65051.10", NOON_NS, "missing", 0)


def decode(frame: str | bytes, **columns: Any) -> Decoded:  # noqa: ANN401 - columns have many types
    return FrameDecoder(row_with(**columns), SYMBOLS).decode(frame, NOON_NS)


def frame(**changes: object) -> str:
    return json.dumps({**GOOD, **changes})


def test_a_frame_makes_a_trade_that_keeps_the_price_as_written() -> None:
    assert decode(frame()) == Decoded("trades", [GOOD_TRADE], [])


def test_bytes_say_the_same_as_text() -> None:
    assert decode(frame().encode()) == decode(frame())


@pytest.mark.parametrize("number", ["65051.10", "6505110E-2", "0065051.10"])
def test_a_price_may_be_a_number_or_text(number: str) -> None:
    text = frame().replace('"65051.10"', f'"{number}"')
    bare = frame().replace('"65051.10"', number)

    assert decode(text).trades == [GOOD_TRADE]
    if not number.startswith("00"):
        assert decode(bare).trades == [GOOD_TRADE]


def test_a_whole_number_is_a_price() -> None:
    (trade,) = decode(frame(price=65051)).trades

    assert trade.price == "65051"


@pytest.mark.parametrize(
    "price",
    [
        None,
        "",
        "0",
        "0.00",
        0,
        -1,
        "-1.5",
        "abc",
        "NaN",
        "Infinity",
        "sNaN",
        True,
        {"v": 1},
        [1],
        "1_000",
        "１２",  # noqa: RUF001 - full-width digits are the point
        "1,234.5",
        "0x10",
        "1" + "0" * 40,
        10**20,
    ],
)
def test_what_is_no_price_makes_no_trade_and_is_counted(price: object) -> None:
    found = decode(frame(price=price))

    assert (found.kind, found.trades, found.rejected) == ("control", (), ["bad_price"])


# What could go either way: the table of the decoder's docstring, case by case.


def test_a_price_with_spaces_is_refused() -> None:
    assert decode(frame(price=" 12.5 ")).rejected == ["bad_price"]


def test_a_price_with_an_exponent_is_written_out() -> None:
    (trade,) = decode(frame(price="1e-7")).trades

    assert trade.price == "0.0000001"


def test_a_price_of_60_digits_is_refused_not_cut() -> None:
    assert decode(frame(price="1." + "1" * 60)).rejected == ["bad_price"]


@pytest.mark.parametrize("price", ["65051100.0", "65.0511"])
def test_a_price_of_another_scale_is_decoded_and_left_to_the_guard(price: str) -> None:
    (trade,) = decode(frame(price=price)).trades

    assert trade.price == price


def test_a_symbol_in_another_case_is_refused() -> None:
    assert decode(frame(symbol="btc-usd")).rejected == ["unknown_symbol"]


@pytest.mark.parametrize("time", [None, "yesterday", 0, -5, 1_790_000_200])
def test_a_trade_without_a_usable_time_gets_that_of_its_arrival(time: object) -> None:
    assert decode(frame(time=time)).trades == [ARRIVED]


def test_seconds_where_milliseconds_should_be_get_the_time_of_arrival() -> None:
    found = decode(frame(time=1_790_000_200), timestamp_format="unix_ms")

    assert found.trades == [ARRIVED]


def test_more_than_five_seconds_in_the_future_is_the_time_of_arrival() -> None:
    near = decode(frame(time="2026-09-21T14:13:25Z"))
    far = decode(frame(time="2026-09-21T14:13:25.000000001Z"))

    assert near.trades[0].traded_at_ns == NOON_NS + 5 * NS_PER_S
    assert near.trades[0].stamped
    assert far.trades == [ARRIVED._replace(stamp="future")]
    assert not far.trades[0].stamped


def test_a_day_old_trade_keeps_its_true_time() -> None:
    (trade,) = decode(frame(time="2026-09-20T14:13:20Z")).trades

    assert trade.traded_at_ns == NOON_NS - 86_400 * NS_PER_S


def test_two_documents_in_one_frame_are_refused() -> None:
    assert decode(frame() + frame()) == Decoded("broken", rejected=("broken_json",))


def test_a_byte_order_mark_is_skipped() -> None:
    assert decode("\ufeff" + frame()).trades == [GOOD_TRADE]
    assert decode(b"\xef\xbb\xbf" + frame().encode()).trades == [GOOD_TRADE]


def test_a_message_inside_a_list_is_refused_unless_the_row_says_so() -> None:
    wrapped = f"[{frame()}]"

    assert decode(wrapped).trades == ()
    assert decode(wrapped, msg_is_array=True).trades == [GOOD_TRADE]


@pytest.mark.parametrize("depth", [5_000, 100_000])
def test_nesting_of_thousands_is_refused(depth: int) -> None:
    nested = "[" * depth + "]" * depth

    assert decode(nested).rejected == ("too_deep",)
    assert decode(f'{frame()[:-1]},"x":{nested}}}').rejected == ("too_deep",)


def test_deep_nesting_beside_half_a_surrogate_is_refused_too() -> None:
    nested = "[" * 100_000

    assert decode(f'{{"a":"\\ud800","x":{nested}').rejected == ("too_deep",)


def test_two_megabytes_are_read() -> None:
    assert decode(frame(pad="x" * 2_000_000)).trades == [GOOD_TRADE]


# Frames that are no trades.


@pytest.mark.parametrize("text", ["pong", "", "   \n", "ping 7", "OK"])
def test_short_plain_text_is_no_fault(text: str) -> None:
    assert decode(text) == Decoded("text", document=text.strip())
    assert decode(text.encode()) == Decoded("text", document=text.strip())


@pytest.mark.parametrize(
    "broken",
    [
        "<html><title>502</title></html>",
        '{"type":"trade"',
        "x" * 65,
        b"\xff\xfe",
        b'{"type":"\xff"}',
        '{"type":"\ud800"}',
        frame().replace('"65051.10"', "NaN"),
        '{"a":"\\ud800","b":NaN}',
        '{"a":"\\ud800"',
    ],
)
def test_garbage_is_counted_and_breaks_nothing(broken: str | bytes) -> None:
    assert decode(broken) == Decoded("broken", rejected=("broken_json",))


@pytest.mark.parametrize(
    "document",
    [None, 42, "hello", [], {}, {"type": "subscriptions"}, {"type": "heartbeat"}],
)
def test_any_other_json_is_for_the_subscription_to_read(document: object) -> None:
    assert decode(json.dumps(document)) == Decoded("control", document=document)


def test_half_a_surrogate_in_a_remark_loses_no_trade() -> None:
    assert decode(frame()[:-1] + ',"x":"\\ud800"}').trades == [GOOD_TRADE]
    assert decode(frame(x="a\0b")).trades == [GOOD_TRADE]


def test_the_last_of_two_equal_keys_counts() -> None:
    doubled = frame().replace('"price"', '"price": "1", "price"')

    assert decode(doubled).trades == [GOOD_TRADE]


# Arrays.


def array(*elements: object) -> str:
    return json.dumps({"type": "trade", "data": list(elements)})


ARRAY = {"msg_is_array": True, "array_path": "data"}


def test_each_element_makes_a_trade_with_its_place() -> None:
    other = {**GOOD, "symbol": "ETH-USD", "price": "1919.9"}

    assert decode(array(GOOD, other), **ARRAY).trades == [
        GOOD_TRADE,
        Trade("ETH-USD", "ETH", "1919.9", TRADED_NS, "own", 1),
    ]


def test_a_bad_element_does_not_lose_its_neighbours() -> None:
    bad = {**GOOD, "price": "NaN"}

    found = decode(array(bad, GOOD, 1, None, "a", {}, [], GOOD), **ARRAY)

    assert [trade.place for trade in found.trades] == [1, 7]
    assert found.rejected == [
        "bad_price",
        "not_an_object",
        "not_an_object",
        "not_an_object",
        "no_symbol",
        "no_symbol",
    ]


def test_an_endless_number_does_not_lose_its_neighbours() -> None:
    endless = json.dumps({**GOOD, "price": 1}).replace(" 1,", f" {'1' * 5_000},")

    found = decode(f'{{"type":"trade","data":[{endless},{frame()}]}}', **ARRAY)

    assert [trade.place for trade in found.trades] == [1]
    assert found.rejected == ["bad_price"]


def test_an_object_where_an_array_should_be_is_one_trade() -> None:
    found = decode(json.dumps({"type": "trade", "data": GOOD}), **ARRAY)

    assert found.trades == [GOOD_TRADE]


@pytest.mark.parametrize("data", [None, 7, "text", True])
def test_anything_else_where_an_array_should_be_is_counted(data: object) -> None:
    document = {"type": "trade", "data": data}

    assert decode(json.dumps(document), **ARRAY) == Decoded(
        "control",
        rejected=["no_array"],
        document=document,
    )


def test_an_empty_array_is_no_fault() -> None:
    assert decode(array(), **ARRAY) == Decoded(
        "control",
        rejected=[],
        document={"type": "trade", "data": []},
    )


def test_what_an_element_lacks_is_taken_from_the_frame() -> None:
    message = {**GOOD, "data": [{"price": "1"}, {"price": "2", "symbol": "ETH-USD"}]}

    assert [trade[:4] for trade in decode(json.dumps(message), **ARRAY).trades] == [
        ("BTC-USD", "BTC", "1", TRADED_NS),
        ("ETH-USD", "ETH", "2", TRADED_NS),
    ]


def test_an_element_may_be_a_list() -> None:
    columns = {**ARRAY, "price_path": "1", "timestamp_path": "0"}
    message = {**GOOD, "data": [["2026-09-21T14:13:19Z", "65051.10"]]}

    assert decode(json.dumps(message), **columns).trades == [GOOD_TRADE]


def test_where_the_frame_is_the_array_the_rule_speaks_of_its_elements() -> None:
    quote = {**GOOD, "type": "quote"}

    found = decode(json.dumps([quote, GOOD, quote]), msg_is_array=True)

    assert found == Decoded("trades", [GOOD_TRADE._replace(place=1)], [])


def test_without_a_rule_whatever_has_a_price_and_a_symbol_is_a_trade() -> None:
    rule = {"trade_channel_match": None}
    ack = {"event": "subscribed"}

    assert decode(frame(), **rule).trades == [GOOD_TRADE]
    assert decode(json.dumps(ack), **rule) == Decoded("control", document=ack)


def test_without_a_place_for_the_time_trades_get_that_of_their_arrival() -> None:
    assert decode(frame(), timestamp_path=None).trades == [ARRIVED]


def test_without_known_symbols_any_symbol_is_its_own_asset() -> None:
    decoder = FrameDecoder(row_with(), None)

    (trade,) = decoder.decode(frame(symbol="BAND-GBP"), NOON_NS).trades

    assert (trade.exchange_symbol, trade.asset) == ("BAND-GBP", "BAND-GBP")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("price_path", None, "is missing"),
        ("price_path", " ", "is missing"),
        ("symbol_path", None, "is missing"),
        ("symbol_path", "a..b", "is no path: 'a..b'"),
        ("timestamp_path", ".", "is no path: '.'"),
        ("array_path", "a.", "is no path: 'a.'"),
        ("timestamp_format", "iso", "is none of"),
        ("trade_channel_match", "type", "has a bad term: 'type'"),
    ],
)
def test_a_row_that_cannot_work_is_refused_by_column(
    column: str,
    value: object,
    reason: str,
) -> None:
    with pytest.raises(FeedRowInvalid) as caught:
        FrameDecoder(row_with(**{column: value}), None)

    assert caught.value.message.startswith(f"plain: {column} {reason}")


@given(st.text() | st.binary())
def test_no_frame_raises(noise: str | bytes) -> None:
    assert decode(noise).trades == ()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_value_of_a_field_raises(value: object) -> None:
    for field in GOOD:
        decode(json.dumps({**GOOD, field: value}))


# Recorded and simulated frames, against independent parsers.


RECORDED = ["bybit", "coinbase", "gateio", "kraken", "okx"]
SIMULATED = [*RECORDED, "gemini"]


@pytest.mark.parametrize(
    ("folder", "exchange"),
    [(FRAMES, name) for name in RECORDED]
    + [(FRAMES / "simulated", name) for name in SIMULATED],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_every_recorded_trade_is_decoded_and_no_other(
    folder: Path,
    exchange: str,
) -> None:
    truths = read_lines(folder / f"{exchange}.truth.jsonl.gz")
    told = ("n", "k", "exchange_symbol", "price", "timestamp_ns")
    expected = [tuple(truth[name] for name in told) for truth in truths]
    decoder = FrameDecoder(seeded_rows()[exchange], None)

    found = [
        (
            record["n"],
            trade.place,
            trade.exchange_symbol,
            trade.price,
            trade.traded_at_ns,
        )
        for record in read_lines(folder / f"{exchange}.jsonl.gz")
        if record["dir"] == "recv"
        for trade in decoder.decode(record["raw"], NOON_NS + 86_400 * NS_PER_S).trades
    ]

    assert found == expected


@pytest.mark.parametrize("exchange", ["coinbase", "gateio", "kraken"])
def test_every_hostile_frame_gets_the_right_verdict(exchange: str) -> None:
    decoder = FrameDecoder(seeded_rows()[exchange], seeded_symbols(exchange))
    wrong: list[str] = []
    for case in read_lines(FRAMES / "simulated" / f"{exchange}.dirty.jsonl.gz"):
        trades = decoder.decode(case["raw"], NOON_NS + 200 * NS_PER_S).trades
        found = [[trade.exchange_symbol, trade.price] for trade in trades]
        if case["expect"] != "policy" and found != case["trades"]:
            wrong.append(case["case"])

    assert wrong == []
