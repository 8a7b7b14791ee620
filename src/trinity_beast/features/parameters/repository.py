"""Reads the parameter tables."""

from __future__ import annotations

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.parameters.model import Home
from trinity_beast.features.parameters.tables import (
    application_parameters,
    report_parameters,
)

_TABLES: dict[Home, Table] = {
    "application": application_parameters,
    "report": report_parameters,
}


async def texts_of(connection: AsyncConnection, home: Home) -> dict[str, str]:
    """Return the texts of one table by key."""
    table = _TABLES[home]
    rows = await connection.execute(select(table.c.key, table.c.value))
    return {row.key: row.value for row in rows}
