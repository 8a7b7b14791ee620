"""Event streams, in whatever pieces the network brings them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from trinity_beast.client.events import EventReader, StreamEvent

STREAM = (
    "\ufeffretry: 2000\r\n: comment\r\n\r\n"
    "event: price\r\nid: 1-abc-2\r\ndata: {\rdata: }\n\n"
    "data:two\ndata: \ndata\n\n"
    "event: é💶\rdata: x\r\r"
    "event: forgotten\n\n"
    "data: y\r\n\r\n"
)
EVENTS = [
    StreamEvent("price", "{\n}", "1-abc-2"),
    StreamEvent("message", "two\n\n", None),
    StreamEvent("é💶", "x", None),
    StreamEvent("message", "y", None),
]


def read(pieces: list[bytes]) -> tuple[list[StreamEvent], float | None]:
    reader = EventReader()
    found = [event for piece in pieces for event in reader.feed(piece)]
    return found, reader.retry_s


@given(st.lists(st.integers(0, len(STREAM.encode()))))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    raw = STREAM.encode()
    edges = [0, *sorted(cuts), len(raw)]

    assert read([raw[a:b] for a, b in pairwise(edges)]) == (EVENTS, 2.0)


def test_a_byte_at_a_time_is_fine() -> None:
    assert read([bytes([byte]) for byte in STREAM.encode()]) == (EVENTS, 2.0)


@given(st.lists(st.binary()))
def test_nothing_that_comes_breaks_the_reader(pieces: list[bytes]) -> None:
    read(pieces)


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n"])
def test_each_kind_of_line_end_ends_a_line(ending: str) -> None:
    raw = f"data: 1{ending}{ending}data: 2{ending}{ending}".encode()

    found, _ = read([raw])

    assert [event.data for event in found] == ["1", "2"]
