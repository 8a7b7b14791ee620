from __future__ import annotations

import json
from typing import Any

import pytest

from support.feeds import FRAMES, SHARED, read_lines, row_with, shared, trade_frame
from trinity_beast.features.feeds import (
    ExchangeNotChosen,
    FeedRowInvalid,
    FrameLineInvalid,
    RowsInvalid,
    choose_row,
    decode_lines,
    decode_recording,
    read_rows,
)

COLUMNS: dict[str, Any] = {
    "exchange_name": "acme",
    "trade_channel_match": "type=trade",
    "price_path": "price",
    "symbol_path": "symbol",
    "timestamp_path": "time",
}
ROWS = json.dumps([COLUMNS])
AT_NS = 1_790_000_000_000_000_000


def line(raw: str, **fields: object) -> str:
    return json.dumps({"n": 7, "raw": raw, **fields})


def test_each_trade_is_one_object() -> None:
    frames = [line(trade_frame("BAND-GBP", "14.7775")), "\n", line("pong", n=8)]

    assert list(decode_recording(ROWS, frames)) == [
        {
            "n": 7,
            "k": 0,
            "exchange_symbol": "BAND-GBP",
            "price": "14.7775",
            "timestamp_ns": AT_NS,
        },
    ]


def test_frames_without_a_number_have_that_of_their_line() -> None:
    frames = [json.dumps({"raw": trade_frame("A", str(price))}) for price in (1, 2)]

    assert [trade["n"] for trade in decode_lines(row_with(), frames)] == [0, 1]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"dir": "recv"}, 1),
        ({}, 1),
        ({"dir": "send"}, 0),
        ({"dir": "connect"}, 0),
    ],
)
def test_only_what_was_received_counts(
    record: dict[str, object],
    expected: int,
) -> None:
    frames = [line(trade_frame("A", "1"), **record)]

    assert len(list(decode_lines(row_with(), frames))) == expected


def test_what_was_sent_needs_no_frame() -> None:
    assert list(decode_lines(row_with(), ['{"n":0,"dir":"connect"}'])) == []


@pytest.mark.parametrize(
    ("time", "ts", "shown_ns"),
    [
        ("2031-01-01T00:00:00Z", 1.5, 1_924_992_000_000_000_000),
        (None, "1790000000.25", AT_NS + 250_000_000),
        (None, None, None),
        (None, "soon", None),
        (None, "Infinity", None),
    ],
)
def test_times_are_shown_as_told_or_as_received_or_not_at_all(
    time: str | None,
    ts: object,
    shown_ns: int | None,
) -> None:
    frames = [line(trade_frame("A", "1", time), ts=ts)]

    (trade,) = decode_lines(row_with(), frames)

    assert trade["timestamp_ns"] == shown_ns


def test_the_time_of_receipt_is_exact() -> None:
    frames = [line(trade_frame("A", "1", None))[:-1] + ',"ts":1790000000.123456789}']

    (trade,) = decode_lines(row_with(), frames)

    assert trade["timestamp_ns"] == AT_NS + 123_456_789


