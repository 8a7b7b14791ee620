"""Waiting for something that a role needs: start order does not matter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from trinity_beast.kernel.errors import Unavailable
from trinity_beast.ports.clock import Clock

_log = structlog.get_logger("waiting")
_PAUSE_S = 1.0

Result = TypeVar("Result")


async def wait_for(
    what: str,
    attempt: Callable[[], Awaitable[Result]],
    clock: Clock,
) -> Result:
    """Return what ``attempt`` returns, trying again each second while it is away.

    Each failed try writes one log line that names ``what`` and the reason.
    """
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            reason = error.context.get("reason", error.message)
            _log.warning(f"waiting for {what}", reason=str(reason))
            await clock.sleep(_PAUSE_S)
