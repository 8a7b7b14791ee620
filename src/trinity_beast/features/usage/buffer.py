"""The bounded memory between answering a request and shipping its record.

Hot path: ``add`` runs once a request; measured in bench/usage_record.py.
"""

from __future__ import annotations

import asyncio
from collections import deque

from trinity_beast.features.usage.record import UsageRecord


class UsageBuffer:
    """Takes records at once, for one event loop; the shipper empties it.

    A full buffer drops what is added and counts it; it fills only when neither the
    queue nor the spool take anything, or when the loop never lets the shipper run.

    Attributes:
        dropped: Records that found no place, since the start.
        ready: Set when enough are waiting that the shipper should come at once.
    """

    def __init__(self, capacity: int, wake_at: int = 2_000) -> None:
        self.dropped = 0
        self.ready = asyncio.Event()
        self._records: deque[UsageRecord] = deque()
        self._wish = wake_at
        self.resize(capacity)

    def __len__(self) -> int:
        """Return how many records wait."""
        return len(self._records)

    def resize(self, capacity: int) -> None:
        """Hold at most ``capacity`` records from now on; none that waits is lost."""
        self._capacity = capacity
        self._wake_at = max(min(self._wish, capacity // 2), 1)

    def add(self, record: UsageRecord) -> None:
        """Take a record; never waits."""
        records = self._records
        waiting = len(records)
        if waiting >= self._capacity:
            self.dropped += 1
            return
        records.append(record)
        if waiting + 1 == self._wake_at:
            self.ready.set()

    def drain(self, most: int) -> list[UsageRecord]:
        """Remove and return the oldest records, at most ``most``."""
        records = self._records
        return [records.popleft() for _ in range(min(most, len(records)))]
