"""A slice of a month, by itself."""

from __future__ import annotations

from support.clocks import NOON_NS
from trinity_beast.features.limits.month_lease import MonthLease, Others
from trinity_beast.kernel.time import NS_PER_S, month_start_ns
from trinity_beast.ports.leases import MonthAsk, MonthSlice

OCTOBER_NS = month_start_ns(202610)
STEADY_NS = 9 * NS_PER_S
AMONG_TWO = Others(live=2, are_known=True, margin=0)


class Stock:
    """A lease and how often it asked for more."""

    def __init__(self, limit: int | None = 100, used: int = 0) -> None:
        self.woken = 0
        self.lease = MonthLease(NOON_NS, used, limit, self.wake)

    def wake(self) -> None:
        self.woken += 1

    def take(self, times: int) -> int:
        return sum(self.lease.reserve(NOON_NS) for _ in range(times))

    def ask(self, *, resting: bool = False, keep: bool = True) -> MonthAsk:
        ask = self.lease.ask(STEADY_NS, resting=resting, keep=keep)
        assert ask is not None
        return ask

    def fill(self, granted: int, used: int, share: int = 0) -> MonthAsk:
        ask = self.ask()
        given = MonthSlice(granted, used, share, share)
        self.lease.take_in(ask, given, STEADY_NS)
        return ask


def test_an_empty_slice_asks_and_refuses_for_now() -> None:
    stock = Stock(used=7)

    assert stock.take(2) == 0
    assert stock.woken == 2
    assert stock.lease.is_promising()
    assert stock.lease.remaining == 93
    assert stock.ask() == MonthAsk(202609, 100, OCTOBER_NS, want=2)


def test_places_are_used_and_those_that_do_not_count_come_back() -> None:
    stock = Stock()
    stock.fill(3, used=10)

    taken = stock.take(4)
    stock.lease.settle(202609, counted=True)
    stock.lease.settle(202609, counted=False)
    stock.lease.settle(202608, counted=False)

    assert taken == 3
    assert stock.lease.slice.held == 1
    assert stock.lease.remaining == 91


def test_a_month_that_has_nothing_is_not_asked_again_at_once() -> None:
    stock = Stock()
    stock.take(1)
    stock.fill(0, used=100)
    stock.woken = 0

    assert (stock.take(1), stock.woken) == (0, 0)
    assert not stock.lease.is_promising()
    stock.lease.limit = 200
    assert stock.lease.is_promising()
    assert stock.woken == 1


def test_a_share_of_the_own_is_given_up_before_a_month_is_dry() -> None:
    stock = Stock()
    stock.take(1)
    ask = stock.ask()
    stock.lease.take_in(ask, MonthSlice(0, 95, 5, 0), STEADY_NS)

    assert stock.lease.is_promising()
    assert stock.ask().share == 0


def test_no_limit_needs_no_count() -> None:
    stock = Stock(limit=None)

    assert stock.take(3) == 3
    assert stock.lease.remaining is None
    assert stock.lease.ask(STEADY_NS, resting=False, keep=True) is None
    assert not stock.lease.is_promising()


def test_what_was_admitted_without_a_limit_gives_no_place_to_one() -> None:
    stock = Stock(limit=None)
    stock.take(2)
    stock.lease.limit = 50
    stock.lease.limit = 50

    stock.lease.settle(202609, counted=False)
    stock.lease.settle(202609, counted=True)

    assert stock.lease.slice.held == 0
    assert stock.woken == 1


def test_a_new_month_begins_with_nothing() -> None:
    stock = Stock()
    late = stock.ask()
    stock.fill(5, used=50, share=20)

    admitted = stock.lease.reserve(OCTOBER_NS)
    stock.lease.take_in(late, MonthSlice(5, 60, 20, 20), STEADY_NS)

    assert not admitted
    assert (stock.lease.month, stock.lease.remaining) == (202610, 100)
    assert (stock.lease.slice.held, stock.lease.share) == (0, 0)


def test_a_row_that_says_more_raises_the_count_and_one_that_says_less_does_not() -> (
    None
):
    stock = Stock()
    stock.fill(0, used=50)
    stock.woken = 0

    stock.lease.raise_to(50)
    quiet = stock.woken
    stock.lease.raise_to(60)

    assert (quiet, stock.woken) == (0, 1)
    assert stock.ask().known == 60


