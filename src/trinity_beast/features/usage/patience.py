"""Waiting for what is away: a bit longer each time, in few words."""

from __future__ import annotations

import structlog

from trinity_beast.kernel.errors import Unavailable
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.clock import Clock

_log = structlog.get_logger("usage")
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0


class Seldom:
    """Says once a second that something may be said again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_ns = clock.monotonic_ns()

    def due(self) -> bool:
        """Return whether a second has passed since the last True."""
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._next_ns:
            return False
        self._next_ns = now_ns + NS_PER_S
        return True


class Patience:
    """Pauses between tries: 0.1 s, twice as long each time, at most 1 s.

    Attributes:
        last_error: What failed last; None after it worked again.
    """

    def __init__(self, doing: str, clock: Clock) -> None:
        self.last_error: str | None = None
        self._doing = doing
        self._clock = clock
        self._seldom = Seldom(clock)
        self._pause_s = _FIRST_PAUSE_S

    async def pause(self, error: Unavailable) -> None:
        """Wait after a failure, and log it, one line a second at most."""
        reason = str(error.context.get("reason", error.message))
        self.last_error = f"{error.code}: {reason}"
        if self._seldom.due():
            _log.warning(f"{self._doing} has to wait", code=error.code, reason=reason)
        await self._clock.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)

    def worked(self) -> None:
        """Begin with short pauses again."""
        self.last_error = None
        self._pause_s = _FIRST_PAUSE_S
