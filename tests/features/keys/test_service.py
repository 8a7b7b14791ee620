"""Keys are issued, found, listed and revoked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select

from support.clocks import NOON_NS, FixedClock
from support.keys import insert_key, insert_tier, stored_key
from support.randomness import SeededRandomness
from trinity_beast.features.accounts import AccountService, InvalidEmail
from trinity_beast.features.accounts.tables import users
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    ApiKey,
    IssuedKey,
    KeyAmbiguous,
    KeyNotFound,
    KeyService,
    Template,
    UnknownFormat,
    UnknownTier,
    display_form,
    hash_of,
    is_ours,
)
from trinity_beast.features.keys.tables import api_keys
from trinity_beast.toolkit.work import UnitOfWork


@pytest.fixture
def keys(
    seeded_work: UnitOfWork,
    clock: FixedClock,
    randomness: SeededRandomness,
) -> KeyService:
    return KeyService(seeded_work, clock, randomness)


async def count(work: UnitOfWork) -> tuple[int | None, int | None]:
    async with work.begin() as connection:
        return (
            await connection.scalar(select(func.count()).select_from(users)),
            await connection.scalar(select(func.count()).select_from(api_keys)),
        )


async def test_a_key_starts_with_the_limits_of_its_tier(
    keys: KeyService,
    seeded_work: UnitOfWork,
) -> None:
    issued = await keys.create(" Ann@EXAMPLE.org", "pro", name="Ann")

    key = issued.key
    assert issued == IssuedKey(
        ApiKey(
            id=key.id,
            user_id=key.user_id,
            key_hash=hash_of(issued.secret),
            name="Ann",
            tier="pro",
            tier_known=True,
            query_limit=50_000,
            current_usage=0,
            last_used_ns=None,
            created_at_ns=NOON_NS,
            rate_limit_qps=5,
            burst_limit=10,
            minimum_wait_ms=200,
            revoked=False,
            lrs_enabled=False,
            response_format="tbc",
            subscription_status="active",
            payment_failed_at_ns=None,
            tier_effective_at_ns=None,
            shown=display_form(issued.secret),
        ),
        issued.secret,
    )
    assert is_ours(issued.secret)
    assert key.user_id is not None
    user = await AccountService(seeded_work).get(key.user_id)
    assert (user.email, user.name, user.tier) == ("Ann@example.org", "Ann", "pro")


async def test_a_bucket_starts_full(
    keys: KeyService,
    seeded_work: UnitOfWork,
) -> None:
    issued = await keys.create("ann@example.org", "enterprise")

    async with seeded_work.begin() as connection:
        columns = select(api_keys.c.burst_tokens, api_keys.c.minimum_wait_seconds)
        row = await connection.execute(columns.where(api_keys.c.id == issued.key.id))
        assert tuple(row.one()) == (Decimal(20), Decimal("0.1"))


async def test_a_sealed_database_does_not_hold_the_key(
    keys: KeyService,
    seeded_work: UnitOfWork,
) -> None:
    issued = await keys.create("ann@example.org", "free")

    assert await stored_key(seeded_work, issued.key.id) == {
        "api_key": display_form(issued.secret),
        "key_hash": hash_of(issued.secret),
    }


async def test_a_plaintext_database_holds_it_and_shows_it_no_more(
    seeded_work: UnitOfWork,
    clock: FixedClock,
    randomness: SeededRandomness,
) -> None:
    keys = KeyService(seeded_work, clock, randomness, "plaintext")

    issued = await keys.create("ann@example.org", "free")

    assert await stored_key(seeded_work, issued.key.id) == {
        "api_key": issued.secret,
        "key_hash": hash_of(issued.secret),
    }
    assert issued.key.shown == display_form(issued.secret)
    assert await keys.find_by_hash(hash_of(issued.secret)) == issued.key


async def test_no_text_about_a_key_holds_its_secret_or_its_hash(
    keys: KeyService,
) -> None:
    issued = await keys.create("ann@example.org", "free")

    assert issued.secret not in repr(issued)
    assert issued.key.key_hash not in repr(issued)


async def test_keys_of_one_person_share_an_account(keys: KeyService) -> None:
    first = await keys.create("ann@example.org", "free")
    second = await keys.create("ann@EXAMPLE.org", "pro")

    assert first.key.user_id == second.key.user_id
    assert first.secret != second.secret


async def test_a_refused_key_leaves_nothing_behind(
    keys: KeyService,
    seeded_work: UnitOfWork,
) -> None:
    with pytest.raises(UnknownTier) as unknown:
        await keys.create("ann@example.org", "gold")
    with pytest.raises(InvalidEmail):
        await keys.create("ann", "free")
    with pytest.raises(UnknownFormat) as odd:
        await keys.create("ann@example.org", "free", response_format="xml")

    assert unknown.value.message == (
        "There is no tier 'gold'; the tiers are webhook_starter, free, "
        "webhook_standard, webhook_professional, webhook_enterprise, pro, enterprise, "
        "partner, webhook_partner, lifetime, unlimited."
    )
    assert odd.value.message == "There is no format 'xml'; use tbc or plain."
    assert await count(seeded_work) == (0, 0)


async def test_answers_come_in_the_format_that_was_asked_for(keys: KeyService) -> None:
    issued = await keys.create("ann@example.org", "free", response_format="plain")

    assert issued.key.response_format == "plain"


async def test_a_key_is_found_by_its_hash_alone(keys: KeyService) -> None:
    issued = await keys.create("ann@example.org", "free")

    assert await keys.find_by_hash(hash_of(issued.secret)) == issued.key
    assert await keys.find_by_hash(hash_of(issued.key.shown)) is None
    assert await keys.find_by_hash("") is None


async def test_many_keys_are_found_at_once(keys: KeyService) -> None:
    ann = await keys.create("ann@example.org", "free")
    bob = await keys.create("bob@example.org", "pro")

    found = await keys.find_by_hashes([ann.key.key_hash, "0" * 64, bob.key.key_hash])

    assert found == {ann.key.key_hash: ann.key, bob.key.key_hash: bob.key}
    assert await keys.find_by_hashes([]) == {}


async def test_keys_are_listed_page_by_page_the_newest_first(
    keys: KeyService,
    clock: FixedClock,
) -> None:
    issued: list[ApiKey] = []
    for second in (0, 1, 1, 1, 2):
        clock.wall_ns = NOON_NS + second * 1_000
        issued.append((await keys.create("ann@example.org", "free")).key)
    newest_first = sorted(issued, key=lambda key: key.place, reverse=True)

    first = await keys.list_keys(limit=2)
    second = await keys.list_keys(limit=2, after=first[-1].place)
    third = await keys.list_keys(limit=2, after=second[-1].place)

    assert [*first, *second, *third] == newest_first
    assert await keys.list_keys(after=third[-1].place) == []


@pytest.mark.parametrize("by", ["id", "display form", "key"])
async def test_a_key_is_revoked_by_whatever_names_it(keys: KeyService, by: str) -> None:
    issued = await keys.create("ann@example.org", "free")
    other = await keys.create("ann@example.org", "free")
    names = {"id": str(issued.key.id), "display form": issued.key.shown}

    revoked = await keys.revoke(f" {names.get(by, issued.secret)}\n")

    assert revoked == replace(issued.key, revoked=True)
    assert await keys.find_by_hash(issued.key.key_hash) == revoked
    assert await keys.find_by_hash(other.key.key_hash) == other.key


async def test_revoking_twice_is_no_error(keys: KeyService) -> None:
    issued = await keys.create("ann@example.org", "free")

    first = await keys.revoke(issued.secret)

    assert await keys.revoke(issued.secret) == first


@pytest.mark.parametrize(
    "selector",
    [
        "",
        "ann",
        "tb_live_ABCD…wxyz",
        "…",
        str(UUID(int=5)),
        "tb_live_" + "0" * 38,
        "ak_live_0123456789abcdef",
    ],
)
async def test_a_key_that_is_not_there_cannot_be_revoked(
    keys: KeyService,
    selector: str,
) -> None:
    await keys.create("ann@example.org", "free")

    with pytest.raises(KeyNotFound):
        await keys.revoke(selector)


async def test_a_display_form_of_two_keys_names_neither(
    keys: KeyService,
    seeded_work: UnitOfWork,
) -> None:
    sealed = await insert_key(seeded_work, api_key="ak_live_ABCD…wxyz", key_hash="1")
    plain = await insert_key(seeded_work, api_key="ak_live_ABCD00000000wxyz")
    await insert_key(seeded_work, api_key="akXliveXABCD00000000wxyz")

    with pytest.raises(KeyAmbiguous) as error:
        await keys.revoke("ak_live_ABCD…wxyz")

    ids = ", ".join(sorted([str(sealed), str(plain)]))
    assert error.value.message == f"2 keys look like this; name one by its id: {ids}."
    assert [key.revoked for key in await keys.list_keys()] == [False] * 3


async def test_a_tier_says_what_a_key_starts_with(keys: KeyService) -> None:
    assert await keys.template("webhook_standard") == Template(
        "webhook_standard",
        query_limit=4998,
        rate_limit_qps=6,
        burst_limit=12,
        minimum_wait_ms=150,
    )
    with pytest.raises(UnknownTier):
        await keys.template("gold")


async def test_the_free_tier_is_there_even_without_its_row(
    work: UnitOfWork,
    clock: FixedClock,
    randomness: SeededRandomness,
) -> None:
    keys = KeyService(work, clock, randomness)

    assert await keys.free_template() == FREE_TEMPLATE
    await insert_tier(work, "free", query_limit=12, min_wait_seconds=Decimal("0.5"))
    assert await keys.free_template() == Template("free", 12, 1, 5, 500)


async def test_a_new_tier_is_an_insert(
    work: UnitOfWork,
    clock: FixedClock,
    randomness: SeededRandomness,
) -> None:
    keys = KeyService(work, clock, randomness)
    await insert_tier(work, "gold", query_limit=77)

    issued = await keys.create("ann@example.org", "gold")

    assert (issued.key.query_limit, issued.key.tier_known) == (77, True)
