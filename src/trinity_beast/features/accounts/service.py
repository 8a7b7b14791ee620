"""What can be done with accounts; each method is one transaction."""

from __future__ import annotations

from uuid import UUID

from trinity_beast.features.accounts.errors import UserNotFound
from trinity_beast.features.accounts.model import User
from trinity_beast.features.accounts.repository import UserRepository
from trinity_beast.toolkit.work import UnitOfWork


class AccountService:
    """Looks after the people behind keys and payments."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._users = UserRepository()

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
