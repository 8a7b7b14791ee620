"""Waiting for something that happens elsewhere, with an end to patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")
PATIENCE_S = 20.0


async def eventually(
    look: Callable[[], Awaitable[Found | None]],
    patience_s: float = PATIENCE_S,
) -> Found:
    """Return the first truthy result of ``look``; fail when patience ends."""
    deadline = time.monotonic() + patience_s
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline, f"never happened, last seen: {found!r}"
        await asyncio.sleep(0.01)
