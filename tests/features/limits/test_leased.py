"""Limits by leases, as one process and its callers see them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from support.clocks import NOON_NS, FixedClock
from support.crew import Crew, Process
from support.leases import SharedCount
from trinity_beast.features.limits import Limiter
from trinity_beast.kernel.time import NS_PER_S, month_start_ns

FAST = {"rate_limit_qps": 500, "burst_limit": 500, "minimum_wait_ms": 0}


async def a_crew(clock: FixedClock, size: int = 1, **key: object) -> Crew:
    crew = Crew(clock, size, **{**FAST, **key})
    await crew.start()
    return crew


async def use(process: Process, times: int) -> list[str]:
    return [await process.get() for _ in range(times)]


async def settled(process: Process) -> None:
    """Wait until no exchange is under way."""
    lease = process.grants.held_of(process.slot.key)
    while lease is not None and lease.exchange is not None:
        await lease.exchange


async def test_the_first_request_of_an_idle_key_waits_for_a_lease(
    clock: FixedClock,
) -> None:
    [lone] = (await a_crew(clock)).processes

    short = lone.check().code
    ordinary = await lone.get()

    assert short == "quota_exceeded"
    assert ordinary == "granted"


async def test_a_steady_caller_finds_a_lease_that_was_filled_up_in_the_background(
    clock: FixedClock,
) -> None:
    [lone] = (await a_crew(clock)).processes
    await use(lone, 5)
    await settled(lone)

    codes: list[object] = []
    for _ in range(20):
        decision = lone.check()
        lone.limiter.answered(decision, success=True)
        codes.append(decision.code)
        await settled(lone)

    assert codes == [None] * 20


async def test_a_crowd_that_comes_at_once_is_let_in_as_far_as_the_bucket_reaches(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, rate_limit_qps=5, burst_limit=60)

    said = await asyncio.gather(*(crew.processes[0].get() for _ in range(100)))

    assert said.count("granted") == 60
    assert said.count("rate_limited") == 40


async def test_a_refusal_is_final_until_the_next_token(clock: FixedClock) -> None:
    crew = await a_crew(clock, rate_limit_qps=2, burst_limit=1)
    [lone] = crew.processes
    await lone.get()
    refused = await lone.ask()
    asked = lone.wire.exchanges

    again = [(await lone.ask()).code for _ in range(3)]
    clock.advance(0.5)
    granted = await lone.get()

    assert (refused.code, refused.retry_after_ms) == ("rate_limited", 500)
    assert again == ["rate_limited"] * 3
    assert granted == "granted"
    assert lone.wire.exchanges <= asked + 2


async def test_two_processes_share_one_bucket_and_one_month(clock: FixedClock) -> None:
    crew = await a_crew(clock, 2, rate_limit_qps=1, burst_limit=20)
    ann, bob = crew.processes

    said = await use(ann, 15) + await use(bob, 15)

    tokens, places = map(sum, zip(ann.held(), bob.held(), strict=True))
    assert said.count("granted") + tokens == 20
    assert crew.used() == said.count("granted") + places


async def test_the_count_begins_with_what_the_row_says_now(clock: FixedClock) -> None:
    """Not with what it said when the key was first used here."""
    crew = await a_crew(clock, query_limit=10)
    crew.books.write(7)

    assert (await use(crew.processes[0], 5)).count("granted") == 3


async def test_the_count_begins_with_what_is_known_here_while_the_rows_are_away(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, query_limit=10, current_usage=6)
    crew.books.is_away = True

    assert (await use(crew.processes[0], 6)).count("granted") == 4


async def test_a_key_whose_row_is_gone_begins_with_what_is_known_here(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, query_limit=10, current_usage=6)
    crew.books.key = replace(crew.books.key, key_hash="f" * 64)

    assert (await use(crew.processes[0], 6)).count("granted") == 4


async def test_a_count_that_lost_its_data_begins_with_what_is_known_here(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, 2, query_limit=30)
    said = await use(crew.processes[0], 20)
    await crew.processes[0].beat()

    crew.count.lose_everything()
    said += await use(crew.processes[0], 20)

    assert said.count("granted") == 30


async def test_what_nobody_uses_for_a_second_goes_back(clock: FixedClock) -> None:
    crew = await a_crew(clock, 2)
    ann, _ = crew.processes
    await use(ann, 50)
    await settled(ann)
    held = ann.held()

    for _ in range(2):
        clock.advance(1)
        await ann.beat()

    assert min(held) > 0
    assert ann.held() == (0, 0)
    assert crew.used() == 50


async def test_a_lone_process_keeps_what_it_holds_until_another_joins(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock)
    [lone] = crew.processes
    await use(lone, 50)
    await settled(lone)
    for _ in range(3):
        clock.advance(1)
        await lone.beat()
    alone = lone.held()

    await crew.new_process().grants.start()
    await lone.beat()

    assert min(alone) > 0
    assert lone.held() == (0, 0)


async def test_a_process_that_ends_gives_everything_back(clock: FixedClock) -> None:
    crew = await a_crew(clock, 2)
    ann, bob = crew.processes
    await use(ann, 30)
    ann.check()

    await ann.grants.close()
    await bob.beat()

    assert ann.held() == (0, 0)
    assert crew.used() == 30 + 1
    assert bob.grants.state()["processes"] == 2
    assert list(crew.count.holders) == ["p2"]
    assert not crew.count.months[str(crew.books.key.id), 202609].shares


async def test_a_process_that_ends_while_the_count_is_away_just_ends(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock)
    [lone] = crew.processes
    await use(lone, 3)
    crew.count.is_away = True

    await lone.grants.close()

    assert crew.used() is not None


async def test_a_heartbeat_under_way_at_the_end_is_the_last(clock: FixedClock) -> None:
    crew = await a_crew(clock)
    [lone] = crew.processes
    running = asyncio.create_task(lone.grants.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    seen = dict(crew.count.holders)
    await lone.grants.close()
    for _ in range(5):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert list(seen) == ["p1"]
    assert crew.count.holders == {}


async def test_a_lone_process_goes_on_by_itself_while_the_count_is_away(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, query_limit=40)
    [lone] = crew.processes
    before = await use(lone, 10)
    crew.count.is_away = True
    during = await use(lone, 20)
    mode = lone.grants.state()["mode"]
    owed = lone.seat.owes
    crew.count.is_away = False
    await lone.beat()
    after = await use(lone, 20)

    assert during.count("granted") >= 10
    assert (before + during + after).count("granted") == 40
    assert (mode, owed) == ("local", True)
    assert lone.grants.state()["mode"] == "leased"
    assert crew.used() == 40
    assert not lone.seat.owes


async def test_a_key_is_served_that_was_never_used_before_the_count_went_away(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, query_limit=40, current_usage=30)
    crew.count.is_away = True
    await crew.processes[0].beat()

    assert (await use(crew.processes[0], 20)).count("granted") == 10


async def test_what_was_used_before_the_count_was_ever_met_is_not_counted_twice(
    clock: FixedClock,
) -> None:
    crew = Crew(clock, 1, query_limit=100, current_usage=10, **FAST)
    [lone] = crew.processes
    crew.count.is_away = True
    await lone.grants.start()
    await use(lone, 20)
    crew.books.write(30)
    crew.count.is_away = False
    await lone.beat()

    await use(lone, 5)

    # Twenty were used here, and the row has them already.
    assert crew.used() == 35 + lone.held()[1]


async def test_among_others_each_process_goes_on_with_its_share(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, 3, query_limit=120)
    for process in crew.processes:
        await use(process, 2)
    crew.count.is_away = True
    said = [await use(process, 120) for process in crew.processes]
    modes = {process.grants.state()["mode"] for process in crew.processes}

    granted = [each.count("granted") for each in said]
    assert all(count >= 10 for count in granted)
    assert 6 + sum(granted) <= 120
    assert modes == {"share"}


async def test_who_starts_while_the_count_is_away_leaves_the_month_to_the_others(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, 2)
    crew.count.is_away = True
    await crew.replace(0)

    said = await use(crew.processes[0], 3)

    assert said == ["quota_exceeded"] * 3
    assert crew.processes[0].grants.state() == {
        "mode": "share",
        "processes": 2,
        "holder": "p1",
        "keys": 1,
    }


async def test_who_meets_neither_count_nor_database_takes_itself_to_be_alone(
    clock: FixedClock,
) -> None:
    crew = Crew(clock, 2, query_limit=5, **FAST)
    crew.count.is_away = crew.books.is_away = True
    await crew.processes[0].grants.start()

    assert crew.processes[0].grants.state()["mode"] == "local"


async def test_who_waits_too_long_for_a_lease_takes_from_the_share(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, 2)
    ann, _ = crew.processes
    await use(ann, 3)
    await settled(ann)
    for _ in range(2):
        clock.advance(1)
        await ann.beat()
    ann.wire.hold = asyncio.Event()

    said = await ann.get()
    mode = ann.grants.state()["mode"]
    ann.wire.hold.set()
    ann.wire.hold = None
    await settled(ann)
    await ann.beat()
    await settled(ann)

    assert (said, mode) == ("granted", "leased")
    assert crew.used() == 4 + ann.held()[1]
    assert not ann.seat.owes


async def test_a_lone_process_that_waits_too_long_does_not_spend_twice(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, query_limit=6)
    [lone] = crew.processes
    await use(lone, 1)
    await settled(lone)
    lone.wire.hold = asyncio.Event()
    said = [await lone.get() for _ in range(8)]
    lone.wire.hold.set()
    lone.wire.hold = None
    await settled(lone)
    await lone.beat()
    said += await use(lone, 8)

    assert 1 + said.count("granted") <= 6


async def test_who_goes_short_is_helped_by_those_who_keep_a_share(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, 2, query_limit=40)
    ann, bob = crew.processes
    await use(ann, 2)
    for _ in range(3):
        clock.advance(1)
        await ann.beat()
    first = await use(bob, 60)
    for process in (ann, bob, bob):
        await process.beat()
    second = await use(bob, 60)

    assert 2 + first.count("granted") < 40
    assert 2 + (first + second).count("granted") == 40


async def test_a_successor_lets_go_of_shares_that_it_does_not_know(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, 2, query_limit=40)
    ann, bob = crew.processes
    await use(ann, 2)
    await settled(ann)
    await crew.replace(0)
    await use(bob, 60)
    kept = dict(crew.count.months[str(crew.books.key.id), 202609].shares)

    await crew.processes[0].beat()

    assert list(kept) == ["p1"]
    assert crew.count.months[str(crew.books.key.id), 202609].shares == {}


async def test_a_month_that_was_used_up_is_tried_again_after_a_second(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, query_limit=3)
    [lone] = crew.processes
    await use(lone, 4)
    asked = lone.wire.exchanges
    refused = await use(lone, 5)
    crew.count.months[str(crew.books.key.id), 202609].used = 2
    await lone.beat()

    assert refused == ["quota_exceeded"] * 5
    assert lone.wire.exchanges == asked
    assert await lone.get() == "granted"


async def test_a_reset_by_hand_opens_the_month_again(clock: FixedClock) -> None:
    crew = await a_crew(clock, 2, query_limit=5)
    for process in crew.processes:
        await use(process, 6)
    crew.books.write(0)
    for process in crew.processes:
        process.slot.renew(crew.books.key, lowered=True)
        process.slot.terms = process.terms

    said = [await process.get() for process in crew.processes for _ in range(6)]

    assert 3 <= said.count("granted") <= 5


async def test_a_new_month_is_a_new_count(clock: FixedClock) -> None:
    crew = await a_crew(clock, query_limit=2)
    [lone] = crew.processes
    before = await use(lone, 3)
    clock.advance((month_start_ns(202610) - NOON_NS) / NS_PER_S)
    crew.books.key = lone.slot.key

    after = await use(lone, 3)

    assert before == after == ["granted", "granted", "quota_exceeded"]


async def test_keys_without_limits_ask_for_nothing(clock: FixedClock) -> None:
    crew = await a_crew(
        clock, tier="partner", query_limit=0, rate_limit_qps=0, burst_limit=0
    )
    [lone] = crew.processes

    said = await use(lone, 5)
    await lone.grants.close()

    assert said == ["granted"] * 5
    assert lone.wire.exchanges == 0


async def test_a_key_with_only_a_month_goes_on_while_the_count_is_away(
    clock: FixedClock,
) -> None:
    crew = await a_crew(
        clock, 2, tier="partner", query_limit=80, rate_limit_qps=0, burst_limit=0
    )
    crew.count.is_away = True
    for process in crew.processes:
        await process.beat()

    said = await use(crew.processes[0], 20)

    assert said.count("granted") == (80 - 40) // 8


async def test_terms_that_change_are_followed(clock: FixedClock) -> None:
    crew = await a_crew(clock, query_limit=10)
    [lone] = crew.processes
    await use(lone, 2)
    for changes in (
        {"tier": "partner", "query_limit": 0, "rate_limit_qps": 0, "burst_limit": 0},
        {"query_limit": 4, "rate_limit_qps": 3, "burst_limit": 9},
    ):
        other = Crew(clock, 0, **{**FAST, **changes}).books.key
        lone.slot.renew(other, lowered=False)
        lone.slot.terms = lone.terms
        said = await use(lone, 6)

    assert said.count("granted") == 2
    assert lone.terms.qps == 3


async def test_two_slots_of_one_key_share_what_is_held(clock: FixedClock) -> None:
    crew = await a_crew(clock, query_limit=5)
    [lone] = crew.processes
    other = Process(SharedCount(clock), crew.books, lone.seat)
    other.grants, other.limiter = lone.grants, Limiter(clock, lone.grants)

    said = await use(lone, 3) + await use(other, 5)

    assert said.count("granted") == 5


async def test_keys_that_were_not_used_for_an_hour_are_forgotten(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock)
    [lone] = crew.processes
    await use(lone, 2)
    for wait_s in (1, 1, 3_601):
        clock.advance(wait_s)
        await lone.beat()
    forgotten = lone.grants.state()["keys"]

    assert forgotten == 0
    assert await lone.get() == "granted"
    assert lone.grants.state()["keys"] == 1


async def test_a_count_that_answers_nonsense_is_logged_and_survived(
    clock: FixedClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    crew = await a_crew(clock)
    [lone] = crew.processes

    async def nonsense(_: object) -> None:
        raise TypeError

    lone.wire.exchange = nonsense  # pyright: ignore[reportAttributeAccessIssue] - a broken adapter
    await lone.get()

    assert "an exchange failed" in capsys.readouterr().out


async def test_a_wire_that_breaks_while_things_go_back_is_noticed(
    clock: FixedClock,
) -> None:
    crew = await a_crew(clock, 2)
    ann, _ = crew.processes
    await use(ann, 20)
    clock.advance(1)
    await ann.beat()
    clock.advance(1)
    crew.count.short[str(crew.books.key.id)] = crew.count.now_us()
    ann.wire.loses_answers = True

    await ann.beat()

    assert ann.grants.state()["mode"] == "share"
