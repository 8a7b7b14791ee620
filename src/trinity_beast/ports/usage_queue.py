"""The queue between the listeners that answer and the writer that records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from trinity_beast.kernel.errors import Unavailable


class QueueUnreachable(Unavailable):
    """The queue did not take or give a batch; nothing is known to be lost."""

    code = "queue_unreachable"
    template = "The usage queue cannot be reached."


@dataclass(frozen=True, slots=True)
class QueuedBatch:
    """One batch as the queue delivered it.

    Attributes:
        receipt: What to acknowledge it by; the queue's own text.
        body: The bytes as they were published.
        deliveries: How often it was delivered, this time included.
    """

    receipt: str
    body: bytes
    deliveries: int


class UsageQueue(Protocol):
    """At-least-once delivery of batches, oldest first."""

    async def publish(self, body: bytes) -> None:
        """Hand over a batch; when this returns, the queue has it for good.

        Raises:
            QueueUnreachable: It may or may not have been taken; publish it again.
        """
        ...

    async def receive(self, most: int, wait_ms: int) -> Sequence[QueuedBatch]:
        """Return up to ``most`` batches, waiting up to ``wait_ms`` for the first.

        A batch that was received and never acknowledged comes again, to another
        consumer too.

        Raises:
            QueueUnreachable: The queue is away.
        """
        ...

    async def acknowledge(self, receipts: Sequence[str]) -> None:
        """Forget batches for good; twice is not an error.

        Raises:
            QueueUnreachable: The queue is away; the batches may come again.
        """
        ...

    async def depth(self) -> int:
        """Return how many batches wait or are being worked on.

        Raises:
            QueueUnreachable: The queue is away.
        """
        ...
