"""The SQL of usage records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Protocol, cast
from uuid import UUID

import asyncpg
from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.usage.batch import Batch
from trinity_beast.features.usage.errors import RowsRefused
from trinity_beast.features.usage.partitions import ensure_partitions
from trinity_beast.features.usage.rows import COLUMNS, rows_of
from trinity_beast.features.usage.tables import dead_letters, usage_batches, usage_logs
from trinity_beast.features.usage.tally import HourTally, KeyTally, MonthTally
from trinity_beast.toolkit.work import DatabaseAway

_COPY_TIMEOUT_S = 60.0
_ROWS_WITHOUT_PAUSE = 500
_REFUSING_CLASSES = ("22", "23")
"""Classes of SQLSTATE that speak of the rows: data exceptions and violated rules."""

# Notices of changed keys go to every process; counters change with every batch.
_QUIET = text("SELECT set_config('beast.quiet', 'on', true)")

_LOCK_KEYS = text("""\
SELECT id FROM api_keys WHERE id = ANY(CAST(:ids AS uuid[]))
ORDER BY id FOR NO KEY UPDATE""")

# Records of the row's month add up, those of a later month begin anew, and those of an
# earlier one come too late to count.
_COUNT_KEYS = text("""\
UPDATE api_keys AS k SET
  current_usage = least(2147483647, CASE
    WHEN k.last_used < n.month_start THEN n.answered
    WHEN k.last_used >= n.month_end THEN k.current_usage
    ELSE k.current_usage + n.answered
  END),
  last_used = greatest(k.last_used, n.last_used),
  last_success = greatest(k.last_success, n.last_success)
FROM unnest(
  CAST(:ids AS uuid[]),
  CAST(:starts AS timestamptz[]),
  CAST(:ends AS timestamptz[]),
  CAST(:answered AS bigint[]),
  CAST(:used AS timestamptz[]),
  CAST(:succeeded AS timestamptz[])
) AS n(id, month_start, month_end, answered, last_used, last_success)
WHERE k.id = n.id""")

_COUNT_MONTHS = text("""\
INSERT INTO beast.usage_ledger AS l (key_id, month, answered, refused)
SELECT * FROM unnest(
  CAST(:keys AS text[]),
  CAST(:months AS integer[]),
  CAST(:answered AS bigint[]),
  CAST(:refused AS bigint[])
)
ON CONFLICT (key_id, month) DO UPDATE SET
  answered = l.answered + excluded.answered,
  refused = l.refused + excluded.refused""")

_COUNT_HOURS = text("""\
INSERT INTO beast.usage_hourly AS h
  (hour, key_id, source, status, cached, calls, duration_ms_sum)
SELECT * FROM unnest(
  CAST(:hours AS timestamptz[]),
  CAST(:keys AS text[]),
  CAST(:sources AS text[]),
  CAST(:statuses AS text[]),
  CAST(:cached AS boolean[]),
  CAST(:calls AS bigint[]),
  CAST(:durations AS bigint[])
)
ON CONFLICT (hour, key_id, source, status, cached) DO UPDATE SET
  calls = h.calls + excluded.calls,
  duration_ms_sum = h.duration_ms_sum + excluded.duration_ms_sum""")


class _Copying(Protocol):
    """What we need of the driver's own connection."""

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        schema_name: str,
        columns: Sequence[str],
        records: AsyncIterable[tuple[object, ...]],
        timeout: float,  # noqa: ASYNC109 - the driver's own name
    ) -> str: ...


