"""Tasks that live as long as their role: watched, restarted, stopped in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from trinity_beast.ports.clock import Clock

_log = structlog.get_logger("background")
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Background:
    """Runs named loops; one that fails is logged and started again, a bit later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.failures: dict[str, str] = {}

    def start(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run ``loop`` in the background until it returns or ``stop`` is called."""
        self._tasks[name] = asyncio.create_task(self._watch(name, loop), name=name)

    async def stop(self) -> None:
        """Cancel all loops, youngest first, and wait until each has cleaned up."""
        for task in reversed(list(self._tasks.values())):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._tasks.clear()

    async def _watch(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            started_ns = self._clock.monotonic_ns()
            try:
                await loop()
            except Exception as error:  # noqa: BLE001 - the watch must outlive anything
                self.failures[name] = repr(error)
                _log.exception("loop failed, starting it again", loop=name)
            else:
                return
            if self._clock.monotonic_ns() - started_ns > _LONGEST_PAUSE_S * 1e9:
                pause_s = _FIRST_PAUSE_S
            await self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
