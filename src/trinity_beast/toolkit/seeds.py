"""Seeds: the rows that a fresh installation starts with.

A set of seeds is planted once, into a table that is still empty, and then remembered:
what an operator changes or deletes stays changed or deleted, and an older database that
is adopted keeps its own rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, Table, Text, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.toolkit.columns import MOMENT, required
from trinity_beast.toolkit.tables import OWN_SCHEMA, metadata

seeds = Table(
    "seeds",
    metadata,
    Column("name", Text, primary_key=True),
    required("applied_at", MOMENT, "now()"),
    schema=OWN_SCHEMA,
)


@dataclass(frozen=True, slots=True)
class Seed:
    """Rows of one table.

    Attributes:
        table: Where they belong; its name is the seed's name.
        natural_key: Columns that tell whether a row is there already.
        rows: The rows, all with the same columns.
    """

    table: Table
    natural_key: tuple[str, ...]
    rows: tuple[Mapping[str, object], ...]

    @property
    def name(self) -> str:
        """Return the name that the seed is remembered by."""
        return self.table.name


async def plant(connection: AsyncConnection, seed: Seed, *, again: bool) -> int:
    """Insert a seed's rows and return how many were inserted.

    Args:
        connection: In a transaction; two processes must not plant at once.
        seed: What to plant.
        again: Also insert what is missing although the seed was planted before or the
            table has rows of its own.  Rows that are there are never changed.
    """
    first_time = await _remember(connection, seed.name)
    if not again and not (first_time and await _is_empty(connection, seed.table)):
        return 0
    present = await _keys_of(connection, seed)
    missing = [row for row in seed.rows if _key(seed, row) not in present]
    if missing:
        await connection.execute(insert(seed.table), missing)
    return len(missing)


async def _remember(connection: AsyncConnection, name: str) -> bool:
    statement = insert(seeds).values(name=name).on_conflict_do_nothing()
    result = await connection.execute(statement.returning(seeds.c.name))
    return result.first() is not None


async def _is_empty(connection: AsyncConnection, table: Table) -> bool:
    return not await connection.scalar(select(exists(select(table))))


async def _keys_of(connection: AsyncConnection, seed: Seed) -> set[tuple[object, ...]]:
    columns = [seed.table.c[name] for name in seed.natural_key]
    result = await connection.execute(select(*columns))
    return {tuple(row) for row in result}


def _key(seed: Seed, row: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in seed.natural_key)
