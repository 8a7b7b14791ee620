"""What strangers may cost is bounded, for each address and in memory."""

from __future__ import annotations

from hypothesis import given, strategies as st

from trinity_beast.features.prices.udp_budget import AddressBudget
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.toolkit.udp import sender_of

ONE, OTHER = sender_of("203.0.113.1"), sender_of("203.0.113.2")


def test_an_address_gets_so_many_in_a_second() -> None:
    budget = AddressBudget(5)

    granted = [budget.take(ONE, 0) for _ in range(7)]

    assert granted == [True] * 5 + [False] * 2
    assert budget.take(OTHER, 0)
    assert not budget.take(ONE, NS_PER_S - 1)
    assert budget.take(ONE, NS_PER_S)


@given(st.lists(st.integers(0, NS_PER_S // 2), max_size=60))
def test_no_second_sees_more(pauses_ns: list[int]) -> None:
    budget, now_ns, granted = AddressBudget(5), 0, list[int]()
    for pause_ns in pauses_ns:
        now_ns += pause_ns
        if budget.take(ONE, now_ns):
            granted.append(now_ns)

    for start_ns in granted:
        within = [at for at in granted if start_ns <= at < start_ns + NS_PER_S]
        assert len(within) <= 5


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    budget = AddressBudget(1)

    assert budget.take(sender_of("2001:db8:1:2::1"), 0)
    assert not budget.take(sender_of("2001:db8:1:2:ffff::9"), 0)
    assert budget.take(sender_of("2001:db8:1:3::1"), 0)


def test_a_flood_of_made_up_addresses_takes_no_more_memory() -> None:
    budget = AddressBudget(5, most_addresses=100)

    granted = [budget.take(number, 0) for number in range(1_000)]

    assert granted == [True] * 100 + [False] * 900
    assert len(budget) == 100
    assert budget.take(5_000, NS_PER_S)
    assert len(budget) == 100
