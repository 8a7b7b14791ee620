"""Datagrams wait for keys, and each is told what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trinity_beast.features.keys import KeySlot, KeyUnknown
from trinity_beast.features.prices.udp_lookups import Found, KeyLookups
from trinity_beast.kernel.errors import Unavailable

if TYPE_CHECKING:
    from support.clocks import FixedClock


async def nobody() -> tuple[KeySlot, ...]:
    raise KeyUnknown


async def broken() -> tuple[KeySlot, ...]:
    raise ZeroDivisionError


async def test_all_who_wait_for_a_key_are_told(clock: FixedClock) -> None:
    lookups, told = KeyLookups(clock), list[Found]()
    for _ in range(3):
        lookups.wait("key", nobody, told.append, 1)
    waiting = len(lookups)

    await lookups.finish()
    await lookups.finish()

    assert (waiting, len(lookups)) == (3, 0)
    assert [type(each) for each in told] == [KeyUnknown] * 3


async def test_one_whose_answer_fails_does_not_take_it_from_others(
    clock: FixedClock,
) -> None:
    lookups, told = KeyLookups(clock), list[Found]()

    def fail(_found: Found) -> None:
        raise ZeroDivisionError

    for waiter in (fail, told.append):
        lookups.wait("key", nobody, waiter, 1)
    await lookups.finish()

    assert len(told) == 1


async def test_a_lookup_that_breaks_is_nobodys_fault(clock: FixedClock) -> None:
    lookups, told = KeyLookups(clock), list[Found]()

    lookups.wait("key", broken, told.append, 1)
    await lookups.finish()

    assert [type(each) for each in told] == [Unavailable]
