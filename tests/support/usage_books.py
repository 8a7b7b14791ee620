"""The tables that the usage writer writes, as tests read them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, func, insert, select

from support.usage import KEY_ID
from trinity_beast.features.keys.tables import api_keys
from trinity_beast.features.usage.tables import (
    dead_letters,
    usage_batches,
    usage_hourly,
    usage_ledger,
    usage_logs,
)
from trinity_beast.toolkit.work import UnitOfWork


class Books:
    """Reads and prepares the tables that the writer writes."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def add_key(self, key_id: str = KEY_ID, **columns: object) -> None:
        values = {"id": UUID(key_id), "api_key": f"key {key_id}", **columns}
        async with self._work.begin() as connection:
            await connection.execute(insert(api_keys).values(values))

    async def counters(
        self,
        key_id: str = KEY_ID,
    ) -> tuple[int, datetime | None, datetime | None]:
        """Return current_usage, last_used and last_success of a key."""
        columns = api_keys.c
        query = select(columns.current_usage, columns.last_used, columns.last_success)
        async with self._work.begin() as connection:
            found = await connection.execute(query.where(columns.id == UUID(key_id)))
            usage, last_used, last_success = found.one()
        return usage, last_used, last_success

    async def ledger(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Return answered and refused by key and month."""
        async with self._work.begin() as connection:
            rows = await connection.execute(select(usage_ledger))
            return {
                (key_id, month): (answered, refused)
                for key_id, month, answered, refused in rows
            }

    async def rows(self, table: Table) -> list[dict[str, object]]:
        async with self._work.begin() as connection:
            found = await connection.execute(select(table))
            return [dict(row) for row in found.mappings()]

    async def counts(self) -> dict[str, int]:
        """Return how many rows each table has, and the calls summed in two of them."""
        ledger, hourly = usage_ledger.c, usage_hourly.c
        questions = {
            "usage_logs": select(func.count()).select_from(usage_logs),
            "usage_batches": select(func.count()).select_from(usage_batches),
            "dead_letters": select(func.count()).select_from(dead_letters),
            "ledger": select(func.sum(ledger.answered + ledger.refused)),
            "hourly": select(func.sum(hourly.calls)),
        }
        async with self._work.begin() as connection:
            return {
                name: int(await connection.scalar(question) or 0)
                for name, question in questions.items()
            }


def settled(rows: int, batches: int, dead: int = 0) -> dict[str, int]:
    """Return the counts of so many records, each written once."""
    return {
        "usage_logs": rows,
        "usage_batches": batches,
        "dead_letters": dead,
        "ledger": rows,
        "hourly": rows,
    }
