"""What the UDP listener keeps is bounded, whatever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trinity_beast.features.limits import KeyLimits
from trinity_beast.features.prices.udp_memo import Known, Memo
from trinity_beast.features.prices.udp_prepared import PreparedAnswers

if TYPE_CHECKING:
    from support.lpo import World


@pytest.fixture
def answers(world: World) -> PreparedAnswers:
    parts = world.parts
    return PreparedAnswers(parts.board, parts.catalogue, parts.parameters)


async def a_known(world: World, answers: PreparedAnswers, *, is_batch: bool) -> Known:
    slot = await world.parts.keys.slot(world.new_key())
    now_ns = world.clock.now_ns()
    terms = world.parts.keys.terms_of(slot, now_ns)
    world.parts.limiter.check(slot, terms, now_ns)
    assert isinstance(slot.state, KeyLimits)
    prepared = answers.of(("BTC",), is_batch=is_batch)
    return Known(slot, slot.state, prepared, answers.moment(now_ns))


async def test_the_oldest_datagrams_go_when_there_is_no_room(
    world: World,
    answers: PreparedAnswers,
) -> None:
    memo = Memo(most_bytes=10_000)
    one = await a_known(world, answers, is_batch=False)
    some = await a_known(world, answers, is_batch=True)

    for number in range(100):
        memo.note(b"one %03d" % number, one)
    assert len(memo) == 14
    assert (memo.get(b"one 085"), memo.get(b"one 086")) == (None, one)

    for number in range(100):
        memo.note(b"some %03d" % number, some)
    assert len(memo) == 4


async def test_noting_a_datagram_again_takes_no_more_room(
    world: World,
    answers: PreparedAnswers,
) -> None:
    memo = Memo(most_bytes=2_000)
    one = await a_known(world, answers, is_batch=False)

    for _ in range(10):
        memo.note(b"a", one)
        memo.note(b"b", one)

    assert (memo.get(b"a"), memo.get(b"b")) == (one, one)


def test_answers_to_all_that_is_ever_asked_are_not_kept(
    answers: PreparedAnswers,
) -> None:
    first = answers.of(("A0",), is_batch=False)
    first_list = answers.of(("A0",), is_batch=True)

    for number in range(5_000):
        answers.of((f"A{number}",), is_batch=False)
        answers.of((f"A{number}",), is_batch=True)

    assert answers.of(("A0",), is_batch=False) is not first
    assert answers.of(("A0",), is_batch=True) is not first_list


def test_an_answer_is_worked_out_once_for_a_moment(
    world: World,
    answers: PreparedAnswers,
) -> None:
    world.trade("BTC", "65000.10")
    moment = answers.moment(world.clock.now_ns())
    one, some = (answers.of(("BTC",), is_batch=each) for each in (False, True))
    for prepared in (one, some):
        prepared.bring_up_to_date(moment)
    bodies = one.body, some.body
    world.trade("BTC", "1.0")

    for prepared in (one, some):
        prepared.bring_up_to_date(moment)

    assert (one.body, some.body) == bodies
