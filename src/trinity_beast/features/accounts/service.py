"""What can be done with accounts."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.accounts.errors import UserNotFound
from trinity_beast.features.accounts.model import User, normalised_email
from trinity_beast.features.accounts.repository import UserRepository
from trinity_beast.toolkit.work import UnitOfWork


class AccountService:
    """Looks after the people behind keys and payments."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._users = UserRepository()

    async def get_or_create(
        self,
        connection: AsyncConnection,
        email: str,
        name: str | None,
        tier: str | None,
    ) -> UUID:
        """Return the id of the account with this address, making it when it is new.

        It is part of the caller's transaction, so that an account and the key or the
        payment that brought it come into being together.  An account that is there
        keeps its name and tier.

        Raises:
            InvalidEmail: No letter can be sent to this address.
        """
        address = normalised_email(email)
        return await self._users.get_or_create(connection, address, name, tier)

    async def get(self, user_id: UUID) -> User:
        """Return the account with this id.

        Raises:
            UserNotFound: There is none.
            DatabaseAway: Nobody can say right now.
        """
        async with self._work.begin() as connection:
            user = await self._users.find(connection, user_id)
        if user is None:
            raise UserNotFound(user_id=str(user_id))
        return user
