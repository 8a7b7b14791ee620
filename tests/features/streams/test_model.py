"""What streams say, and from where they go on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st
from websockets.frames import Frame
from websockets.streams import StreamReader

from support.clocks import NOON_NS
from trinity_beast.features.streams.model import (
    MARGIN_NS,
    Point,
    Reading,
    Tape,
    event_of,
    frame_of,
    point_in,
    text_of,
)
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

EPOCH, OTHER = "00c0ffee", "0ddba115"
ALL = frozenset({"BTC", "ETH", "DOGE"})


def tape_of(*assets: str) -> Tape:
    """Return a tape on which these changed, a second after each other."""
    tape = Tape(EPOCH)
    for second, asset in enumerate(assets):
        tape.put("price", asset, b"{}", NOON_NS + second * NS_PER_S)
    return tape


def test_an_event_of_an_event_stream() -> None:
    assert event_of("price", b'{"a":1}', "1-2-3") == (
        b'event: price\nid: 1-2-3\ndata: {"a":1}\n\n'
    )
    assert event_of("error", b"{}") == b"event: error\ndata: {}\n\n"


def test_the_same_event_as_json_text() -> None:
    assert json.loads(text_of("price", b'{"a":1}', "1-2-3")) == {
        "event": "price",
        "id": "1-2-3",
        "data": {"a": 1},
    }
    assert json.loads(text_of("pong", b"{}")) == {"event": "pong", "data": {}}


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 100_000])
def test_a_frame_of_any_size_is_one_that_others_read(size: int) -> None:
    text = b"x" * size
    reader = StreamReader()
    reader.feed_data(frame_of(text))
    parsing = Frame.parse(reader.read_exact, mask=False)

    with pytest.raises(StopIteration) as parsed:
        next(parsing)

    frame: Frame = parsed.value.value
    assert (frame.fin, frame.opcode, bytes(frame.data)) == (True, 1, text)


def test_a_place_is_told_and_understood() -> None:
    point = Point(1_790_000_000_000, EPOCH, 17)

    assert str(point) == "1790000000000-00c0ffee-17"
    assert point_in(str(point)) == point


@pytest.mark.parametrize(
    "text",
    [
        "",
        "17",
        "1-2-3",
        "1-00c0ffee-",
        "1-00C0FFEE-1",
        " 1-00c0ffee-1",
        "\u0661-00c0ffee-1",
    ],
)
def test_other_texts_are_no_places(text: str) -> None:
    assert point_in(text) is None


@given(st.text())
def test_no_text_is_too_odd_for_a_place(text: str) -> None:
    assert point_in(text) is None or point_in(text + "x") is None


def test_the_tape_tells_what_changed_since_oldest_first() -> None:
    tape = tape_of("BTC", "ETH", "DOGE")

    assert [slot.asset for slot in tape.since(0, ALL)] == ["BTC", "ETH", "DOGE"]
    assert [slot.asset for slot in tape.since(1, ALL)] == ["ETH", "DOGE"]
    assert [slot.asset for slot in tape.since(0, frozenset({"DOGE"}))] == ["DOGE"]
    assert tape.since(3, ALL) == []


def test_an_asset_has_one_slot_however_often_it_changes() -> None:
    tape = tape_of("BTC", "ETH", "BTC", "BTC")

    slots = tape.since(0, ALL)

    assert [(slot.asset, slot.number) for slot in slots] == [("ETH", 2), ("BTC", 4)]
    assert slots[1].event == (
        b"event: price\nid: 1790000003000-00c0ffee-4\ndata: {}\n\n"
    )


@given(st.lists(st.sampled_from(sorted(ALL))), st.data())
def test_whoever_follows_with_pauses_ends_with_the_newest_of_each(
    changes: list[str],
    data: st.DataObject,
) -> None:
    tape, cursor, told = Tape(EPOCH), 0, dict[str, bytes]()
    for number, asset in enumerate(changes):
        tape.put("price", asset, str(number).encode(), NOON_NS)
        if data.draw(st.booleans()):
            told |= {slot.asset: slot.event for slot in tape.since(cursor, ALL)}
            cursor = tape.number
    told |= {slot.asset: slot.event for slot in tape.since(cursor, ALL)}

    newest = {asset: number for number, asset in enumerate(changes)}
    ends = {asset: f"data: {number}\n\n".encode() for asset, number in newest.items()}
    assert told.keys() == ends.keys()
    assert all(told[asset].endswith(end) for asset, end in ends.items())


def test_on_the_same_tape_news_are_exact() -> None:
    tape = tape_of("BTC", "ETH", "DOGE")
    seen = Point(NOON_NS // NS_PER_MS, EPOCH, 2)

    assert tape.news_for(seen, ["BTC", "ETH", "DOGE", "NEW"], NOON_NS) == (
        "DOGE",
        "NEW",
    )


def test_from_another_process_news_are_taken_by_time_with_a_margin() -> None:
    tape = tape_of("BTC", "ETH", "DOGE")
    now_ns = NOON_NS + 10 * NS_PER_S

    def news(at_ns: int) -> tuple[str, ...] | None:
        seen = Point((at_ns + MARGIN_NS) // NS_PER_MS, OTHER, 99)
        return tape.news_for(seen, sorted(ALL), now_ns)

    assert news(NOON_NS - 1_000_000) == ("BTC", "DOGE", "ETH")
    assert news(NOON_NS) == ("DOGE", "ETH")
    assert news(NOON_NS + NS_PER_S) == ("DOGE",)
    assert news(NOON_NS + 2 * NS_PER_S) == ()


@pytest.mark.parametrize(
    "point",
    [
        Point(NOON_NS // NS_PER_MS, EPOCH, 4),
        Point(NOON_NS // NS_PER_MS + 2_000, OTHER, 1),
    ],
)
def test_a_place_in_the_future_says_nothing(point: Point) -> None:
    assert tape_of("BTC", "ETH", "DOGE").news_for(point, ALL, NOON_NS) is None


def test_a_client_that_is_owed_nothing_reads() -> None:
    reading = Reading(0)

    assert [reading.silent_ns(0, now_ns) for now_ns in (5, 100)] == [0, 0]


def test_a_client_whose_debt_does_not_shrink_does_not_read() -> None:
    reading = Reading(0)
    reading.wrote(500)

    assert [reading.silent_ns(500, now_ns) for now_ns in (5, 100)] == [5, 100]


def test_each_byte_taken_is_a_proof() -> None:
    reading = Reading(0)
    reading.wrote(500)

    assert reading.silent_ns(499, 100) == 0
    assert reading.silent_ns(499, 150) == 50


def test_a_write_on_top_of_a_debt_proves_nothing() -> None:
    reading = Reading(0)
    reading.wrote(500)
    reading.wrote(700)

    assert reading.silent_ns(700, 100) == 100
