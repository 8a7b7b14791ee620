"""The writer's loop: take batches from the queue, store them, acknowledge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trinity_beast.features.usage.patience import Patience
from trinity_beast.features.usage.service import Stored, UsageService
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.usage_queue import QueuedBatch, QueueUnreachable, UsageQueue
from trinity_beast.toolkit.work import DatabaseAway, UnitOfWork

_MOST_BATCHES = 32
_WAIT_MS = 1_000


@dataclass(frozen=True, slots=True)
class WriterState:
    """What the writer did since its start, for the status page.

    Attributes:
        stored: Rows, duplicates and dead letters so far.
        last_stored_ns: When it last settled a batch, or 0.
        last_error: What it waits for right now, if so.
    """

    stored: Stored
    last_stored_ns: int
    last_error: str | None


class UsageWriter:
    """Moves batches from the queue to the table; any number may run side by side."""

    def __init__(self, queue: UsageQueue, work: UnitOfWork, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._service = UsageService(work, clock)
        self._patience = Patience("writing usage records", clock)
        self._stored = Stored()
        self._last_stored_ns = 0

    async def run(self) -> None:
        """Write for ever; may be cancelled at any time without losing a batch."""
        while True:
            await self.write_next()

    async def write_next(self) -> None:
        """Take what the queue has, wait until the database has it, acknowledge it.

        A queue that is away is waited for a little; while the database is away,
        nothing is acknowledged and the same batches are tried again.
        """
        try:
            batches = await self._queue.receive(_MOST_BATCHES, _WAIT_MS)
            if not batches:
                self._patience.worked()
                return
            await self._store(batches)
            # Should this fail, the batches come again and are found to be written.
            await self._queue.acknowledge([batch.receipt for batch in batches])
        except QueueUnreachable as error:
            await self._patience.pause(error)
        else:
            self._patience.worked()

    def state(self) -> WriterState:
        """Return what was done so far."""
        last_error = self._patience.last_error
        return WriterState(self._stored, self._last_stored_ns, last_error)

    async def _store(self, batches: Sequence[QueuedBatch]) -> None:
        bodies = [batch.body for batch in batches]
        while True:
            try:
                self._stored += await self._service.store(bodies)
            except DatabaseAway as error:
                await self._patience.pause(error)
            else:
                self._last_stored_ns = self._clock.now_ns()
                return
