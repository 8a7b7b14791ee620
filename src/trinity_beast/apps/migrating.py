"""Bringing a database to the version of this code: tables, partitions, first rows.

An upgrade is one transaction under one lock, so it happens as a whole or not at all,
and two processes that start together do it one after the other.  A database that was
made from the data dictionary by hand is adopted: its tables and rows stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import trinity_beast
from trinity_beast.adapters.postgres import make_engine
from trinity_beast.apps.all_seeds import all_seeds
from trinity_beast.apps.all_tables import metadata
from trinity_beast.features.usage.partitions import DEFAULT_PARTITION, ensure_partitions
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.seeds import plant
from trinity_beast.toolkit.tables import OWN_SCHEMA
from trinity_beast.toolkit.work import UnitOfWork

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('beast.upgrade'))")
_PARTITION = re.compile(rf"usage_logs_[0-9]{{6}}|{DEFAULT_PARTITION}")
_VERSION_TABLE = "alembic_version"
# An index on a large adopted table takes its time.
_STATEMENT_WITHIN_S = 3600.0


SeedCounts = Mapping[str, int]
"""How many rows were inserted, by table."""


def is_ours(name: str | None, kind: str, _parents: Mapping[str, str | None]) -> bool:
    """Tell Alembic whether a schema or table of the database is part of our model."""
    if kind == "schema":
        return name in {None, OWN_SCHEMA}
    if kind == "table":
        return name != _VERSION_TABLE and not _PARTITION.fullmatch(name or "")
    return True


COMPARISON: Mapping[str, Any] = MappingProxyType(
    {
        "target_metadata": metadata,
        "version_table": _VERSION_TABLE,
        "version_table_schema": OWN_SCHEMA,
        "include_schemas": True,
        "include_name": is_ours,
        "compare_type": True,
        "compare_server_default": True,
    },
)
"""How Alembic compares a database with our tables."""


def migration_engine(url: str) -> AsyncEngine:
    """Return an engine for migrations; unqualified names mean the schema ``public``.

    PostgreSQL's own search path begins with a schema of the user's name: a user called
    ``beast`` would take our schema for the dictionary's.
    """
    public = make_url(url).update_query_dict({"search_path": "public"})
    return make_engine(
        public.render_as_string(hide_password=False),
        application_name="beast upgrade",
        pool_size=1,
        command_timeout_s=_STATEMENT_WITHIN_S,
    )


async def upgrade(url: str, clock: Clock) -> SeedCounts:
    """Bring the database to this version; doing it again changes nothing.

    Adopts a database that has the dictionary's tables, makes the partitions of the
    months around now, and plants the seeds that were never planted.

    Returns:
        The seeds that were planted.

    Raises:
        DatabaseAway: The database was not there, or went away; nothing was changed.
    """
    engine = migration_engine(url)
    try:
        async with UnitOfWork(engine).begin() as connection:
            await connection.execute(_LOCK)
            await connection.run_sync(_migrate)
            for statement in ensure_partitions(clock.now_ns()):
                await connection.exec_driver_sql(statement)
            return await _plant_all(connection, again=False)
    finally:
        await engine.dispose()


async def seed(work: UnitOfWork, *, force: bool = False) -> SeedCounts:
    """Plant the seeds; rows that are there are never changed.

    Args:
        work: On an upgraded database.
        force: Also put back what an operator deleted, and add what an adopted database
            never had.

    Raises:
        DatabaseAway: The database was not there, or went away; nothing was changed.
    """
    async with work.begin() as connection:
        await connection.execute(_LOCK)
        return await _plant_all(connection, again=force)


def script_location(package: Path) -> Path:
    """Return where the migrations are: inside an installed package, or beside src."""
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parents[1] / "migrations"


def _migrate(connection: Connection) -> None:
    settings = Config()
    location = script_location(Path(trinity_beast.__file__).parent)
    # Config knows % as an interpolation, a path may hold one.
    settings.set_main_option("script_location", str(location).replace("%", "%%"))
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


async def _plant_all(connection: AsyncConnection, *, again: bool) -> SeedCounts:
    return {s.name: await plant(connection, s, again=again) for s in all_seeds()}