class UsageRepository:
    """Writes batches, counters and dead letters in the caller's transaction."""

    async def register(
        self,
        connection: AsyncConnection,
        batches: Sequence[Batch],
    ) -> set[UUID]:
        """Return the ids of the batches that were not written before.

        Comes first in a transaction: it also begins it for ``copy``, which speaks to
        the driver directly, and makes it quiet.  A batch that another writer has in
        hand is waited for.
        """
        await connection.execute(_QUIET)
        values = [
            {
                "batch_id": batch.batch_id,
                "node": batch.node,
                "records": len(batch.records),
            }
            for batch in sorted(batches, key=lambda batch: batch.batch_id)
        ]
        added = await connection.execute(
            insert(usage_batches)
            .values(values)
            .on_conflict_do_nothing()
            .returning(usage_batches.c.batch_id),
        )
        return set(added.scalars())

    async def copy(
        self,
        connection: AsyncConnection,
        batches: Sequence[Batch],
    ) -> None:
        """Write the rows of some batches by COPY."""
        raw = await connection.get_raw_connection()
        driver = cast("_Copying", raw.driver_connection)
        await driver.copy_records_to_table(
            usage_logs.name,
            schema_name="public",
            columns=COLUMNS,
            records=_with_pauses(rows_of(batches)),
            timeout=_COPY_TIMEOUT_S,
        )

    async def count_months(
        self,
        connection: AsyncConnection,
        rows: Sequence[MonthTally],
    ) -> None:
        """Add to the ledger."""
        await connection.execute(
            _COUNT_MONTHS,
            {
                "keys": [row.key_id for row in rows],
                "months": [row.month for row in rows],
                "answered": [row.answered for row in rows],
                "refused": [row.refused for row in rows],
            },
        )

    async def count_hours(
        self,
        connection: AsyncConnection,
        rows: Sequence[HourTally],
    ) -> None:
        """Add to the hourly sums."""
        await connection.execute(
            _COUNT_HOURS,
            {
                "hours": [row.hour for row in rows],
                "keys": [row.key_id for row in rows],
                "sources": [row.source for row in rows],
                "statuses": [row.status for row in rows],
                "cached": [row.cached for row in rows],
                "calls": [row.calls for row in rows],
                "durations": [row.duration_ms_sum for row in rows],
            },
        )

    async def count_keys(
        self,
        connection: AsyncConnection,
        rows: Sequence[KeyTally],
    ) -> None:
        """Bring the counters of keys up to date; unknown keys are passed over.

        Two statements: the second one has to see what others committed while the first
        one waited for their locks.
        """
        ids = [row.key_id for row in rows]
        await connection.execute(_LOCK_KEYS, {"ids": ids})
        await connection.execute(
            _COUNT_KEYS,
            {
                "ids": ids,
                "starts": [row.month_start for row in rows],
                "ends": [row.month_end for row in rows],
                "answered": [row.answered for row in rows],
                "used": [row.last_used for row in rows],
                "succeeded": [row.last_success for row in rows],
            },
        )

    async def bury(
        self,
        connection: AsyncConnection,
        body: bytes,
        reason: str,
    ) -> None:
        """Keep a batch that can never be written; the same bytes are kept once."""
        values = {
            "id": UUID(bytes=sha256(body).digest()[:16]),
            "reason": reason,
            "body": body,
        }
        await connection.execute(
            insert(dead_letters).values(values).on_conflict_do_nothing(),
        )

    async def make_partitions(self, connection: AsyncConnection, now_ns: int) -> None:
        """Make the partitions that are missing around an instant."""
        for statement in ensure_partitions(now_ns):
            await connection.execute(text(statement))

    async def prune_batches(
        self,
        connection: AsyncConnection,
        before: datetime,
    ) -> int:
        """Forget the ids of batches written before a moment; return how many."""
        gone = await connection.execute(
            delete(usage_batches).where(usage_batches.c.written_at < before),
        )
        return gone.rowcount


async def _with_pauses(
    rows: Iterable[tuple[object, ...]],
) -> AsyncIterator[tuple[object, ...]]:
    """Yield the rows, letting the loop answer requests in between, each 3 ms or so."""
    for number, row in enumerate(rows):
        if number % _ROWS_WITHOUT_PAUSE == 0:
            await asyncio.sleep(0)
        yield row


@contextmanager
def telling_refusals_from_absence() -> Generator[None]:
    """Turn the errors of a whole transaction into one of two.

    Raises:
        RowsRefused: The database speaks of the rows.
        DatabaseAway: Anything else (a deadlock, a full disk, a missing table): not the
            rows' fault, so that trying again is right.
    """
    try:
        yield
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        state = _sqlstate_of(error)
        if state.startswith(_REFUSING_CLASSES):
            raise RowsRefused(reason=f"{state} {type(error).__name__}") from error
        raise DatabaseAway(reason=f"{type(error).__name__} {state}".strip()) from error


def _sqlstate_of(error: BaseException | None) -> str:
    """Return the SQLSTATE of an error or of what caused it, or an empty text."""
    if error is None:
        return ""
    return str(getattr(error, "sqlstate", None) or _sqlstate_of(error.__cause__))
