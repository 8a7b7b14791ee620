"""The SQL of accounts."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.accounts.model import User
from trinity_beast.features.accounts.tables import users
from trinity_beast.kernel.time import from_datetime


class UserRepository:
    """Reads and writes ``users`` within somebody's transaction."""

    async def get_or_create(
        self,
        connection: AsyncConnection,
        email: str,
        name: str | None,
        tier: str | None,
    ) -> UUID:
        """Return the id of the account with this address, making it when it is new.

        Two transactions that create the same account end with one.

        Args:
            connection: In a transaction.
            email: Normalised.
            name: Of a new account.
            tier: Of a new account.
        """
        statement = insert(users).values(email=email, name=name, tier=tier)
        # Unlike DO NOTHING, an update that changes nothing returns the row of another
        # transaction too, once that has committed.
        statement = statement.on_conflict_do_update(
            index_elements=[users.c.email],
            set_={"email": users.c.email},
        )
        result = await connection.execute(statement.returning(users.c.id))
        return result.scalar_one()

    async def find(self, connection: AsyncConnection, user_id: UUID) -> User | None:
        """Return the account with this id."""
        statement = select(
            users.c.id,
            users.c.email,
            users.c.name,
            users.c.tier,
            users.c.preferred_lang,
            users.c.created_at,
        ).where(users.c.id == user_id)
        row = (await connection.execute(statement)).first()
        if row is None:
            return None
        known, created_at = row[:5], row[5]
        return User(*known, created_at_ns=from_datetime(created_at))
