from __future__ import annotations

from support.randomness import SeededRandomness
from trinity_beast.features.feeds.backoff import Backoff
from trinity_beast.kernel.time import NS_PER_S


class HighestJitter:
    """Draws the longest pause each time."""

    def token_bytes(self, count: int) -> bytes:
        return bytes(count)

    def uniform(self, low: float, high: float) -> float:
        del low
        return high


def test_the_first_connection_is_made_at_once() -> None:
    assert Backoff(SeededRandomness()).pause_s(0) == 0


def test_pauses_double_from_a_fifth_of_a_second_to_a_minute() -> None:
    backoff = Backoff(HighestJitter())
    pauses: list[float] = []
    now_ns = 0
    for _ in range(11):
        backoff.attempted(now_ns)
        now_ns += 100 * NS_PER_S
        pauses.append(backoff.pause_s(now_ns))

    assert pauses == [0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60, 60]


def test_pauses_are_drawn_from_their_upper_half() -> None:
    backoff = Backoff(SeededRandomness())
    for _ in range(4):
        backoff.attempted(0)

    pauses = [backoff.pause_s(0) for _ in range(100)]

    assert 1.6 <= min(pauses) < 1.8
    assert 3.0 < max(pauses) <= 3.2


def test_trades_make_the_next_failure_the_first_again() -> None:
    backoff = Backoff(HighestJitter())
    for _ in range(9):
        backoff.attempted(0)

    backoff.data_flowed()

    assert backoff.pause_s(0) == 0.2


def test_a_venue_that_throws_us_out_sees_ten_connections_a_minute() -> None:
    backoff = Backoff(HighestJitter())
    connects_ns: list[int] = []
    now_ns = 0
    while now_ns < 600 * NS_PER_S:
        now_ns += round(backoff.pause_s(now_ns) * NS_PER_S)
        backoff.attempted(now_ns)
        backoff.data_flowed()
        connects_ns.append(now_ns)

    assert len(connects_ns) <= 110
    for first, eleventh in zip(connects_ns, connects_ns[10:], strict=False):
        assert eleventh - first >= 60 * NS_PER_S


def test_thousands_of_failures_do_not_overflow() -> None:
    backoff = Backoff(HighestJitter())
    for _ in range(5_000):
        backoff.attempted(0)

    assert backoff.pause_s(60 * NS_PER_S) == 60
