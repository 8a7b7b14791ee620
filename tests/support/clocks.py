"""A clock that tests move by hand."""

from __future__ import annotations

import asyncio

from trinity_beast.kernel.time import NS_PER_S

NOON_NS = 1_790_000_000 * NS_PER_S
"""2026-09-21T14:13:20Z: an afternoon in the middle of a month."""


class FixedClock:
    """Stands still until it is advanced; sleeping advances it."""

    def __init__(self, now_ns: int = NOON_NS) -> None:
        self.wall_ns = now_ns
        self.steady_ns = NS_PER_S

    def now_ns(self) -> int:
        """Return the wall time that was set."""
        return self.wall_ns

    def monotonic_ns(self) -> int:
        """Return the steady time that was set."""
        return self.steady_ns

    async def sleep(self, seconds: float) -> None:
        """Advance by ``seconds`` at once and let other tasks run."""
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Move both clocks on."""
        self.wall_ns += round(seconds * NS_PER_S)
        self.steady_ns += round(seconds * NS_PER_S)
