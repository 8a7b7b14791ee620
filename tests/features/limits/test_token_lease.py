"""A slice of a bucket, by itself."""

from __future__ import annotations

from trinity_beast.features.limits import NANOTOKENS, NEVER_NS
from trinity_beast.features.limits.token_lease import TokenLease
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S
from trinity_beast.ports.leases import BucketAsk, BucketSlice

START_NS = 50 * NS_PER_S


class Stock:
    """A lease and how often it asked for more."""

    def __init__(self, qps: int = 100, burst: int = 200) -> None:
        self.woken = 0
        self.lease = TokenLease(qps, burst, self.wake)
        self.now_ns = START_NS

    def wake(self) -> None:
        self.woken += 1

    def take(self, times: int = 1) -> list[int]:
        return [self.lease.take(self.now_ns) for _ in range(times)]

    def fill(self, granted: int, level: int = 0) -> BucketAsk:
        ask = self.lease.ask(self.now_ns, resting=False)
        self.lease.take_in(ask, BucketSlice(granted, level), self.now_ns)
        return ask


def test_an_empty_slice_asks_and_refuses_for_now() -> None:
    stock = Stock()

    assert stock.take() == [NS_PER_MS]
    assert stock.woken == 1
    assert stock.lease.is_promising(stock.now_ns)


def test_what_was_granted_is_there_and_half_of_it_asks_for_more() -> None:
    stock = Stock(qps=1_000)
    stock.fill(0, NANOTOKENS)
    stock.now_ns += 100 * NS_PER_MS
    stock.take(8)
    stock.fill(8, NANOTOKENS)
    stock.woken = 0

    assert stock.take(8) == [0] * 8
    assert stock.woken == 5
    assert stock.lease.slice.held == 0


def test_a_slice_is_a_tenth_of_a_second_of_what_was_used() -> None:
    stock = Stock(qps=10_000, burst=10_000)
    stock.take()
    stock.fill(1_000)
    stock.now_ns += 500 * NS_PER_MS
    stock.take(400)

    ask = stock.fill(0, NANOTOKENS)

    # 400 in half a second are 80 in a tenth; 600 are still held.
    assert ask == BucketAsk(10_000, 10_000, 0, back=440)
    assert stock.lease.slice.held == 160


def test_a_slice_is_at_most_a_tenth_of_the_bucket_but_for_those_who_wait() -> None:
    stock = Stock(qps=50, burst=200)
    stock.take(90)
    crowd = stock.fill(90, NANOTOKENS)
    stock.now_ns += NS_PER_MS
    stock.take(90)

    steady = stock.fill(20, NANOTOKENS)

    assert (crowd.want, steady.want) == (90, 20)


def test_a_dry_bucket_refuses_until_its_next_token_and_asks_nothing() -> None:
    stock = Stock(qps=10)
    stock.take()
    stock.fill(0, NANOTOKENS // 4)
    stock.woken = 0

    refused = stock.take()
    promising = stock.lease.is_promising(stock.now_ns)
    stock.now_ns += refused[0]
    stock.take()

    assert refused == [75 * NS_PER_MS]
    assert not promising
    assert stock.woken == 1


def test_tokens_that_no_bucket_holds_are_never_there() -> None:
    stock, closed = Stock(burst=2), Stock(qps=0, burst=0)

    assert stock.lease.take(stock.now_ns, 3) == NEVER_NS
    assert closed.take() == [NEVER_NS]
    assert not closed.lease.is_promising(closed.now_ns)
    assert closed.lease.level(closed.now_ns) == 0


def test_the_level_is_what_is_held_and_what_flowed_in_since() -> None:
    stock = Stock(qps=10, burst=20)
    before = stock.lease.level(stock.now_ns)
    stock.take(5)
    stock.fill(5, 3 * NANOTOKENS)

    levels = [
        stock.lease.level(stock.now_ns + wait_ms * NS_PER_MS)
        for wait_ms in (0, 100, 10_000)
    ]

    assert before == 20 * NANOTOKENS
    assert levels == [8 * NANOTOKENS, 9 * NANOTOKENS, 20 * NANOTOKENS]


def test_a_key_at_rest_gives_everything_back() -> None:
    stock = Stock()
    stock.take(7)
    stock.fill(7, NANOTOKENS)

    ask = stock.lease.ask(stock.now_ns, resting=True)

    assert ask == BucketAsk(100, 200, 0, back=7)
    assert stock.lease.slice.held == 0


def test_a_changed_rate_is_told_at_once_and_an_equal_one_is_not() -> None:
    stock = Stock()

    stock.lease.reconfigure(100, 200, stock.now_ns)
    same = stock.woken
    stock.lease.reconfigure(7, 9, stock.now_ns)

    assert (same, stock.woken) == (0, 1)
    assert stock.lease.ask(stock.now_ns, resting=True)[:2] == (7, 9)


def test_without_the_shared_bucket_each_process_has_its_part_of_the_rate() -> None:
    stock = Stock(qps=10, burst=20)
    stock.take(2)
    stock.fill(2, 12 * NANOTOKENS)

    stock.lease.stand_alone(4, stock.now_ns)
    stock.lease.stand_alone(1, stock.now_ns)
    level = stock.lease.level(stock.now_ns)
    taken = stock.take(7)
    stock.now_ns += taken[5]

    # Two are held, and three are a quarter of the twelve that the others see as well.
    assert level == 5 * NANOTOKENS
    assert taken[:5] == [0] * 5
    assert taken[5] == 400 * NS_PER_MS
    assert stock.take(2) == [0, 400 * NS_PER_MS]
    assert stock.lease.is_standing_alone
    assert not stock.lease.is_promising(stock.now_ns)


def test_the_smallest_bucket_still_gives_each_process_something() -> None:
    stock = Stock(qps=1, burst=1)
    stock.lease.stand_alone(3, stock.now_ns)

    first = stock.take()
    stock.lease.reconfigure(2, 2, stock.now_ns)
    stock.now_ns += 3 * NS_PER_S

    assert first == [0] or first[0] > 0
    assert stock.take() == [0]


def test_when_the_shared_bucket_is_back_it_counts_again() -> None:
    stock = Stock()
    stock.lease.stand_alone(1, stock.now_ns)
    stock.take(3)

    stock.fill(5, NANOTOKENS)

    assert not stock.lease.is_standing_alone
    assert stock.lease.level(stock.now_ns) == 6 * NANOTOKENS
