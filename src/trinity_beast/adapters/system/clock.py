"""The machine's clock: the one home of ``time.time_ns``."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Clock of this machine."""

    def now_ns(self) -> int:
        """Return the wall clock in nanoseconds since the epoch."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return the monotonic clock in nanoseconds."""
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)
