"""The database of a process: waited for, brought up to date, opened, closed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from trinity_beast.adapters.postgres import make_engine
from trinity_beast.apps.migrating import upgrade
from trinity_beast.apps.servers import Servers
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.waiting import wait_for
from trinity_beast.toolkit.work import DatabaseAway, UnitOfWork


@asynccontextmanager
async def database_of(servers: Servers, clock: Clock) -> AsyncGenerator[UnitOfWork]:
    """Open a database, bring its schema up to date, and close it after the block.

    A database that is away is waited for, with a log line each second.
    """

    async def bring_up_to_date() -> None:
        try:
            await upgrade(servers.database_url, clock)
        except OSError as error:
            raise DatabaseAway(reason=str(error)) from error

    await wait_for("the database", bring_up_to_date, clock)
    engine = make_engine(servers.database_url, application_name="beast")
    try:
        yield UnitOfWork(engine)
    finally:
        await engine.dispose()
