"""Keys are found by the start of their hash, as signed datagrams name them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from support.clocks import FixedClock
from support.keys import a_key, insert_key
from support.randomness import SeededRandomness
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    KEY_ID_LENGTH,
    ApiKey,
    KeyRing,
    KeyService,
    KeyUnknown,
    RingBounds,
    Template,
    hash_of,
)
from trinity_beast.ports.changes import EVERYTHING, Change
from trinity_beast.toolkit.work import UnitOfWork

LEGACY = "ak_live_0123456789abcdefghij"
START = "0123456789abcdef"


class Shelf:
    """A source of keys in memory that counts its questions."""

    def __init__(self, *key_hashes: str) -> None:
        self.keys = {it: a_key(key_hash=it) for it in key_hashes}
        self.asked = 0
        self.held: asyncio.Event | None = None

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        return self.keys.get(key_hash)

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        return {it: self.keys[it] for it in key_hashes if it in self.keys}

    async def list_hashes(self, start: str) -> list[str]:
        self.asked += 1
        found = [it for it in self.keys if it.startswith(start)]
        if self.held is not None:
            await self.held.wait()
        return found

    async def free_template(self) -> Template:
        return FREE_TEMPLATE


def starting(*ends: str) -> list[str]:
    return [START + end * 48 for end in ends]


async def test_sealed_and_plain_rows_are_found(work: UnitOfWork) -> None:
    service = KeyService(work, FixedClock(), SeededRandomness())
    await insert_key(work, api_key=LEGACY, key_hash=START + "0" * 48)
    sealed = starting("0", "a", "f")
    for key_hash in sealed:
        await insert_key(work, api_key="tb_live_ABCD…wxyz", key_hash=key_hash)
    for odd in (None, "", START.upper() + "0" * 48, "0123456789abcdeg", START[:-1]):
        await insert_key(work, api_key="tb_live_ABCD…wxyz", key_hash=odd)

    assert await service.list_hashes(START) == sealed
    plain = hash_of(LEGACY)
    assert await service.list_hashes(plain[:KEY_ID_LENGTH]) == [plain]
    assert await service.list_hashes("f" * KEY_ID_LENGTH) == []


async def test_only_a_few_namesakes_are_looked_at(work: UnitOfWork) -> None:
    service = KeyService(work, FixedClock(), SeededRandomness())
    for key_hash in starting(*"0123456789"):
        await insert_key(work, api_key="tb_live_ABCD…wxyz", key_hash=key_hash)

    assert len(await service.list_hashes(START)) == 4


async def test_all_slots_that_an_id_may_mean_are_found_once(clock: FixedClock) -> None:
    shelf = Shelf(*starting("0", "1"), "f" * 64)
    shelf.keys = {
        key_hash: replace(key, id=UUID(int=number))
        for number, (key_hash, key) in enumerate(shelf.keys.items())
    }
    ring = KeyRing(shelf, clock)

    assert ring.known_by_id(START) is None
    slots = await ring.slots_by_id(START)

    assert [slot.key_hash for slot in slots] == starting("0", "1")
    assert ring.known_by_id(START) == slots
    assert await ring.slots_by_id(START) == slots
    assert shelf.asked == 1


async def test_an_id_of_nobody_is_remembered_for_a_while(clock: FixedClock) -> None:
    shelf = Shelf()
    ring = KeyRing(shelf, clock)

    for _ in range(3):
        with pytest.raises(KeyUnknown):
            await ring.slots_by_id(START)
    assert shelf.asked == 1

    clock.advance(31)
    assert ring.known_by_id(START) is None


async def test_a_new_key_is_found_at_once(clock: FixedClock) -> None:
    [first, second] = starting("0", "1")
    shelf = Shelf()
    ring = KeyRing(shelf, clock)
    with pytest.raises(KeyUnknown):
        await ring.slots_by_id(START)

    shelf.keys[first] = a_key(key_hash=first)
    await ring.apply(Change("api_keys", "INSERT", "1", first))
    one = await ring.slots_by_id(START)
    shelf.keys[second] = a_key(key_hash=second, id=UUID(int=9))
    await ring.apply(Change("api_keys", "INSERT", "9", second))
    two = await ring.slots_by_id(START)

    assert [len(one), len(two)] == [1, 2]


async def test_after_missed_notices_ids_are_asked_for_again(clock: FixedClock) -> None:
    shelf = Shelf(*starting("0"))
    ring = KeyRing(shelf, clock)
    await ring.slots_by_id(START)

    await ring.apply(Change(EVERYTHING))

    assert ring.known_by_id(START) is None


async def test_a_key_that_is_gone_is_no_longer_meant(clock: FixedClock) -> None:
    [key_hash] = starting("0")
    shelf = Shelf(key_hash)
    ring = KeyRing(shelf, clock)
    await ring.slots_by_id(START)

    row_id = str(shelf.keys.pop(key_hash).id)
    await ring.apply(Change("api_keys", "DELETE", row_id))

    assert ring.known_by_id(START) is None
    with pytest.raises(KeyUnknown):
        await ring.slots_by_id(START)


async def test_an_answer_that_a_notice_overtook_is_not_remembered(
    clock: FixedClock,
) -> None:
    [key_hash] = starting("0")
    shelf = Shelf()
    shelf.held = asyncio.Event()
    ring = KeyRing(shelf, clock)
    asking = asyncio.create_task(ring.slots_by_id(START))
    await asyncio.sleep(0)

    shelf.keys[key_hash] = a_key(key_hash=key_hash)
    await ring.apply(Change("api_keys", "INSERT", "1", key_hash))
    shelf.held.set()
    with pytest.raises(KeyUnknown):
        await asking

    assert len(await ring.slots_by_id(START)) == 1


async def test_only_so_many_ids_are_remembered(clock: FixedClock) -> None:
    hashes = [f"{number:016x}" + "0" * 48 for number in range(4)]
    shelf = Shelf(*hashes)
    shelf.keys = {
        it: a_key(key_hash=it, id=UUID(int=int(it[:16], 16))) for it in hashes
    }
    ring = KeyRing(shelf, clock, bounds=RingBounds(slots=2))
    for key_hash in hashes:
        await ring.slots_by_id(key_hash[:16])

    known = [ring.known_by_id(key_hash[:16]) is not None for key_hash in hashes]
    assert known == [False, False, True, True]


async def test_what_is_known_of_a_secret_needs_no_question(clock: FixedClock) -> None:
    shelf = Shelf(hash_of(LEGACY))
    ring = KeyRing(shelf, clock)

    before = ring.known(LEGACY)
    slot = await ring.slot(LEGACY)

    assert before is None
    assert ring.known(LEGACY) is slot
    with pytest.raises(KeyUnknown):
        ring.known("short")
    with pytest.raises(KeyUnknown):
        await ring.slot("ak_live_of_nobody_at_all")
    with pytest.raises(KeyUnknown):
        ring.known("ak_live_of_nobody_at_all")
