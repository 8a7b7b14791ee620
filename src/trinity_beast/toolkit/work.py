"""One service method, one transaction: the unit of work is the only one who commits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    TimeoutError as PoolExhausted,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from trinity_beast.kernel.errors import Unavailable


class DatabaseAway(Unavailable):
    """PostgreSQL cannot be reached, or broke off in the middle; nothing was changed."""

    code = "overloaded"
    template = "The database cannot be reached right now; try again shortly."


class UnitOfWork:
    """Opens transactions on one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[AsyncConnection]:
        """Run the block in a transaction: commit at its end, roll back on any error.

        Raises:
            DatabaseAway: The database was not there, or went away.
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolExhausted, OSError) as error:
            raise DatabaseAway(reason=type(error).__name__) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseAway(reason=type(error).__name__) from error
            raise
