"""Waiting for what another process does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_POLL_S = 0.005


async def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait until the condition holds; fail when it takes too long."""
    for _ in range(round(within_s / _POLL_S)):
        if condition():
            return
        await asyncio.sleep(_POLL_S)
    text = f"it did not happen within {within_s} s"
    raise AssertionError(text)
