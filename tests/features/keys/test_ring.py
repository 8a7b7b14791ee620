"""A ring finds keys once, and keeps what it found as fresh as the database."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from support.clocks import NOON_NS, FixedClock
from support.keys import a_key, change_key, insert_key, insert_tier
from support.randomness import SeededRandomness
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    ApiKey,
    IssuedKey,
    KeyRevoked,
    KeyRing,
    KeyService,
    KeySlot,
    KeyUnknown,
    MissingKey,
    RingBounds,
    Template,
    hash_of,
    new_secret,
)
from trinity_beast.features.keys.tables import api_keys, rate_limit_template
from trinity_beast.kernel.time import NS_PER_S, to_datetime
from trinity_beast.ports.changes import EVERYTHING, Change
from trinity_beast.toolkit.work import DatabaseAway, UnitOfWork

LEGACY = "ak_live_0123456789abcdefghij"
NOBODYS = "ak_live_nobody_has_this_key"
TEMPLATES = Change("rate_limit_template", "UPDATE", str(UUID(int=1)))


class WatchedSource:
    """Passes questions on to a source: counts them, holds them up, or is away."""

    def __init__(self, source: KeyService) -> None:
        self._source = source
        self.asked: list[str] = []
        self.batches: list[int] = []
        self.away = False
        self._reads: asyncio.Queue[None] = asyncio.Queue()
        self._answers: asyncio.Semaphore | None = None

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        self.asked.append(key_hash)
        self._check()
        found = await self._source.find_by_hash(key_hash)
        await self._answer()
        return found

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        self._check()
        self.batches.append(len(key_hashes))
        found = await self._source.find_by_hashes(key_hashes)
        await self._answer()
        return found

    async def list_hashes(self, start: str) -> list[str]:
        self.asked.append(start)
        self._check()
        found = await self._source.list_hashes(start)
        await self._answer()
        return found

    async def free_template(self) -> Template:
        self._check()
        return await self._source.free_template()

    def hold_up(self) -> None:
        """Let answers wait, though they are already read."""
        self._reads = asyncio.Queue()
        self._answers = asyncio.Semaphore(0)

    async def reached(self, reads: int = 1) -> None:
        """Wait until so many more answers were read."""
        for _ in range(reads):
            await self._reads.get()

    def let_go(self, answers: int) -> None:
        """Let so many answers through."""
        for _ in range(answers):
            if self._answers:
                self._answers.release()

    async def _answer(self) -> None:
        self._reads.put_nowait(None)
        if self._answers:
            await self._answers.acquire()

    def _check(self) -> None:
        if self.away:
            raise DatabaseAway(reason="it is unplugged")


@pytest.fixture
def keys(
    seeded_work: UnitOfWork,
    clock: FixedClock,
    randomness: SeededRandomness,
) -> KeyService:
    return KeyService(seeded_work, clock, randomness)


@pytest.fixture
def source(keys: KeyService) -> WatchedSource:
    return WatchedSource(keys)


@pytest.fixture
def ring(source: WatchedSource, clock: FixedClock) -> KeyRing:
    return KeyRing(source, clock)


@pytest.fixture
async def issued(keys: KeyService) -> IssuedKey:
    return await keys.create("ann@example.org", "pro")


def updated(key: ApiKey, **more: bool) -> Change:
    return Change("api_keys", "UPDATE", str(key.id), key.key_hash, **more)


# Finding


async def test_a_key_is_looked_up_at_its_first_use_only(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    first = await ring.slot(issued.secret)
    second = await ring.slot(issued.secret)

    assert first is second
    assert first.key == issued.key
    assert source.asked == [issued.key.key_hash]


async def test_first_uses_at_once_share_one_lookup(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    slots = await asyncio.gather(*(ring.slot(issued.secret) for _ in range(20)))

    assert len({id(slot) for slot in slots}) == 1
    assert source.asked == [issued.key.key_hash]


async def test_who_gives_up_does_not_fail_those_who_wait(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    source.hold_up()
    impatient = asyncio.create_task(ring.slot(issued.secret))
    patient = asyncio.create_task(ring.slot(issued.secret))
    await source.reached()

    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    source.let_go(9)

    assert (await patient).key == issued.key


async def test_a_lookup_that_fails_for_nobody_is_silent(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    source.hold_up()
    only = asyncio.create_task(ring.slot(issued.secret))
    await source.reached()
    only.cancel()
    await asyncio.gather(only, return_exceptions=True)
    source.away = True
    await ring.apply(Change(EVERYTHING))
    source.let_go(9)
    await asyncio.sleep(0)

    source.away = False
    assert (await ring.slot(issued.secret)).key == issued.key


@pytest.mark.parametrize("secret", [None, ""])
async def test_a_request_without_a_key_is_told_to_send_one(
    ring: KeyRing,
    secret: str | None,
) -> None:
    with pytest.raises(MissingKey) as error:
        await ring.slot(secret)
    assert error.value.code == "missing_key"


async def test_a_mistyped_key_costs_no_lookup(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    for mistyped in (issued.secret[:-1], issued.secret + "x", "short", "tb_live_"):
        with pytest.raises(KeyUnknown):
            await ring.slot(mistyped)

    assert source.asked == []


async def test_a_revoked_key_is_told_apart_from_an_unknown_one(
    ring: KeyRing,
    keys: KeyService,
    issued: IssuedKey,
) -> None:
    await keys.revoke(issued.secret)

    with pytest.raises(KeyRevoked):
        await ring.slot(issued.secret)
    with pytest.raises(KeyUnknown):
        await ring.slot(NOBODYS)


async def test_a_key_of_an_older_database_is_found(
    ring: KeyRing,
    seeded_work: UnitOfWork,
) -> None:
    key_id = await insert_key(seeded_work, api_key=LEGACY)

    assert (await ring.slot(LEGACY)).key.id == key_id


# Misses


async def test_a_miss_is_remembered_for_a_while(
    ring: KeyRing,
    source: WatchedSource,
    clock: FixedClock,
) -> None:
    asked: list[int] = []
    for seconds in (0, 29, 2):
        clock.advance(seconds)
        with pytest.raises(KeyUnknown):
            await ring.slot(NOBODYS)
        asked.append(len(source.asked))

    assert asked == [1, 1, 2]


async def test_only_so_many_misses_are_remembered(
    source: WatchedSource,
    clock: FixedClock,
) -> None:
    ring = KeyRing(source, clock, bounds=RingBounds(misses=3))
    guesses = [f"ak_live_guess_{number}" for number in range(5)]
    for guess in [*guesses, guesses[-1], guesses[0]]:
        with pytest.raises(KeyUnknown):
            await ring.slot(guess)

    assert source.asked == [hash_of(guess) for guess in [*guesses, guesses[0]]]


@pytest.mark.parametrize("operation", ["INSERT", "UPDATE"])
@pytest.mark.parametrize("hashed", [True, False])
async def test_a_new_key_works_though_it_was_tried_before(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    operation: str,
    hashed: bool,  # noqa: FBT001 - one of two cases
) -> None:
    with pytest.raises(KeyUnknown):
        await ring.slot(LEGACY)

    key_id = await insert_key(seeded_work, api_key=LEGACY)
    key_hash = hash_of(LEGACY) if hashed else ""
    await ring.apply(Change("api_keys", operation, str(key_id), key_hash))

    assert (await ring.slot(LEGACY)).key.id == key_id


async def test_a_change_of_another_key_does_not_open_the_door_for_guessing(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    for change in (updated(issued.key), Change("asset_categories", "INSERT", "1")):
        with pytest.raises(KeyUnknown):
            await ring.slot(NOBODYS)
        await ring.apply(change)
    with pytest.raises(KeyUnknown):
        await ring.slot(NOBODYS)

    assert source.asked == [hash_of(NOBODYS)]


# Changes


async def test_a_revocation_reaches_everybody_who_holds_the_slot(
    ring: KeyRing,
    keys: KeyService,
    issued: IssuedKey,
) -> None:
    held = await ring.slot(issued.secret)

    revoked = await keys.revoke(issued.secret)
    await ring.apply(updated(revoked))

    assert held.revoked
    with pytest.raises(KeyRevoked) as error:
        await ring.slot(issued.secret)
    assert error.value.context == {"slot": held}


async def test_a_changed_row_changes_the_slot_in_place(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    issued: IssuedKey,
) -> None:
    held = await ring.slot(issued.secret)
    before = ring.terms_of(held, NOON_NS)

    await change_key(seeded_work, issued.key.id, tier="enterprise", rate_limit_qps=9)
    await ring.apply(updated(issued.key))

    after = ring.terms_of(held, NOON_NS)
    assert await ring.slot(issued.secret) is held
    assert (before.tier, before.qps) == ("pro", 5)
    assert (after.tier, after.qps) == ("enterprise", 9)
    assert (held.renewals, held.lowerings) == (1, 0)


async def test_a_deleted_key_is_unknown_and_its_holders_are_told(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    held = await ring.slot(issued.secret)
    async with seeded_work.begin() as connection:
        await connection.execute(delete(api_keys))
    source.away = True

    gone = Change("api_keys", "DELETE", str(issued.key.id), issued.key.key_hash)
    await ring.apply(gone)

    assert held.revoked
    assert len(ring) == 0
    source.away = False
    with pytest.raises(KeyUnknown):
        await ring.slot(issued.secret)


async def test_a_key_that_got_another_secret_stops_working_by_the_old_one(
    ring: KeyRing,
    seeded_work: UnitOfWork,
) -> None:
    key_id = await insert_key(seeded_work, api_key=LEGACY)
    old = await ring.slot(LEGACY)

    await change_key(seeded_work, key_id, api_key="ak_live_another_secret")
    new_hash = hash_of("ak_live_another_secret")
    await ring.apply(Change("api_keys", "UPDATE", str(key_id), new_hash))

    assert old.revoked
    with pytest.raises(KeyUnknown):
        await ring.slot(LEGACY)
    assert (await ring.slot("ak_live_another_secret")).key.id == key_id


async def test_an_old_secret_stops_even_when_the_new_one_came_before_the_notice(
    ring: KeyRing,
    seeded_work: UnitOfWork,
) -> None:
    key_id = await insert_key(seeded_work, api_key=LEGACY)
    old = await ring.slot(LEGACY)
    await change_key(seeded_work, key_id, api_key="ak_live_another_secret")

    new = await ring.slot("ak_live_another_secret")
    # The row's own hash column says something else, so the notice names neither.
    await ring.apply(Change("api_keys", "UPDATE", str(key_id), "0" * 64))

    assert (old.revoked, new.revoked) == (True, False)
    assert await ring.slot("ak_live_another_secret") is new


async def test_changes_of_keys_that_nobody_used_cost_nothing(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    await ring.apply(updated(issued.key))
    await ring.apply(Change("users", "UPDATE", str(UUID(int=1))))

    assert (source.asked, source.batches) == ([], [])


async def test_a_change_during_the_first_lookup_is_not_lost(
    ring: KeyRing,
    keys: KeyService,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    """The answer that is on its way was read before the revocation."""
    source.hold_up()
    asking = asyncio.create_task(ring.slot(issued.secret))
    await source.reached()

    revoked = await keys.revoke(issued.secret)
    await ring.apply(updated(revoked))
    source.let_go(9)

    with pytest.raises(KeyRevoked):
        await asking
    assert len(source.asked) == 2


@pytest.mark.parametrize(
    ("change", "lookups"),
    [
        (Change(EVERYTHING), 2),
        (Change("api_keys", "INSERT", str(UUID(int=1)), hash_of(LEGACY)), 2),
        (Change("api_keys", "INSERT", str(UUID(int=1))), 2),
        (Change("api_keys", "UPDATE", str(UUID(int=1)), "0" * 64), 1),
    ],
)
async def test_a_lookup_is_repeated_only_for_changes_that_may_concern_it(
    ring: KeyRing,
    source: WatchedSource,
    change: Change,
    lookups: int,
) -> None:
    source.hold_up()
    asking = asyncio.create_task(ring.slot(LEGACY))
    await source.reached()

    await ring.apply(change)
    source.let_go(9)

    with pytest.raises(KeyUnknown):
        await asking
    assert len(source.asked) == lookups


async def test_after_missed_notices_every_slot_is_read_again_in_batches(
    seeded_work: UnitOfWork,
    source: WatchedSource,
    clock: FixedClock,
) -> None:
    ring = KeyRing(source, clock, bounds=RingBounds(batch=5))
    secrets = [new_secret(SeededRandomness(seed)) for seed in range(6)]
    for secret in secrets:
        await insert_key(seeded_work, api_key=secret)
    held = [await ring.slot(secret) for secret in secrets]
    async with seeded_work.begin() as connection:
        await connection.execute(update(api_keys).values(revoked=True))
        await connection.execute(
            delete(api_keys).where(api_keys.c.id == held[0].key.id),
        )

    await ring.apply(Change(EVERYTHING))

    assert all(slot.revoked for slot in held)
    assert source.batches == [5, 1]
    with pytest.raises(KeyUnknown):
        await ring.slot(secrets[0])


async def test_one_change_overtakes_a_ring_that_is_read_as_a_whole(
    seeded_work: UnitOfWork,
    source: WatchedSource,
    clock: FixedClock,
) -> None:
    ring = KeyRing(source, clock, bounds=RingBounds(batch=5))
    secrets = [new_secret(SeededRandomness(seed)) for seed in range(11)]
    for secret in secrets:
        await insert_key(seeded_work, api_key=secret)
    held = [await ring.slot(secret) for secret in secrets]
    source.hold_up()
    whole = asyncio.create_task(ring.apply(Change(EVERYTHING)))
    await source.reached()

    await change_key(seeded_work, held[-1].key.id, revoked=True)
    one = asyncio.create_task(ring.apply(updated(held[-1].key)))
    await asyncio.sleep(0)
    source.let_go(2)
    await source.reached(2)

    assert source.batches == [5, 5, 1]
    assert held[-1].revoked
    assert [slot.renewals for slot in held] == [1] * 9 + [0, 1]
    source.let_go(9)
    await asyncio.gather(whole, one)
    assert {slot.renewals for slot in held} == {1}


async def test_an_older_answer_never_overwrites_a_newer_one(
    ring: KeyRing,
    keys: KeyService,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    held = await ring.slot(issued.secret)
    source.hold_up()
    poll = asyncio.create_task(ring.apply(Change(EVERYTHING)))
    await source.reached()

    revoked = await keys.revoke(issued.secret)
    notice = asyncio.create_task(ring.apply(updated(revoked)))
    await asyncio.sleep(0)
    source.let_go(9)
    await asyncio.gather(poll, notice)

    assert held.revoked


async def test_a_key_that_was_deleted_does_not_come_back_by_an_older_answer(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    held = await ring.slot(issued.secret)
    source.hold_up()
    poll = asyncio.create_task(ring.apply(Change(EVERYTHING)))
    await source.reached()

    gone = Change("api_keys", "DELETE", str(issued.key.id), issued.key.key_hash)
    await ring.apply(gone)
    source.let_go(9)
    await poll

    assert held.revoked
    assert len(ring) == 0


async def test_a_slot_of_two_rows_is_retired_once(
    ring: KeyRing,
    seeded_work: UnitOfWork,
) -> None:
    first = await insert_key(seeded_work, api_key=LEGACY, created_at=at(0))
    second = await insert_key(seeded_work, api_key=LEGACY, created_at=at(1))
    held = await ring.slot(LEGACY)
    await change_key(seeded_work, second, revoked=True)
    key_hash = hash_of(LEGACY)
    await ring.apply(Change("api_keys", "UPDATE", str(second), key_hash))
    assert (held.key.id, held.revoked) == (first, False)

    for row in (first, second):
        await ring.apply(Change("api_keys", "DELETE", str(row), key_hash))

    assert (held.revoked, held.renewals) == (True, 2)


# The database is away


async def test_known_keys_work_while_the_database_is_away(
    ring: KeyRing,
    keys: KeyService,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    other = await keys.create("bob@example.org", "pro")
    held = await ring.slot(issued.secret)
    source.away = True

    await ring.apply(Change(EVERYTHING))
    await ring.apply(updated(issued.key))

    assert await ring.slot(issued.secret) is held
    assert not held.revoked
    with pytest.raises(DatabaseAway):
        await ring.slot(other.secret)


async def test_what_could_not_be_read_again_is_read_with_the_next_change(
    ring: KeyRing,
    keys: KeyService,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    held = await ring.slot(issued.secret)
    source.away = True
    revoked = await keys.revoke(issued.secret)
    await ring.apply(updated(revoked, usage_lowered=True))
    assert not held.revoked
    source.away = False

    await ring.apply(TEMPLATES)

    assert held.revoked
    assert held.lowerings == 1


async def test_a_key_that_could_not_be_looked_up_is_looked_up_again(
    ring: KeyRing,
    source: WatchedSource,
    issued: IssuedKey,
) -> None:
    source.away = True
    with pytest.raises(DatabaseAway):
        await ring.slot(issued.secret)
    source.away = False

    assert (await ring.slot(issued.secret)).key == issued.key


# Bounds


async def test_the_least_lately_used_slot_is_forgotten(
    keys: KeyService,
    source: WatchedSource,
    clock: FixedClock,
) -> None:
    ring = KeyRing(source, clock, bounds=RingBounds(slots=2))
    ann, bob, cid = [await keys.create("ann@example.org", "pro") for _ in range(3)]
    for one in (ann, bob, ann, cid, ann, cid):
        await ring.slot(one.secret)
    gc.collect()

    assert len(ring) == 2
    assert len(source.asked) == 3
    await ring.slot(bob.secret)
    assert len(source.asked) == 4


async def test_a_slot_that_somebody_holds_is_never_forgotten(
    keys: KeyService,
    source: WatchedSource,
    clock: FixedClock,
) -> None:
    ring = KeyRing(source, clock, bounds=RingBounds(slots=1))
    ann, bob = [await keys.create("ann@example.org", "pro") for _ in range(2)]
    held = await ring.slot(ann.secret)
    await ring.slot(bob.secret)

    revoked = await keys.revoke(ann.secret)
    await ring.apply(updated(revoked))

    assert held.revoked
    assert len(ring) == 2


async def test_a_slot_is_freed_with_its_last_holder(
    keys: KeyService,
    source: WatchedSource,
    clock: FixedClock,
) -> None:
    ring = KeyRing(source, clock, bounds=RingBounds(slots=1))
    ann, bob = [await keys.create("ann@example.org", "pro") for _ in range(2)]
    gone = weakref.ref(await ring.slot(ann.secret))
    await ring.slot(bob.secret)
    gc.collect()

    assert gone() is None


# Usage


def at(seconds: int) -> object:
    return to_datetime(NOON_NS) + timedelta(seconds=seconds)


async def used_slot(ring: KeyRing, work: UnitOfWork, issued: IssuedKey) -> KeySlot:
    used = {"current_usage": 500, "last_used": at(0)}
    await change_key(work, issued.key.id, **used)
    return await ring.slot(issued.secret)


@pytest.mark.parametrize("lowered", [True, False])
async def test_a_notice_says_whether_the_usage_was_set_back(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    issued: IssuedKey,
    lowered: bool,  # noqa: FBT001 - one of two cases
) -> None:
    held = await used_slot(ring, seeded_work, issued)

    await change_key(seeded_work, issued.key.id, current_usage=0)
    await ring.apply(updated(issued.key, usage_lowered=lowered))

    assert (held.key.current_usage, held.lowerings) == (0, int(lowered))


@pytest.mark.parametrize(("usage", "lowerings"), [(499, 1), (500, 0), (501, 0)])
async def test_a_notice_that_was_missed_shows_in_the_row(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    issued: IssuedKey,
    usage: int,
    lowerings: int,
) -> None:
    held = await used_slot(ring, seeded_work, issued)

    await change_key(seeded_work, issued.key.id, current_usage=usage)
    await ring.apply(Change(EVERYTHING))

    assert held.lowerings == lowerings


async def test_a_new_month_sets_nothing_back(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    clock: FixedClock,
    issued: IssuedKey,
) -> None:
    """What the row holds of the last month is no usage of this one."""
    held = await used_slot(ring, seeded_work, issued)
    clock.advance(20 * 86_400)

    fresh = {"current_usage": 3, "last_used": at(20 * 86_400)}
    await change_key(seeded_work, issued.key.id, **fresh)
    await ring.apply(Change(EVERYTHING))

    assert (held.key.current_usage, held.lowerings) == (3, 0)


# Terms


async def test_terms_are_the_same_object_until_something_changes(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    issued: IssuedKey,
) -> None:
    await change_key(
        seeded_work,
        issued.key.id,
        subscription_status="past_due",
        payment_failed_at=at(0),
    )
    slot = await ring.slot(issued.secret)
    end_ns = NOON_NS + 7 * 86_400 * NS_PER_S

    own, still = ring.terms_of(slot, NOON_NS), ring.terms_of(slot, end_ns - 1)
    free, after = ring.terms_of(slot, end_ns), ring.terms_of(slot, end_ns + 1)
    back = ring.terms_of(slot, end_ns - 1)

    assert own is still
    assert free is after
    assert (own.tier, free.tier, back) == ("pro", "free", own)


async def test_a_longer_grace_counts_at_once(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    issued: IssuedKey,
) -> None:
    await change_key(
        seeded_work,
        issued.key.id,
        subscription_status="past_due",
        payment_failed_at=at(-8 * 86_400),
    )
    slot = await ring.slot(issued.secret)
    before = ring.terms_of(slot, NOON_NS)

    ring.set_grace_days(7)
    unchanged = ring.terms_of(slot, NOON_NS)
    ring.set_grace_days(9)

    assert unchanged is before
    assert before.tier == "free"
    assert ring.terms_of(slot, NOON_NS).tier == "pro"


async def test_a_changed_free_tier_counts_at_once(
    ring: KeyRing,
    seeded_work: UnitOfWork,
    issued: IssuedKey,
) -> None:
    await change_key(seeded_work, issued.key.id, subscription_status="canceled")
    slot = await ring.slot(issued.secret)
    before = ring.terms_of(slot, NOON_NS)

    async with seeded_work.begin() as connection:
        free = update(rate_limit_template).where(rate_limit_template.c.tier == "free")
        await connection.execute(free.values(query_limit=12))
    await ring.apply(TEMPLATES)

    assert (before.month_limit, ring.terms_of(slot, NOON_NS).month_limit) == (1000, 12)


async def test_a_new_tier_counts_at_once_for_keys_that_have_it(
    ring: KeyRing,
    seeded_work: UnitOfWork,
) -> None:
    await insert_key(seeded_work, api_key=LEGACY, tier="gold", rate_limit_qps=33)
    slot = await ring.slot(LEGACY)
    before = ring.terms_of(slot, NOON_NS)

    await insert_tier(seeded_work, "gold")
    await ring.apply(TEMPLATES)

    after = ring.terms_of(slot, NOON_NS)
    assert (before.tier, before.lowered, before.qps) == ("free", "unknown_tier", 1)
    assert (after.tier, after.lowered, after.qps) == ("gold", None, 33)


def test_terms_of_a_slot_are_known_before_any_tier_was_read(clock: FixedClock) -> None:
    ring = KeyRing(NoSource(), clock)
    slot = KeySlot("a" * 64, a_key(subscription_status="canceled"))

    assert ring.terms_of(slot, NOON_NS).qps == FREE_TEMPLATE.rate_limit_qps


class NoSource:
    """A source that nobody may ask."""

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        raise AssertionError(key_hash)

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        raise AssertionError(key_hashes)

    async def list_hashes(self, start: str) -> list[str]:
        raise AssertionError(start)

    async def free_template(self) -> Template:
        raise AssertionError
