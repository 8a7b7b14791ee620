"""A clock that wakes its sleepers only when the test lets time pass."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from support.clocks import NOON_NS
from trinity_beast.kernel.time import NS_PER_S

_TURNS = 5


class SteeredClock:
    """Time passes in ``advance`` alone; who sleeps until then wakes in order."""

    def __init__(self) -> None:
        self._passed_ns = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        """Return the wall time."""
        return NOON_NS + self._passed_ns

    def monotonic_ns(self) -> int:
        """Return the steady time."""
        return NS_PER_S + self._passed_ns

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has let so much time pass."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until_ns = self._passed_ns + round(seconds * NS_PER_S)
        heapq.heappush(self._sleepers, (until_ns, next(self._order), woken))
        await woken

    def skip(self, seconds: float) -> None:
        """Let time pass while everybody was held up: who slept wakes too late."""
        self._passed_ns += round(seconds * NS_PER_S)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking each sleeper at its own time."""
        await self._settle()
        until_ns = self._passed_ns + round(seconds * NS_PER_S)
        while self._sleepers and self._sleepers[0][0] <= until_ns:
            due_ns, _, woken = heapq.heappop(self._sleepers)
            self._passed_ns = max(self._passed_ns, due_ns)
            if not woken.done():
                woken.set_result(None)
            await self._settle()
        self._passed_ns = until_ns

    async def _settle(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
