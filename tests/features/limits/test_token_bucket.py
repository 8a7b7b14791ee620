"""The bucket grants exactly what an honest count of the past allows."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import example, given, strategies as st

from trinity_beast.features.limits import NANOTOKENS, NEVER_NS, TokenBucket
from trinity_beast.kernel.time import NS_PER_S

HOUR_NS = 3_600 * NS_PER_S
START_NS = 10**15

rates = st.integers(1, 200)
depths = st.integers(1, 120)
# Standing still, bursts, whole and uneven steps, and gaps of hours.
steps_ns = st.one_of(
    st.just(0),
    st.integers(0, 20),
    st.integers(0, NS_PER_S),
    st.sampled_from([NS_PER_S // 3, NS_PER_S // 7, NS_PER_S - 1, NS_PER_S + 1]),
    st.integers(0, 100 * HOUR_NS),
)
requests = st.lists(st.tuples(steps_ns, st.integers(1, 3)), max_size=60)


class TrailingWindows:
    """Admits a request unless some window that ends with it would hold too much.

    A window of ``w`` seconds may hold ``burst + qps * w`` tokens.  It looks back at
    every request that was ever granted: slow, and obviously right.
    """

    def __init__(self, qps: int, burst: int) -> None:
        self._qps = qps
        self._burst = burst
        self._granted: list[tuple[int, int]] = []

    def take(self, now_ns: int, tokens: int) -> bool:
        windows = [(now_ns, tokens)]
        windows += [
            (at_ns, tokens + sum(taken for _, taken in self._granted[index:]))
            for index, (at_ns, _) in enumerate(self._granted)
        ]
        fits = all(
            held <= self._burst + Fraction(self._qps * (now_ns - at_ns), NS_PER_S)
            for at_ns, held in windows
        )
        if fits:
            self._granted.append((now_ns, tokens))
        return fits


class RealBucket:
    """A bucket counted in exact fractions of a token."""

    def __init__(self, qps: int, burst: int, now_ns: int) -> None:
        self._qps = qps
        self._burst = burst
        self._level = Fraction(burst)
        self._at_ns = now_ns

    def level(self, now_ns: int) -> Fraction:
        gained = Fraction(self._qps * (now_ns - self._at_ns), NS_PER_S)
        return min(Fraction(self._burst), self._level + gained)

    def take(self, now_ns: int, tokens: int) -> bool:
        level = self.level(now_ns)
        if level < tokens:
            return False
        self._level, self._at_ns = level - tokens, now_ns
        return True


def arrivals(asked: list[tuple[int, int]]) -> list[tuple[int, int]]:
    times_ns = accumulate((step for step, _ in asked), initial=START_NS)
    return list(zip(times_ns, (tokens for _, tokens in asked), strict=False))


@given(rates, depths, requests)
@example(3, 1, [(NS_PER_S // 3, 1), (NS_PER_S // 3, 1), (NS_PER_S // 3 + 1, 1)])
@example(7, 2, [(0, 1), (0, 1), (142_857_142, 1), (1, 1)])
def test_it_grants_what_every_trailing_window_has_room_for(
    qps: int,
    burst: int,
    asked: list[tuple[int, int]],
) -> None:
    bucket, oracle = TokenBucket(qps, burst, START_NS), TrailingWindows(qps, burst)

    for now_ns, tokens in arrivals(asked):
        assert (bucket.take(now_ns, tokens) == 0) == oracle.take(now_ns, tokens)


@given(rates, depths, requests)
def test_its_level_is_that_of_a_bucket_counted_in_fractions(
    qps: int,
    burst: int,
    asked: list[tuple[int, int]],
) -> None:
    bucket, oracle = TokenBucket(qps, burst, START_NS), RealBucket(qps, burst, START_NS)

    for now_ns, tokens in arrivals(asked):
        assert bucket.level(now_ns) == oracle.level(now_ns) * NANOTOKENS
        assert (bucket.take(now_ns, tokens) == 0) == oracle.take(now_ns, tokens)


@given(rates, depths, requests, st.integers(1, 3))
def test_the_wait_it_names_is_the_shortest_that_helps(
    qps: int,
    burst: int,
    asked: list[tuple[int, int]],
    tokens: int,
) -> None:
    bucket = TokenBucket(qps, burst, START_NS)
    now_ns = START_NS
    for now_ns, taken in arrivals(asked):
        bucket.take(now_ns, taken)

    wait_ns = bucket.take(now_ns, tokens)

    if tokens > burst:
        assert wait_ns == NEVER_NS
    elif wait_ns:
        assert bucket.take(now_ns + wait_ns - 1, tokens) == 1
        assert bucket.take(now_ns + wait_ns, tokens) == 0


def test_a_burst_empties_it_and_a_steady_rate_keeps_it_going() -> None:
    bucket = TokenBucket(5, 10, START_NS)

    burst = [bucket.take(START_NS) for _ in range(12)]
    steady = [bucket.take(START_NS + n * NS_PER_S // 5) for n in range(1, 6)]

    assert burst == [0] * 10 + [NS_PER_S // 5] * 2
    assert steady == [0] * 5


@pytest.mark.parametrize(("qps", "burst"), [(0, 0), (0, 5), (5, 0)])
def test_a_limit_of_zero_never_grants(qps: int, burst: int) -> None:
    bucket = TokenBucket(qps, burst, START_NS)

    assert bucket.take(START_NS) == NEVER_NS
    assert bucket.take(START_NS + 10**6 * HOUR_NS) == NEVER_NS
    assert bucket.level(START_NS) == 0


def test_a_refusal_takes_nothing() -> None:
    bucket = TokenBucket(1, 2, START_NS)
    bucket.take(START_NS)

    assert bucket.take(START_NS, 2) == NS_PER_S
    assert bucket.level(START_NS) == NANOTOKENS
    assert bucket.take(START_NS) == 0


def test_a_clock_that_goes_back_grants_nothing() -> None:
    bucket = TokenBucket(1, 1, START_NS)
    bucket.take(START_NS)

    assert bucket.take(START_NS - HOUR_NS) == HOUR_NS + NS_PER_S


@given(rates, depths, rates, depths, st.integers(0, 120), st.integers(0, NS_PER_S))
def test_new_limits_leave_it_as_full_as_it_was(
    qps: int,
    burst: int,
    new_qps: int,
    new_burst: int,
    taken: int,
    later_ns: int,
) -> None:
    bucket = TokenBucket(qps, burst, START_NS)
    bucket.take(START_NS, min(taken, burst) or 1)
    now_ns = START_NS + later_ns
    before = Fraction(bucket.level(now_ns), burst)

    bucket.reconfigure(new_qps, new_burst, now_ns)

    after = Fraction(bucket.level(now_ns), new_burst)
    assert before - Fraction(1, new_burst) < after <= before
    assert bucket.level(now_ns + NS_PER_S) == min(
        new_burst * NANOTOKENS,
        bucket.level(now_ns) + new_qps * NANOTOKENS,
    )


def test_the_same_limits_again_change_nothing() -> None:
    bucket = TokenBucket(7, 11, START_NS)
    bucket.take(START_NS, 9)
    now_ns = START_NS + 12_345_678

    level = bucket.level(now_ns)
    bucket.reconfigure(7, 11, now_ns)

    assert bucket.level(now_ns) == level


def test_limits_may_go_to_zero_and_come_back() -> None:
    bucket = TokenBucket(5, 10, START_NS)

    bucket.reconfigure(0, 0, START_NS)
    assert bucket.take(START_NS) == NEVER_NS
    bucket.reconfigure(5, 10, START_NS)
    assert bucket.level(START_NS) == 10 * NANOTOKENS
