"""The database, as commands open it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from trinity_beast.apps.cli.session import Session
from trinity_beast.apps.database import database_of
from trinity_beast.apps.servers import any_servers
from trinity_beast.toolkit.work import UnitOfWork


@asynccontextmanager
async def database(session: Session) -> AsyncGenerator[UnitOfWork]:
    """Open the database of this home, starting its servers if nobody runs them.

    The schema is brought up to date first, so that any command may be the first one.
    """
    async with (
        any_servers(session.settings, session.machine) as servers,
        database_of(servers, session.machine.clock) as work,
    ):
        yield work
