"""Records out of the buffer, into bytes of the right size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trinity_beast.features.usage.batch import Batch, BatchCodec
from trinity_beast.features.usage.errors import BatchUnreadable
from trinity_beast.features.usage.record import UsageRecord, cleaned
from trinity_beast.kernel.ids import RANDOM_BYTES, uuid7
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """A batch that was encoded once; its bytes are what is sent, spooled and resent.

    Attributes:
        batch_id: The id inside the bytes.
        body: The bytes.
        count: How many records it holds.
        packed_ns: When it was packed, on the monotonic clock.
    """

    batch_id: UUID
    body: bytes
    count: int
    packed_ns: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answered: node and region, as ``cluster_node`` and ``aws_region`` show."""

    node: str
    region: str


class Packer:
    """Gives ids to batches and keeps them below a size."""

    def __init__(
        self,
        origin: Origin,
        clock: Clock,
        randomness: Randomness,
        most_bytes: int,
    ) -> None:
        self._origin = origin
        self._clock = clock
        self._randomness = randomness
        self._most_bytes = most_bytes
        self._codec = BatchCodec()

    def pack(self, records: Sequence[UsageRecord]) -> list[PackedBatch]:
        """Return the records in one batch, or in several that are small enough.

        Never fails: a record that cannot be encoded as it is is cleaned first.
        """
        try:
            packed = self._packed(records)
        except (UnicodeEncodeError, OverflowError):
            packed = self._packed([cleaned(record) for record in records])
        if len(packed.body) <= self._most_bytes:
            return [packed]
        if len(records) == 1:
            # Cleaning cuts texts to their lengths, after which one record is small.
            return [self._packed([cleaned(records[0])])]
        half = len(records) // 2
        return self.pack(records[:half]) + self.pack(records[half:])

    def count_of(self, body: bytes) -> int:
        """Return how many records a batch of the spool holds, 0 if that is unclear.

        A newer version may have left it there; the writer decides, not the shipper.
        """
        try:
            return self._codec.count_of(body)
        except BatchUnreadable:
            return 0

    def _packed(self, records: Sequence[UsageRecord]) -> PackedBatch:
        random = self._randomness.token_bytes(RANDOM_BYTES)
        batch_id = uuid7(self._clock.now_ns(), random)
        node, region = self._origin.node, self._origin.region
        body = self._codec.encode(Batch(batch_id, node, region, tuple(records)))
        now_ns = self._clock.monotonic_ns()
        return PackedBatch(batch_id, body, len(records), now_ns)
