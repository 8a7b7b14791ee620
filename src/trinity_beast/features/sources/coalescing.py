"""Many who ask the same thing at the same time: one question, one answer for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")
Key = TypeVar("Key", bound=Hashable)


class Coalescing(Generic[Key, Answer]):
    """Runs one task a key; whoever asks meanwhile waits for it.

    A task belongs to nobody who waits: when one of them goes away, even the first, the
    others still get their answer.
    """

    def __init__(self) -> None:
        self._running: dict[Key, asyncio.Task[Answer]] = {}

    async def run(
        self,
        key: Key,
        work: Callable[[], Coroutine[Any, Any, Answer]],
    ) -> Answer:
        """Return what ``work`` returns, or what the one already running returns.

        Raises:
            BaseException: Whatever the work raises, to each who waits.
        """
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._end(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancel what runs and wait for its end; who waits is cancelled too."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, key: Key, task: asyncio.Task[Answer]) -> None:
        del self._running[key]
        if not task.cancelled():
            # Nobody may be left to hear of it, and asyncio complains of that.
            task.exception()
