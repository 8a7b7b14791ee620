"""A usage queue in memory whose misfortunes tests choose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from trinity_beast.ports.usage_queue import QueuedBatch, QueueUnreachable


class MemoryQueue:
    """Keeps the contract of ``UsageQueue``; comes again what was not acknowledged.

    Attributes:
        away: Every call fails.
        hangs: Publishing never returns.
        breaks: Publishing takes the batch and fails all the same.
        forgetful: Acknowledging fails.
        bodies: What waits or is being worked on, oldest first.
    """

    def __init__(self) -> None:
        self.away = False
        self.hangs = False
        self.breaks = False
        self.forgetful = False
        self.bodies: dict[str, bytes] = {}
        self._deliveries: dict[str, int] = {}
        self._count = 0

    async def publish(self, body: bytes) -> None:
        """Take a batch."""
        self._check()
        if self.hangs:
            await asyncio.Event().wait()
        self._count += 1
        self.bodies[str(self._count)] = body
        if self.breaks:
            raise QueueUnreachable(reason="the answer was lost")

    async def receive(self, most: int, wait_ms: int) -> Sequence[QueuedBatch]:
        """Return the oldest batches at once, also those that were delivered before."""
        self._check()
        await asyncio.sleep(0)
        batches: list[QueuedBatch] = []
        for receipt, body in list(self.bodies.items())[:most]:
            deliveries = self._deliveries.get(receipt, 0) + 1
            self._deliveries[receipt] = deliveries
            batches.append(QueuedBatch(receipt, body, deliveries))
        return batches

    async def acknowledge(self, receipts: Sequence[str]) -> None:
        """Forget batches."""
        self._check()
        if self.forgetful:
            raise QueueUnreachable(reason="it went away")
        for receipt in receipts:
            self.bodies.pop(receipt, None)

    async def depth(self) -> int:
        """Count what is there."""
        self._check()
        return len(self.bodies)

    def _check(self) -> None:
        if self.away:
            raise QueueUnreachable(reason="it is away")
