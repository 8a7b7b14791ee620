"""Keys of an older database work as they are, and can be sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from support.clocks import FixedClock
from support.keys import change_key, insert_key, stored_key
from support.randomness import SeededRandomness
from trinity_beast.features.keys import (
    KeyService,
    Storage,
    display_form,
    hash_of,
    new_secret,
)
from trinity_beast.toolkit.work import UnitOfWork

SECRET = "ak_live_0123456789abcdefghij"


def service(work: UnitOfWork, storage: Storage = "sealed") -> KeyService:
    return KeyService(work, FixedClock(), SeededRandomness(), storage)


@pytest.mark.parametrize("storage", ["sealed", "plaintext"])
@pytest.mark.parametrize(
    "key_hash",
    [None, "", "not a hash", "0" * 64, hash_of(SECRET), hash_of(SECRET).upper()],
)
async def test_a_plain_key_works_whatever_its_unused_hash_says(
    work: UnitOfWork,
    storage: Storage,
    key_hash: str | None,
) -> None:
    key_id = await insert_key(work, api_key=SECRET, key_hash=key_hash)

    key = await service(work, storage).find_by_hash(hash_of(SECRET))

    assert key is not None
    assert key.id == key_id
    assert key.key_hash == hash_of(SECRET)
    assert key.shown == "ak_live_0123…ghij"


async def test_an_unused_hash_is_no_second_key(work: UnitOfWork) -> None:
    await insert_key(work, api_key=SECRET, key_hash=hash_of("ak_live_older_key"))

    assert await service(work).find_by_hash(hash_of("ak_live_older_key")) is None


async def test_a_display_form_in_the_column_is_no_key(work: UnitOfWork) -> None:
    shown = display_form(SECRET)
    await insert_key(work, api_key=shown, key_hash=hash_of(SECRET))
    await insert_key(work, api_key=shown, key_hash=None)

    found = await service(work).find_by_hashes([hash_of(shown), hash_of(SECRET)])

    assert list(found) == [hash_of(SECRET)]
    assert [key.key_hash for key in await service(work).list_keys()].count("") == 1


async def test_of_two_rows_with_one_key_the_newest_that_works_counts(
    work: UnitOfWork,
) -> None:
    def at(day: int) -> datetime:
        return datetime(2026, 1, day, tzinfo=UTC)

    await insert_key(work, api_key=SECRET, created_at=at(1))
    newest = await insert_key(work, api_key=SECRET, created_at=at(2))
    last = await insert_key(work, api_key=SECRET, created_at=at(3), revoked=True)

    key = await service(work).find_by_hash(hash_of(SECRET))
    assert key is not None
    assert key.id == newest

    await change_key(work, newest, revoked=True)
    await change_key(work, last, revoked=False)
    key = await service(work).find_by_hash(hash_of(SECRET))
    assert key is not None
    assert key.id == last


async def test_odd_values_of_a_row_are_taken_for_something_sensible(
    work: UnitOfWork,
) -> None:
    await insert_key(
        work,
        api_key=SECRET,
        tier="gold",
        response_format="xml",
        minimum_wait_seconds=Decimal("NaN"),
        last_used=datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC),
    )

    key = await service(work).find_by_hash(hash_of(SECRET))

    assert key is not None
    assert (key.tier_known, key.response_format, key.minimum_wait_ms) == (
        False,
        "tbc",
        0,
    )
    assert (key.user_id, key.name) == (None, None)
    assert key.last_used_ns == 1_772_600_767_000_008_000


@pytest.mark.parametrize(
    ("seconds", "wait_ms"),
    [("0.012", 12), ("-1", 0), ("1e9", 3_600_000), ("Infinity", 0), ("0.0004", 0)],
)
async def test_the_shortest_wait_is_whole_milliseconds(
    work: UnitOfWork,
    seconds: str,
    wait_ms: int,
) -> None:
    await insert_key(work, api_key=SECRET, minimum_wait_seconds=Decimal(seconds))

    (key,) = await service(work).list_keys()

    assert key.minimum_wait_ms == wait_ms


async def test_a_tier_of_the_dictionary_exists_without_its_row(
    work: UnitOfWork,
) -> None:
    await insert_key(work, api_key=SECRET, tier="pro")

    (key,) = await service(work).list_keys()

    assert key.tier_known


async def test_sealing_takes_each_key_once_and_owners_notice_nothing(
    work: UnitOfWork,
) -> None:
    ours = new_secret(SeededRandomness(5))
    ids = [
        await insert_key(work, api_key=SECRET),
        await insert_key(work, api_key="ak_live_short", key_hash="0" * 64),
        await insert_key(work, api_key=ours, key_hash=hash_of(ours)),
        await insert_key(work, api_key=display_form("x" * 40), key_hash="1" * 64),
        await insert_key(work, api_key="tb_live_broken", key_hash="2" * 64),
    ]
    keys = service(work)
    before = {key.id: key.key_hash for key in await keys.list_keys()}

    assert await keys.seal_all() == 3
    assert await keys.seal_all() == 0

    assert [await stored_key(work, key_id) for key_id in ids] == [
        {"api_key": "ak_live_0123…ghij", "key_hash": hash_of(SECRET)},
        {"api_key": "ak_live_…", "key_hash": hash_of("ak_live_short")},
        {"api_key": display_form(ours), "key_hash": hash_of(ours)},
        {"api_key": "xxxx…xxxx", "key_hash": "1" * 64},
        {"api_key": "tb_live_broken", "key_hash": "2" * 64},
    ]
    assert {key.id: key.key_hash for key in await keys.list_keys()} == before
    for secret in (SECRET, "ak_live_short", ours):
        assert await keys.find_by_hash(hash_of(secret)) is not None
