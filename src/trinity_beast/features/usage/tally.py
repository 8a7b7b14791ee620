"""What a group of records adds to the counters; no I/O.

The hour decides the month, so that one pass over the records by hour is enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from trinity_beast.features.usage.record import SUCCESS, UsageRecord
from trinity_beast.kernel.time import (
    NS_PER_S,
    month_of,
    month_start_ns,
    next_month,
    to_datetime,
)

_NS_PER_HOUR = 3_600 * NS_PER_S
FUTURE_NS = 24 * _NS_PER_HOUR
"""A record from later than this after now comes from a clock that is wrong."""

_Cell = tuple[int, str, str, str, bool]


@dataclass(slots=True)
class _Counts:
    calls: int = 0
    duration_ms_sum: int = 0
    newest_ns: int = 0


@dataclass(frozen=True, slots=True)
class HourTally:
    """What is added to one row of ``usage_hourly``."""

    hour: datetime
    key_id: str
    source: str
    status: str
    cached: bool
    calls: int
    duration_ms_sum: int


@dataclass(slots=True)
class MonthTally:
    """What is added to one row of ``usage_ledger``, and when its newest came in."""

    key_id: str
    month: int
    answered: int = 0
    refused: int = 0
    used_ns: int = 0
    success_ns: int = 0

    def add(self, status: str, counts: _Counts) -> None:
        """Add the records of one hour and status."""
        self.used_ns = max(self.used_ns, counts.newest_ns)
        if status == SUCCESS:
            self.answered += counts.calls
            self.success_ns = max(self.success_ns, counts.newest_ns)
        else:
            self.refused += counts.calls


@dataclass(frozen=True, slots=True)
class KeyTally:
    """What is added to one row of ``api_keys``.

    Attributes:
        key_id: The row's id.
        month_start: First instant of the newest month that the key has records of.
        month_end: First instant after it.
        answered: Successful requests in that month.
        last_used: The newest request.
        last_success: The newest successful one, if there is one.
    """

    key_id: UUID
    month_start: datetime
    month_end: datetime
    answered: int
    last_used: datetime
    last_success: datetime | None


class Tally:
    """The sums of some records, each list in the order of its rows' primary keys.

    Two writers that touch the same rows touch them in the same order, so that neither
    waits for the other in a circle.
    """

    def __init__(self, records: Iterable[UsageRecord] = ()) -> None:
        self._cells: dict[_Cell, _Counts] = {}
        self.add(records)

    def add(self, records: Iterable[UsageRecord]) -> None:
        """Add clean records."""
        for record in records:
            cell = (
                record.at_ns // _NS_PER_HOUR,
                record.key_id,
                record.source or "",
                record.status,
                bool(record.cached),
            )
            counts = self._cells.get(cell)
            if counts is None:
                counts = self._cells[cell] = _Counts()
            counts.calls += 1
            counts.duration_ms_sum += record.duration_ms
            counts.newest_ns = max(counts.newest_ns, record.at_ns)

    def by_hour(self) -> list[HourTally]:
        """Return what each hour, key, source, status and cached gets."""
        return [
            HourTally(
                to_datetime(hour * _NS_PER_HOUR),
                key_id,
                source,
                status,
                cached,
                counts.calls,
                counts.duration_ms_sum,
            )
            for (hour, key_id, source, status, cached), counts in self._ordered()
        ]

    def by_month(self) -> list[MonthTally]:
        """Return what each key and month gets; only success counts as answered."""
        months: dict[tuple[str, int], MonthTally] = {}
        for (hour, key_id, _, status, _), counts in self._ordered():
            month = month_of(hour * _NS_PER_HOUR)
            row = months.setdefault((key_id, month), MonthTally(key_id, month))
            row.add(status, counts)
        return [months[place] for place in sorted(months)]

    def by_key(self, now_ns: int) -> list[KeyTally]:
        """Return what each key gets for the newest month it has records of.

        What is no uuid is no key of ours and left out.  So are months more than a day
        ahead: a clock that is wrong must not move ``last_used`` to where no request
        will ever count again.
        """
        latest_ns = now_ns + FUTURE_NS
        newest: dict[str, MonthTally] = {}
        success_ns: dict[str, int] = {}
        for row in self.by_month():
            if row.month <= month_of(latest_ns):
                newest[row.key_id] = row
                before = success_ns.get(row.key_id, 0)
                success_ns[row.key_id] = max(row.success_ns, before)
        tallies = [
            _key_tally(key_id, row, min(success_ns[text], latest_ns), latest_ns)
            for text, row in newest.items()
            if (key_id := _key_id(text)) is not None
        ]
        return sorted(tallies, key=lambda tally: tally.key_id)

    def _ordered(self) -> list[tuple[_Cell, _Counts]]:
        return sorted(self._cells.items(), key=lambda item: item[0])


def _key_tally(
    key_id: UUID,
    row: MonthTally,
    success_ns: int,
    latest_ns: int,
) -> KeyTally:
    return KeyTally(
        key_id,
        to_datetime(month_start_ns(row.month)),
        to_datetime(month_start_ns(next_month(row.month))),
        row.answered,
        to_datetime(min(row.used_ns, latest_ns)),
        to_datetime(success_ns) if success_ns else None,
    )


def _key_id(text: str) -> UUID | None:
    """Return the uuid, if written as we write it, so that no two texts share one."""
    try:
        key_id = UUID(text)
    except ValueError:
        return None
    return key_id if str(key_id) == text else None
