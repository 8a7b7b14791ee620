"""An account comes into being once, with whatever brings it first."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, select

from trinity_beast.features.accounts import (
    AccountService,
    InvalidEmail,
    User,
    UserNotFound,
)
from trinity_beast.features.accounts.tables import users
from trinity_beast.toolkit.work import UnitOfWork


async def created(work: UnitOfWork, email: str, name: str | None, tier: str) -> UUID:
    async with work.begin() as connection:
        return await AccountService(work).get_or_create(connection, email, name, tier)


async def number_of_users(work: UnitOfWork) -> int | None:
    async with work.begin() as connection:
        return await connection.scalar(select(func.count()).select_from(users))


async def test_a_new_account_has_what_it_was_made_with(work: UnitOfWork) -> None:
    user_id = await created(work, " Ann@EXAMPLE.org", "Ann", "pro")

    user = await AccountService(work).get(user_id)
    assert user == User(
        id=user_id,
        email="Ann@example.org",
        name="Ann",
        tier="pro",
        preferred_lang=None,
        created_at_ns=user.created_at_ns,
    )
    assert user.created_at_ns > 0


async def test_an_account_that_is_there_is_found_and_not_changed(
    work: UnitOfWork,
) -> None:
    first = await created(work, "ann@example.org", "Ann", "pro")

    second = await created(work, "ann@Example.org", "Somebody", "free")

    user = await AccountService(work).get(first)
    assert second == first
    assert (user.name, user.tier) == ("Ann", "pro")
    assert await number_of_users(work) == 1


async def test_two_who_create_an_account_at_once_get_the_same(work: UnitOfWork) -> None:
    ids = await asyncio.gather(
        *(created(work, "ann@example.org", None, "free") for _ in range(8)),
    )

    assert len(set(ids)) == 1
    assert await number_of_users(work) == 1


async def test_no_account_is_made_for_what_is_no_address(work: UnitOfWork) -> None:
    with pytest.raises(InvalidEmail):
        await created(work, "ann", None, "free")

    assert await number_of_users(work) == 0


async def test_an_account_that_is_not_there_is_not_found(work: UnitOfWork) -> None:
    with pytest.raises(UserNotFound):
        await AccountService(work).get(UUID(int=1))
