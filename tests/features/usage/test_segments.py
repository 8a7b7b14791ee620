from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from trinity_beast.features.usage.segments import Segment, framed, parse_segment

BODIES = st.lists(st.binary(min_size=1, max_size=50), max_size=8)


@given(bodies=BODIES)
def test_bodies_come_back_in_order(bodies: list[bytes]) -> None:
    assert parse_segment(framed(bodies)) == Segment(tuple(bodies))


@given(bodies=BODIES.filter(bool), cut=st.integers(min_value=1))
def test_a_tail_that_was_cut_off_costs_only_the_cut_bodies(
    bodies: list[bytes],
    cut: int,
) -> None:
    data = framed(bodies)
    kept = data[: -(1 + cut % len(data))]

    segment = parse_segment(kept)

    whole = len(segment.bodies)
    assert segment.bodies == tuple(bodies[:whole])
    assert len(kept) < len(framed(bodies[: whole + 1]))
    assert segment.fault == ("" if kept == framed(bodies[:whole]) else "torn")


@pytest.mark.parametrize(
    ("tail", "fault"),
    [
        (bytes(4_096), "torn"),  # a crash left zeros where the write should be
        (b"\x05", "torn"),
        (framed([b"second"])[:-1] + b"X", "damaged"),
    ],
)
def test_what_stands_before_a_bad_frame_is_kept(tail: bytes, fault: str) -> None:
    segment = parse_segment(framed([b"first"]) + tail + framed([b"third"]))

    assert segment == Segment((b"first",), fault)
