"""The clock: the only way that features learn what time it is."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and waiting."""

    def now_ns(self) -> int:
        """Return the wall clock: nanoseconds since the Unix epoch, UTC.

        It may jump; never measure durations with it.
        """
        ...

    def monotonic_ns(self) -> int:
        """Return nanoseconds that only grow; the zero point means nothing."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a clock of a test may return at once."""
        ...
