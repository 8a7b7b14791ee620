"""A number is used once, whatever the clocks do, in bounded memory."""

from __future__ import annotations

from hypothesis import given, strategies as st

from trinity_beast.features.prices.udp_replay import ReplayWindow
from trinity_beast.features.prices.udp_wire import WINDOW_MS

NOW_MS = 1_790_000_000_000


def test_a_number_is_used_once_for_each_key() -> None:
    window = ReplayWindow()

    claims = [
        window.claim(key, nonce, NOW_MS, NOW_MS)
        for key, nonce in [("a", 1), ("a", 2), ("b", 1), ("a", 1)]
    ]

    assert claims == ["new", "new", "new", "used"]
    assert len(window) == 3


def test_a_number_is_remembered_as_long_as_its_datagram_is_accepted() -> None:
    window = ReplayWindow()
    sent_ms = NOW_MS + WINDOW_MS
    window.claim("a", 1, sent_ms, NOW_MS)

    assert window.claim("a", 1, sent_ms, NOW_MS + 2 * WINDOW_MS) == "used"


def test_what_can_come_no_more_is_forgotten() -> None:
    window = ReplayWindow()
    for nonce in range(100):
        window.claim("a", nonce, NOW_MS, NOW_MS)

    later_ms = NOW_MS + WINDOW_MS + 4_000
    assert window.claim("b", 1, later_ms, later_ms) == "new"
    assert len(window) == 1


def test_a_key_that_fills_its_part_leaves_room_for_others() -> None:
    window = ReplayWindow(most=5, most_of_key=2)

    claims = [window.claim("a", nonce, NOW_MS, NOW_MS) for nonce in (1, 2, 3, 1)]

    assert claims == ["new", "new", "full", "used"]
    assert window.claim("b", 1, NOW_MS, NOW_MS) == "new"


def test_a_full_window_takes_nothing_until_it_empties() -> None:
    window = ReplayWindow(most=2)
    assert [window.claim(key, 1, NOW_MS, NOW_MS) for key in "abc"] == [
        "new",
        "new",
        "full",
    ]

    later_ms = NOW_MS + WINDOW_MS + 4_000
    assert window.claim("c", 1, later_ms, later_ms) == "new"


def test_a_clock_that_went_back_a_little_lets_nothing_in_twice() -> None:
    window = ReplayWindow()
    window.claim("a", 1, NOW_MS, NOW_MS)
    window.claim("a", 2, NOW_MS + 60_000, NOW_MS + 60_000)

    assert window.claim("a", 1, NOW_MS, NOW_MS) == "used"


def test_a_clock_that_was_set_right_after_a_year_ahead_stops_nobody() -> None:
    window = ReplayWindow()
    ahead_ms = NOW_MS + 365 * 86_400_000
    window.claim("a", 1, ahead_ms, ahead_ms)

    assert window.claim("a", 2, NOW_MS, NOW_MS) == "new"


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 3),
            st.integers(-WINDOW_MS, WINDOW_MS),
            st.integers(0, 20_000),
        ),
        max_size=60,
    ),
)
def test_nothing_is_ever_let_in_twice(steps: list[tuple[str, int, int, int]]) -> None:
    window, now_ms = ReplayWindow(most=8, most_of_key=5), NOW_MS
    let_in: set[tuple[str, int, int]] = set()
    for key, nonce, off_ms, pass_ms in steps:
        now_ms += pass_ms
        sent_ms = (now_ms + off_ms) // 10_000 * 10_000
        if abs(now_ms - sent_ms) > WINDOW_MS:
            continue
        datagram = (key, nonce, sent_ms)
        if window.claim(*datagram, now_ms) == "new":
            assert datagram not in let_in
            let_in.add(datagram)
        assert len(window) <= 8
