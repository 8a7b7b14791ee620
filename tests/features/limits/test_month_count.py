"""The month's count: never more than the limit, and never back in time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from support.clocks import NOON_NS
from trinity_beast.features.limits import MonthCount
from trinity_beast.kernel.time import NS_PER_S, month_of, month_start_ns

DAY_NS = 86_400 * NS_PER_S
SEPTEMBER_NS = month_start_ns(202609)
OCTOBER_NS = month_start_ns(202610)


def a_month(used: int = 0, limit: int | None = 3) -> MonthCount:
    return MonthCount(NOON_NS, used, limit)


def state(count: MonthCount) -> tuple[int, int, int, int | None]:
    return (count.month, count.used, count.reserved, count.remaining)


def test_it_admits_as_many_as_the_limit_says() -> None:
    count = a_month(used=1)

    assert [count.may(NOON_NS), count.count(NOON_NS)] == [True, True]
    assert [count.may(NOON_NS), count.count(NOON_NS)] == [True, True]
    assert [count.may(NOON_NS), count.count(NOON_NS)] == [False, False]
    assert state(count) == (202609, 3, 0, 0)


def test_requests_in_flight_take_their_place_at_once() -> None:
    count = a_month()

    assert [count.reserve(NOON_NS) for _ in range(5)] == [True] * 3 + [False] * 2
    assert state(count) == (202609, 0, 3, 0)


def test_only_an_answer_keeps_its_place() -> None:
    count = a_month()
    for counted in (True, False, True):
        count.reserve(NOON_NS)
        count.settle(202609, counted=counted)

    assert state(count) == (202609, 2, 0, 1)


def test_no_limit_still_counts() -> None:
    count = a_month(limit=None)

    assert all(count.count(NOON_NS) for _ in range(5))
    assert count.may(NOON_NS)
    assert state(count) == (202609, 5, 0, None)


def test_a_limit_of_zero_admits_nothing() -> None:
    count = a_month(limit=0)

    assert not count.may(NOON_NS)
    assert not count.reserve(NOON_NS)
    assert count.remaining == 0


def test_a_lowered_limit_may_be_below_what_is_used() -> None:
    count = a_month(used=3, limit=5)

    count.limit = 2

    assert not count.reserve(NOON_NS)
    assert count.remaining == 0


@pytest.mark.parametrize("asking", [MonthCount.may, MonthCount.reserve])
def test_it_begins_anew_with_the_first_instant_of_the_month(asking: object) -> None:
    assert callable(asking)
    count = a_month(used=3)
    assert (count.starts_at_ns, count.resets_at_ns) == (SEPTEMBER_NS, OCTOBER_NS)

    assert asking(count, OCTOBER_NS - 1) is False
    assert asking(count, OCTOBER_NS) is True

    assert (count.month, count.used) == (202610, 0)
    assert count.starts_at_ns == OCTOBER_NS
    assert count.resets_at_ns == month_start_ns(202611)


def test_an_answer_belongs_to_the_month_of_its_request() -> None:
    count = a_month()
    count.reserve(OCTOBER_NS - 1)
    count.reserve(OCTOBER_NS)

    count.settle(202609, counted=True)

    assert state(count) == (202610, 0, 1, 2)


def test_a_clock_that_jumps_back_opens_no_earlier_month() -> None:
    count = a_month(used=3)
    count.count(OCTOBER_NS)

    admitted = [count.count(OCTOBER_NS - 1) for _ in range(4)]

    assert admitted == [True, True, False, False]
    assert state(count) == (202610, 3, 0, 0)


def test_it_learns_of_more_and_not_of_less() -> None:
    count = a_month(used=1, limit=9)

    count.raise_to(4)
    count.raise_to(2)

    assert state(count) == (202609, 4, 0, 5)


def test_it_can_be_set_back_without_losing_those_in_flight() -> None:
    count = a_month(used=2)
    count.reserve(NOON_NS)

    count.set_back_to(0)
    count.settle(202609, counted=True)

    assert state(count) == (202609, 1, 0, 2)


@given(st.lists(st.integers(-80, 80), max_size=80), st.integers(1, 5))
def test_no_month_is_ever_admitted_more_than_its_limit(
    days: list[int],
    limit: int,
) -> None:
    """Whatever the wall clock does, forth and back."""
    count = MonthCount(NOON_NS, 0, limit)
    admitted: dict[int, int] = {}
    months: list[int] = []

    for day in days:
        if count.count(NOON_NS + day * DAY_NS):
            admitted[count.month] = admitted.get(count.month, 0) + 1
        months.append(count.month)

    assert all(number <= limit for number in admitted.values())
    assert months == sorted(months)
    assert all(
        m >= month_of(NOON_NS + d * DAY_NS) for m, d in zip(months, days, strict=True)
    )


class ManyInFlight(RuleBasedStateMachine):
    """Requests begin and end in any order, across the ends of months."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = OCTOBER_NS - 3 * DAY_NS
        self.count = MonthCount(self.now_ns, 0, 4)
        self.flying: list[int] = []
        self.answered: dict[int, int] = {}

    @rule()
    def ask(self) -> None:
        if self.count.reserve(self.now_ns):
            self.flying.append(self.count.month)

    @precondition(lambda self: bool(self.flying))
    @rule(which=st.integers(0, 99), counted=st.booleans())
    def end(self, which: int, counted: bool) -> None:  # noqa: FBT001 - drawn
        month = self.flying.pop(which % len(self.flying))
        self.count.settle(month, counted=counted)
        self.answered[month] = self.answered.get(month, 0) + counted

    @rule(days=st.integers(1, 40))
    def wait(self, days: int) -> None:
        self.now_ns += days * DAY_NS

    @invariant()
    def no_month_has_more_answers_and_flights_than_its_limit(self) -> None:
        for month in {*self.answered, *self.flying}:
            assert self.answered.get(month, 0) + self.flying.count(month) <= 4

    @invariant()
    def the_count_is_that_of_its_month(self) -> None:
        month = self.count.month
        assert self.count.used == self.answered.get(month, 0)
        assert self.count.reserved == self.flying.count(month)


TestManyInFlight = ManyInFlight.TestCase
TestManyInFlight.settings = settings(max_examples=40, stateful_step_count=30)
