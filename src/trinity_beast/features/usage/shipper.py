"""From the buffer to the queue, by way of the disk when the queue is away.

Two loops: one packs what is in the buffer and, when packed batches are not gone after
one flush, puts them on the disk; the other publishes, from the disk first.  So a queue
that hangs never keeps records in memory alone for longer than a flush, and a slow disk
never keeps the queue waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from trinity_beast.features.usage.buffer import UsageBuffer
from trinity_beast.features.usage.errors import SpoolFull
from trinity_beast.features.usage.packer import Origin, PackedBatch, Packer
from trinity_beast.features.usage.patience import Patience, Seldom
from trinity_beast.features.usage.spool import Spool
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness
from trinity_beast.ports.usage_queue import QueueUnreachable, UsageQueue

_log = structlog.get_logger("usage.shipper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """Who ships, how much and how often.

    Attributes:
        node: Name of this node, as ``cluster_node`` shows it.
        region: Its region, as ``aws_region`` shows it.
        flush_ms: Asked at each turn: how long records wait for company.
        timeout_ms: Asked at each turn: how long the queue may take for one batch.
        most_records: Most records in a batch; packing 2,000 holds the loop up for 1 ms.
        most_bytes: Most bytes in a batch: 256 KB of SQS, less a quarter for base64.
        most_unsent_bytes: Most packed bytes in memory; beyond, records stay in the
            buffer, which is where a full system drops and counts.
    """

    node: str
    region: str
    flush_ms: Callable[[], int] = lambda: 100
    timeout_ms: Callable[[], int] = lambda: 3_000
    most_records: int = 2_000
    most_bytes: int = 190_000
    most_unsent_bytes: int = 8 << 20


@dataclass(frozen=True, slots=True)
class ShipperState:
    """What became of the records of this process, for the status page.

    Attributes:
        buffered: Records that wait in memory, packed ones included.
        published: Records that the queue took, those from the disk included, and those
            again that it may have taken before.
        spooled: Records that went to the disk, whatever became of them since.
        spool_bytes: What waits on the disk now.
        dropped: Records that are lost.
        last_error: Why the queue or the disk takes nothing right now, if so.
    """

    buffered: int
    published: int
    spooled: int
    spool_bytes: int
    dropped: int
    last_error: str | None


class UsageShipper:
    """Ships the records of one process; delivers each batch at least once.

    Needs the buffer, the queue and the spool for itself.
    """

    def __init__(
        self,
        buffer: UsageBuffer,
        queue: UsageQueue,
        spool: Spool,
        clock: Clock,
        randomness: Randomness,
        shipping: Shipping,
    ) -> None:
        self._buffer = buffer
        self._queue = queue
        self._spool = spool
        self._clock = clock
        self._shipping = shipping
        self._packer = Packer(
            Origin(shipping.node, shipping.region),
            clock,
            randomness,
            shipping.most_bytes,
        )
        self._unsent: dict[UUID, PackedBatch] = {}
        self._news = asyncio.Event()
        self._patience = Patience("shipping usage records", clock)
        self._may_complain = Seldom(clock)
        self._spool_error: str | None = None
        self._published = 0
        self._spooled = 0
        self._lost = 0
        self._dropped_before = 0

    async def run(self) -> None:
        """Ship for ever; may be cancelled at any time, and started again."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._collect_for_ever())
            loops.create_task(self._publish_for_ever())

    async def drain(self, deadline_s: float) -> None:
        """Ship all there is: the last thing a process does, after ``run`` ended.

        When it returns, each record is in the queue or on the disk; should neither take
        them, they are counted as dropped and the log says how many.

        Args:
            deadline_s: How long the queue may take; what is left then goes to the disk.
        """
        if not self._spool.is_empty:
            # A long replay must not keep the newest in memory alone.
            self._pack(len(self._buffer))
            await self._put_on_disk()
        try:
            async with asyncio.timeout(deadline_s):
                self._pack(len(self._buffer))
                while await self._publish_next():
                    self._pack(len(self._buffer))
        except (QueueUnreachable, TimeoutError) as error:
            _log.warning("queue is away at the end, spooling", reason=repr(error))
        self._pack(len(self._buffer))
        await self._put_on_disk()
        self._lost += sum(batch.count for batch in self._unsent.values())
        self._unsent.clear()
        self._complain_of_drops()

    def state(self) -> ShipperState:
        """Return what became of the records so far."""
        packed = sum(batch.count for batch in self._unsent.values())
        return ShipperState(
            buffered=len(self._buffer) + packed,
            published=self._published,
            spooled=self._spooled,
            spool_bytes=self._spool.waiting_bytes,
            dropped=self._dropped,
            last_error=self._spool_error or self._patience.last_error,
        )

    @property
    def _dropped(self) -> int:
        return self._buffer.dropped + self._lost

    async def _collect_for_ever(self) -> None:
        while True:
            await self._next_flush()
            await self.collect()

    async def _next_flush(self) -> None:
        """Wait for the time of a flush, or less when a batch is full already."""
        flush_s = max(self._shipping.flush_ms(), 1) / 1_000
        waits = {
            asyncio.ensure_future(self._clock.sleep(flush_s)),
            asyncio.ensure_future(self._buffer.ready.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._buffer.ready.clear()

    async def collect(self) -> None:
        """Pack what the buffer holds; put it on the disk if the queue is behind."""
        unsent_bytes = sum(len(batch.body) for batch in self._unsent.values())
        if unsent_bytes < self._shipping.most_unsent_bytes:
            self._pack(len(self._buffer))
        if self._unsent and (self._is_late() or not self._spool.is_empty):
            await self._put_on_disk()
        self._complain_of_drops()

    def _pack(self, count: int) -> None:
        """Pack the ``count`` oldest records."""
        while count > 0:
            records = self._buffer.drain(min(count, self._shipping.most_records))
            count -= len(records)
            self._unsent |= {b.batch_id: b for b in self._packer.pack(records)}
        if self._unsent:
            self._news.set()

    def _is_late(self) -> bool:
        oldest = next(iter(self._unsent.values()))
        waited_ns = self._clock.monotonic_ns() - oldest.packed_ns
        return waited_ns >= self._shipping.flush_ms() * NS_PER_MS

    async def _put_on_disk(self) -> None:
        """Move the unsent batches to the spool; they stay if it takes none.

        A batch that is being published at this moment may end up in both: its id makes
        the second one harmless.
        """
        batches = list(self._unsent.values())
        if not batches:
            return
        bodies = [batch.body for batch in batches]
        try:
            await asyncio.to_thread(self._spool.append, bodies)
        except SpoolFull as error:
            self._spool_error = error.message
            return
        self._spool_error = None
        for batch in batches:
            self._unsent.pop(batch.batch_id, None)
            self._spooled += batch.count
        self._news.set()

    async def _publish_for_ever(self) -> None:
        while True:
            try:
                if not await self._publish_next():
                    self._news.clear()
                    await self._news.wait()
            except QueueUnreachable as error:
                await self._patience.pause(error)

    async def _publish_next(self) -> bool:
        """Publish the oldest batch; return False when there is none."""
        if not self._spool.is_empty:
            spooled = await asyncio.to_thread(self._spool.oldest)
            if spooled is not None:
                await self._publish(spooled.body)
                await asyncio.to_thread(self._spool.forget, spooled)
            return True
        if not self._unsent:
            return False
        batch = next(iter(self._unsent.values()))
        await self._publish(batch.body)
        self._unsent.pop(batch.batch_id, None)
        return True

    async def _publish(self, body: bytes) -> None:
        timeout_s = self._shipping.timeout_ms() / 1_000
        try:
            async with asyncio.timeout(timeout_s):
                await self._queue.publish(body)
        except TimeoutError as error:
            raise QueueUnreachable(reason=f"no answer in {timeout_s} s") from error
        self._patience.worked()
        self._published += self._packer.count_of(body)

    def _complain_of_drops(self) -> None:
        if self._dropped > self._dropped_before and self._may_complain.due():
            _log.error(
                "usage records dropped: neither queue nor spool take any",
                since_last_line=self._dropped - self._dropped_before,
                since_start=self._dropped,
                spool=self._spool_error,
            )
            self._dropped_before = self._dropped
