"""A source that fails is left alone, and tried again a bit later each time."""

from __future__ import annotations

import pytest

from trinity_beast.features.sources.breaker import Breaker, Pace
from trinity_beast.kernel.time import NS_PER_S


def at(seconds: float) -> int:
    return round(seconds * NS_PER_S)


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(failures=3, first_pause_s=5, longest_pause_s=20)


def opened(breaker: Breaker) -> None:
    """Let it open at 0 s, until 5 s."""
    for _ in range(3):
        assert breaker.may_ask(0)
        breaker.failed(0)


def test_two_failures_are_nothing(breaker: Breaker) -> None:
    breaker.failed(0)
    breaker.failed(0)

    assert breaker.may_ask(0)
    assert breaker.state == "closed"


def test_only_failures_in_a_row_count(breaker: Breaker) -> None:
    for _ in range(5):
        breaker.failed(0)
        breaker.failed(0)
        breaker.succeeded()

    assert breaker.may_ask(0)


def test_the_third_failure_opens_it_for_the_first_pause(breaker: Breaker) -> None:
    opened(breaker)

    assert breaker.state == "open"
    assert not breaker.may_ask(at(4.9))
    assert breaker.may_ask(at(5))


def test_after_the_pause_one_probe_goes(breaker: Breaker) -> None:
    opened(breaker)

    assert [breaker.may_ask(at(5)) for _ in range(3)] == [True, False, False]
    assert breaker.state == "probing"


def test_a_good_probe_closes_it(breaker: Breaker) -> None:
    opened(breaker)
    breaker.may_ask(at(5))
    breaker.succeeded()

    assert [breaker.may_ask(at(5)) for _ in range(3)] == [True, True, True]
    assert breaker.state == "closed"


def test_each_bad_probe_doubles_the_pause_up_to_the_longest(breaker: Breaker) -> None:
    opened(breaker)
    now_s, pauses_s = 5.0, list[float]()
    for _ in range(4):
        assert breaker.may_ask(at(now_s))
        breaker.failed(at(now_s))
        began_s = now_s
        while not breaker.may_ask(at(now_s)):
            now_s += 1
        pauses_s.append(now_s - began_s)
        breaker.failed(at(now_s))
        now_s += 20

    assert pauses_s == [10, 20, 20, 20]


def test_questions_on_their_way_when_it_opens_do_not_lengthen_the_pause(
    breaker: Breaker,
) -> None:
    opened(breaker)
    for _ in range(10):
        breaker.failed(at(1))

    assert breaker.may_ask(at(5))


def test_a_late_good_answer_closes_it(breaker: Breaker) -> None:
    opened(breaker)
    breaker.succeeded()

    assert breaker.may_ask(at(0))


def test_a_lost_probe_is_followed_by_another(breaker: Breaker) -> None:
    opened(breaker)
    assert breaker.may_ask(at(5))

    assert not breaker.may_ask(at(9.9))
    assert breaker.may_ask(at(10))


def test_a_source_may_open_it_at_once(breaker: Breaker) -> None:
    breaker.failed(0, at_once=True)

    assert not breaker.may_ask(at(4.9))


def test_a_pace_gives_its_burst_and_then_its_rate() -> None:
    pace = Pace(2.0, 3)

    assert [pace.take(0) for _ in range(4)] == [True, True, True, False]
    assert [pace.take(at(0.5)) for _ in range(2)] == [True, False]
    assert [pace.take(at(60)) for _ in range(4)] == [True, True, True, False]
