"""Putting batches into the table, each exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import structlog

from trinity_beast.features.usage.batch import Batch, BatchCodec
from trinity_beast.features.usage.errors import BatchUnreadable, RowsRefused
from trinity_beast.features.usage.record import cleaned
from trinity_beast.features.usage.repository import (
    UsageRepository,
    telling_refusals_from_absence,
)
from trinity_beast.features.usage.tally import Tally
from trinity_beast.kernel.time import NS_PER_S, to_datetime
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.work import UnitOfWork

_log = structlog.get_logger("usage.writer")
_ROWS_IN_A_TRANSACTION = 20_000
_KEPT_NS = 8 * 24 * 3_600 * NS_PER_S
"""Twice as long as a queue of ours keeps a batch."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of some batches.

    Attributes:
        rows: Rows that were written.
        duplicates: Batches that had been written before.
        buried: Batches that are dead letters now.
    """

    rows: int = 0
    duplicates: int = 0
    buried: int = 0

    def __add__(self, other: Stored) -> Stored:
        """Return both together."""
        return Stored(
            self.rows + other.rows,
            self.duplicates + other.duplicates,
            self.buried + other.buried,
        )


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A batch with the bytes that it came as."""

    batch: Batch
    body: bytes


class UsageService:
    """Writes usage batches; whatever the queue does, each row is there once."""

    def __init__(self, work: UnitOfWork, clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._codec = BatchCodec()
        self._repository = UsageRepository()

    async def store(self, bodies: Sequence[bytes]) -> Stored:
        """Write batches with all their counters, or keep them as dead letters.

        When it returns all of them are settled and may be acknowledged.

        Args:
            bodies: Batches as they came from the queue, duplicates allowed.

        Raises:
            DatabaseAway: Some may be written; come again with all of them.
        """
        parcels: list[_Parcel] = []
        stored = Stored()
        for body in bodies:
            await _others_first()
            try:
                parcels.append(_Parcel(self._decoded(body), body))
            except BatchUnreadable as error:
                stored += await self._bury(body, error)
        for group in _groups(parcels):
            stored += await self._store_group(group)
        return stored

    async def make_partitions(self) -> None:
        """Make the monthly partitions that are missing, three months ahead.

        Raises:
            DatabaseAway: They are missing still.
        """
        now_ns = self._clock.now_ns()
        async with self._work.begin() as connection:
            await self._repository.make_partitions(connection, now_ns)

    async def prune(self) -> int:
        """Forget the ids of old batches and return how many.

        They are kept for 8 days; a batch that comes again later would be written
        again.
        """
        before = to_datetime(self._clock.now_ns() - _KEPT_NS)
        async with self._work.begin() as connection:
            return await self._repository.prune_batches(connection, before)

    def _decoded(self, body: bytes) -> Batch:
        batch = self._codec.decode(body)
        return replace(batch, records=tuple(map(cleaned, batch.records)))

    async def _store_group(self, group: Sequence[_Parcel]) -> Stored:
        """Write a group in one transaction; one by one if something is refused."""
        try:
            return await self._write([parcel.batch for parcel in group])
        except RowsRefused as error:
            if len(group) == 1:
                return await self._bury(group[0].body, error)
        stored = Stored()
        for parcel in group:
            stored += await self._store_group([parcel])
        return stored

    async def _write(self, batches: Sequence[Batch]) -> Stored:
        by_id = {batch.batch_id: batch for batch in batches}
        with telling_refusals_from_absence():
            async with self._work.begin() as connection:
                repository = self._repository
                new_ids = await repository.register(connection, [*by_id.values()])
                new = [by_id[batch_id] for batch_id in by_id if batch_id in new_ids]
                if new:
                    await repository.copy(connection, new)
                    tally = await _tally_of(new)
                    await repository.count_months(connection, tally.by_month())
                    await repository.count_hours(connection, tally.by_hour())
                    # Last, since busy keys are what writers wait for each other on.
                    keys = tally.by_key(self._clock.now_ns())
                    await repository.count_keys(connection, keys)
        rows = sum(len(batch.records) for batch in new)
        return Stored(rows, duplicates=len(batches) - len(new))

    async def _bury(self, body: bytes, error: BatchUnreadable | RowsRefused) -> Stored:
        _log.error("usage batch is a dead letter", reason=error.message)
        with telling_refusals_from_absence():
            async with self._work.begin() as connection:
                await self._repository.bury(connection, body, error.message)
        return Stored(buried=1)


async def _tally_of(batches: Iterable[Batch]) -> Tally:
    tally = Tally()
    for batch in batches:
        await _others_first()
        tally.add(batch.records)
    return tally


async def _others_first() -> None:
    """Let the loop do what else is due, after a batch's worth of computing.

    The all-in-one process answers requests on the same loop.
    """
    await asyncio.sleep(0)


def _groups(parcels: Iterable[_Parcel]) -> Iterator[list[_Parcel]]:
    """Yield the parcels in groups of so many rows that one transaction is well used."""
    group: list[_Parcel] = []
    rows = 0
    for parcel in parcels:
        if group and rows + len(parcel.batch.records) > _ROWS_IN_A_TRANSACTION:
            yield group
            group, rows = [], 0
        group.append(parcel)
        rows += len(parcel.batch.records)
    if group:
        yield group