BROKEN = [
    ("{", "it is no JSON"),
    ("[" * 100_000, "it is no JSON"),
    ("[]", "it is no object"),
    ('{"n":1}', "it has no text raw"),
    ('{"n":1,"raw":{}}', "it has no text raw"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
def test_a_line_that_is_no_record_is_told_with_its_number(
    broken: str,
    reason: str,
) -> None:
    good = line(trade_frame("A", "1"))

    found = list(decode_recording(ROWS, [good, broken, good, broken]))

    assert [isinstance(item, str) for item in found] == [False, True, False, True]
    assert str(found[1]).startswith(f"Line 2: {reason}")
    assert str(found[3]).startswith(f"Line 4: {reason}")


def test_without_anybody_to_tell_a_broken_line_ends_the_reading() -> None:
    with pytest.raises(FrameLineInvalid):
        list(decode_lines(row_with(), ["{"]))


def test_a_record_with_half_a_surrogate_is_read() -> None:
    frames = ['{"n":1,"x":"\\ud800","raw":"pong"}']

    assert list(decode_lines(row_with(), frames)) == []


def test_columns_that_are_left_out_take_the_tables_defaults() -> None:
    (row,) = read_rows(ROWS)

    assert (row.timestamp_format, row.symbol_style, row.msg_is_array) == (
        "rfc3339",
        "standard",
        False,
    )
    assert (row.exchange_name, row.source_tag) == ("acme", "acme-ws")


def test_every_column_of_the_table_is_known() -> None:
    (row,) = read_rows(
        json.dumps(
            [
                {
                    **COLUMNS,
                    "id": 9,
                    "created_at": "2026-01-01 00:00:00+00",
                    "updated_at": None,
                    "notes": None,
                    "enabled": False,
                },
            ],
        ),
    )

    assert (row.id, row.enabled, row.created_at) == (9, False, None)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("", "no JSON list of objects"),
        ("{}", "no JSON list of objects"),
        ("[1]", "no JSON list of objects"),
        ("[" * 100_000, "no JSON list of objects"),
        (b"\xff", "no JSON list of objects"),
        ("[]", "the list is empty"),
        ('[{"price_paht":"p"}]', "row 1 has no column price_paht"),
        ('[{},{"a":1,"b":2}]', "row 2 has no column a, b"),
        ('[{"price_path":7}]', "row 1: Expected `str | null`, got `int`"),
        ('[{"enabled":"yes"}]', "row 1: Expected `bool`, got `str`"),
        ('[{"exchange_name":"a"},{"exchange_name":"a"}]', "the same exchange_name"),
    ],
)
def test_rows_that_cannot_be_used_are_refused_by_name(
    rows: str | bytes,
    reason: str,
) -> None:
    with pytest.raises(RowsInvalid) as caught:
        read_rows(rows)

    assert reason in caught.value.message


def test_a_row_without_a_price_path_is_refused_by_column() -> None:
    with pytest.raises(FeedRowInvalid, match="acme: price_path is missing"):
        list(decode_recording(json.dumps([{**COLUMNS, "price_path": None}]), []))


TWO = [row_with(), row_with(exchange_name="other")]


@pytest.mark.parametrize(
    "name", ["other", "other.jsonl.gz", "/tmp/x/other.dirty.jsonl"]
)
def test_a_row_is_chosen_by_its_name_or_by_that_of_the_frames_file(name: str) -> None:
    assert choose_row(TWO, name).exchange_name == "other"


@pytest.mark.parametrize("name", [None, "", "frames.jsonl"])
def test_one_row_needs_no_name(name: str | None) -> None:
    assert choose_row(TWO[:1], name) is TWO[0]


@pytest.mark.parametrize("name", [None, "", "frames.jsonl"])
def test_of_several_rows_one_has_to_be_named(name: str | None) -> None:
    with pytest.raises(ExchangeNotChosen) as caught:
        choose_row(TWO, name)

    assert caught.value.message == "Say which exchange sent the frames: plain, other."


@pytest.mark.parametrize(
    "exchange",
    ["bybit", "coinbase", "gateio", "gemini", "kraken", "okx"],
)
def test_recordings_decode_to_their_truth(exchange: str) -> None:
    folder = FRAMES / "simulated"
    rows = shared(SHARED / "spec" / "exchange_feeds.json").read_bytes()
    frames = (
        json.dumps(frame) for frame in read_lines(folder / f"{exchange}.jsonl.gz")
    )

    found = list(decode_recording(rows, frames, f"{exchange}.jsonl.gz"))

    told = ("n", "k", "exchange_symbol", "price", "timestamp_ns")
    truths = read_lines(folder / f"{exchange}.truth.jsonl.gz")
    assert found == [{name: truth[name] for name in told} for truth in truths]
