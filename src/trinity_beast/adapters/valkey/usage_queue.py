"""The usage queue on a Valkey Stream with a consumer group.

One entry is one batch, in the field ``b``.  What a consumer received and did not
acknowledge stays in the group's pending list; whoever asks next after ``claim_idle_ms``
gets it.  An acknowledged entry is deleted, so the stream's length is the queue's depth.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias, cast

from glide import (
    Batch,
    GlideClient,
    GlideError,
    IdBound,
    RequestError,
    StreamGroupOptions,
    StreamReadGroupOptions,
    TEncodable,
)

from trinity_beast.ports.usage_queue import QueuedBatch, QueueUnreachable

_FIELD = b"b"
_BEGINNING = "0-0"
_NEVER_DELIVERED = ">"
_CLAIMED_DELIVERIES = 2  # at least: once to the one who lost it, once to us

_Entries: TypeAlias = Mapping[bytes, list[list[bytes]] | None]


class ValkeyUsageQueue:
    """A ``UsageQueue`` on one stream; can be built while Valkey is away.

    What ``publish`` handed over survives a killed Valkey; a machine that loses power
    may lose the last second (``appendfsync everysec``).

    Args:
        client: For all commands that return at once.
        reader: For the blocking read; a client of its own.  A process that only
            publishes may give the same one twice.
        consumer: Name of this reader, unique among the living.  One that comes back
            under its old name first gets what it never acknowledged.
        stream: Key of the stream.
        group: Name of the consumer group, made on demand.
        claim_idle_ms: After this time without an acknowledgement a batch is taken from
            its consumer and given to whoever asks.
    """

    def __init__(
        self,
        client: GlideClient,
        reader: GlideClient,
        *,
        consumer: str,
        stream: str = "usage:batches",
        group: str = "writers",
        claim_idle_ms: int = 30_000,
    ) -> None:
        self._client = client
        self._reader = reader
        self._consumer = consumer
        self._stream = stream
        self._group = group
        self._claim_idle_ms = claim_idle_ms
        self._claim_from: str | bytes = _BEGINNING
        self._own_after: str | bytes | None = _BEGINNING

    async def publish(self, body: bytes) -> None:
        """Append a batch.

        Raises:
            QueueUnreachable: It may or may not have been taken; publish it again.
        """
        with self._asking():
            await self._client.xadd(self._stream, [(_FIELD, body)])

    async def receive(self, most: int, wait_ms: int) -> Sequence[QueuedBatch]:
        """Return our own unfinished batches, else abandoned ones, else new ones.

        Raises:
            QueueUnreachable: Valkey is away.
        """
        with self._asking():
            return await self._receive_from_group(most, wait_ms)

    async def acknowledge(self, receipts: Sequence[str]) -> None:
        """Forget batches for good, in one transaction.

        Raises:
            QueueUnreachable: Valkey is away; the batches may come again.
        """
        if not receipts:
            return
        ids: list[TEncodable] = list(receipts)
        both = Batch(is_atomic=True)
        both.xack(self._stream, self._group, ids)
        both.xdel(self._stream, ids)
        with self._asking():
            await self._run(both)

    async def depth(self) -> int:
        """Return the length of the stream.

        Raises:
            QueueUnreachable: Valkey is away.
        """
        with self._asking():
            return await self._client.xlen(self._stream)

    @contextmanager
    def _asking(self) -> Generator[None]:
        try:
            yield
        except (GlideError, CancelledError) as error:
            # A reply may be lost on its way, and the batches in it are now ours.
            self._own_after = _BEGINNING
            if isinstance(error, CancelledError):
                raise
            raise QueueUnreachable(reason=str(error)) from error

    async def _receive_from_group(self, most: int, wait_ms: int) -> list[QueuedBatch]:
        try:
            return await self._receive_next(most, wait_ms)
        except RequestError as error:
            if "NOGROUP" not in str(error):
                raise
        await self._make_group()
        return await self._receive_next(most, wait_ms)

    async def _receive_next(self, most: int, wait_ms: int) -> list[QueuedBatch]:
        again = await self._own(most) or await self._abandoned(most)
        if again:
            return await self._counted(again)
        options = StreamReadGroupOptions(
            count=most,
            block_ms=wait_ms if wait_ms > 0 else None,  # 0 would wait for ever
        )
        fresh = await self._read(self._reader, _NEVER_DELIVERED, options)
        return [QueuedBatch(entry, body, 1) for entry, body in _bodies(fresh)]

    async def _own(self, most: int) -> list[tuple[str, bytes]]:
        """Return what was delivered to our name before and never finished."""
        if self._own_after is None:
            return []
        options = StreamReadGroupOptions(count=most)
        entries = await self._read(self._client, self._own_after, options)
        self._own_after = max(entries, key=_order) if entries else None
        return _bodies(entries)

    async def _abandoned(self, most: int) -> list[tuple[str, bytes]]:
        answer = await self._client.xautoclaim(
            self._stream,
            self._group,
            self._consumer,
            self._claim_idle_ms,
            self._claim_from,
            most,
        )
        self._claim_from = cast("bytes", answer[0])
        return _bodies(cast("_Entries", answer[1]))

    async def _read(
        self,
        client: GlideClient,
        after: str | bytes,
        options: StreamReadGroupOptions,
    ) -> _Entries:
        answer = await client.xreadgroup(
            {self._stream: after},
            self._group,
            self._consumer,
            options,
        )
        return next(iter(answer.values())) if answer else {}

    async def _counted(self, entries: list[tuple[str, bytes]]) -> list[QueuedBatch]:
        """Add how often each was delivered, this time included."""
        questions = Batch(is_atomic=False)
        for entry, _ in entries:
            at = IdBound(entry)
            questions.xpending_range(self._stream, self._group, at, at, 1)
        rows = cast("list[list[list[int]]]", await self._run(questions))
        return [
            QueuedBatch(entry, body, row[0][3] if row else _CLAIMED_DELIVERIES)
            for (entry, body), row in zip(entries, rows, strict=True)
        ]

    async def _run(self, batch: Batch) -> object:
        # GLIDE's own type of an answer refers to itself, which no checker resolves.
        run = cast("Callable[..., Awaitable[object]]", self._client.exec)
        return await run(batch, raise_on_error=True)

    async def _make_group(self) -> None:
        """Make the group, and the stream, so that it starts with the oldest entry."""
        options = StreamGroupOptions(make_stream=True)
        try:
            await self._client.xgroup_create(
                self._stream,
                self._group,
                _BEGINNING,
                options,
            )
        except RequestError as error:
            if "BUSYGROUP" not in str(error):  # another consumer was quicker
                raise
        self._claim_from = _BEGINNING


def _bodies(entries: _Entries) -> list[tuple[str, bytes]]:
    """Return (id, body) in order of age; entries that were deleted have no fields."""
    return [
        (entry.decode(), dict(fields)[_FIELD])
        for entry, fields in sorted(entries.items(), key=lambda pair: _order(pair[0]))
        if fields
    ]


def _order(entry: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = entry.partition(b"-")
    return int(milliseconds), int(sequence)
