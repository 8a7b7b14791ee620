"""Alembic's entry: runs the migrations on a connection that was given, or on ``-x url``.

The product itself upgrades through ``trinity_beast.apps.migrating``; by hand it is
``alembic -x url=postgresql://user@host/database revision --autogenerate -m "..."``.
"""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection

from trinity_beast.apps.migrating import COMPARISON, migration_engine
from trinity_beast.toolkit.tables import OWN_SCHEMA


def run(connection: Connection) -> None:
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {OWN_SCHEMA}")
    context.configure(connection=connection, **COMPARISON)
    with context.begin_transaction():
        context.run_migrations()


async def run_by_hand() -> None:
    url = context.get_x_argument(as_dictionary=True)["url"]
    engine = migration_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_by_hand())
else:
    run(given)
