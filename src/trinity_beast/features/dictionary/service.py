"""Compares a live database with the dictionary."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.dictionary.facts import compare, facts_of
from trinity_beast.features.dictionary.model import Difference
from trinity_beast.features.dictionary.reading import dictionary, own_indexes
from trinity_beast.features.dictionary.repository import facts_of_tables


async def check_database(connection: AsyncConnection) -> tuple[Difference, ...]:
    """Return every difference between the database and the dictionary; none is best.

    Only the schema ``public`` is looked at.  Tables, columns, constraints and indexes
    that the dictionary does not know are differences too, except indexes of our own.
    The order of columns and the names of foreign keys and checks mean nothing.
    """
    expected = {entry.name: facts_of(entry) for entry in dictionary()}
    found = await facts_of_tables(connection)
    ours = {(index.table, f"index {index.name}") for index in own_indexes()}
    return tuple(
        difference
        for difference in compare(expected, found)
        if (difference.table, difference.what) not in ours
    )