def test_a_reset_by_hand_forgets_what_is_held_and_is_told_until_it_is_heard() -> None:
    stock = Stock()
    stock.fill(5, used=90)

    stock.lease.set_back_to(10)
    unheard = stock.ask()
    heard = stock.fill(2, used=12)

    assert stock.take(3) == 2
    assert (unheard.reset_to, heard.reset_to, stock.ask().reset_to) == (10, 10, None)
    assert stock.lease.remaining == 88


def test_a_reset_is_known_before_the_count_was_met() -> None:
    stock = Stock(used=90)

    stock.lease.set_back_to(10)

    assert stock.ask()[5:] == (None, 0, 0, 10, True)
    assert stock.lease.remaining == 90


def test_a_share_is_used_while_the_count_is_away_and_reported_after() -> None:
    stock = Stock()
    stock.fill(2, used=50, share=4)
    stock.lease.stand_alone(AMONG_TWO, None, STEADY_NS)
    stock.lease.stand_alone(Others(1, are_known=True, margin=0), None, STEADY_NS)

    admitted = stock.take(9)
    remaining = stock.lease.remaining
    report = stock.ask()
    stock.lease.take_in(report, MonthSlice(0, 54, 0, 0), STEADY_NS)

    assert (admitted, remaining) == (6, 46)
    assert (report.unreported, report.share) == (4, 0)
    assert (stock.lease.unreported, stock.lease.remaining) == (0, 46)
    assert not stock.lease.is_standing_alone


def test_what_is_used_while_a_report_is_under_way_comes_with_the_next_one() -> None:
    stock = Stock()
    stock.fill(0, used=50, share=6)
    stock.lease.stand_alone(AMONG_TWO, None, STEADY_NS)
    stock.take(2)
    report = stock.ask()
    stock.take(3)

    stock.lease.take_in(report, MonthSlice(0, 52, 4, 4), STEADY_NS)

    assert (report.unreported, report.share) == (2, 4)
    assert (stock.lease.unreported, stock.lease.share) == (3, 1)
    assert stock.ask()[6:8] == (3, 1)


def test_a_report_whose_answer_was_lost_is_sent_again() -> None:
    stock = Stock()
    stock.fill(0, used=50, share=6)
    stock.lease.stand_alone(AMONG_TWO, None, STEADY_NS)
    stock.take(2)

    assert [stock.ask().unreported for _ in range(2)] == [2, 2]


def test_a_share_that_was_agreed_on_long_ago_holds_no_more() -> None:
    stock = Stock()
    stock.fill(0, used=50, share=6)

    stock.lease.stand_alone(AMONG_TWO, None, STEADY_NS + 3_000 * NS_PER_S)

    assert stock.take(1) == 0


def test_a_lone_process_has_all_that_is_left_but_what_it_asked_for() -> None:
    stock = Stock()
    stock.fill(3, used=50)
    stock.take(5)
    under_way = stock.ask()

    stock.lease.stand_alone(Others(1, are_known=True, margin=9), 40, STEADY_NS)

    # What it asked for may have been debited, and is held when the answer comes.
    assert under_way.want > 0
    assert stock.take(99) == 50 - under_way.want


def test_a_key_that_is_new_here_gets_a_quarter_of_the_part_that_is_surely_left() -> (
    None
):
    stock = Stock()
    cautious = Others(live=2, are_known=True, margin=20)

    stock.lease.stand_alone(cautious, 16, STEADY_NS)

    assert stock.take(99) == (100 - 16 - 20) // 8
    assert stock.lease.remaining == 92


def test_who_knows_neither_others_nor_rows_grants_nothing() -> None:
    stranger, blind = Stock(), Stock()

    stranger.lease.stand_alone(Others(2, are_known=False, margin=0), 0, STEADY_NS)
    blind.lease.stand_alone(AMONG_TWO, None, STEADY_NS)

    assert (stranger.take(1), blind.take(1)) == (0, 0)
    assert not stranger.lease.is_promising()


def test_a_key_at_rest_gives_its_places_back_and_a_released_share_goes() -> None:
    stock = Stock()
    stock.fill(5, used=50, share=8)

    kept = stock.ask(resting=True)
    stock.lease.release()
    released = stock.ask(resting=True)

    assert (kept.back, kept.want, kept.share) == (5, 0, 8)
    assert released.share == 0
    assert not stock.ask(keep=False).keep
