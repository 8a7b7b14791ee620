"""Leaving a source alone that fails or has been asked enough; pure."""

from __future__ import annotations

from typing import Final, Literal

from trinity_beast.kernel.time import NS_PER_S

FAILURES: Final = 3
"""So many failures one after the other open the breaker."""

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 60.0
_PROBE_NS: Final = 5 * NS_PER_S
"""A probe that says nothing for so long is lost, and the next one may go."""

State = Literal["closed", "open", "probing"]


class Breaker:
    """Opens after failures in a row; then lets one probe through after each pause.

    Pauses double from the first to the longest as long as probes fail.

    Args:
        failures: So many in a row open it.
        first_pause_s: How long it stays open at first.
        longest_pause_s: How long at most.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        first_pause_s: float = FIRST_PAUSE_S,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        self._most = failures
        self._first_ns = round(first_pause_s * NS_PER_S)
        self._longest_ns = round(longest_pause_s * NS_PER_S)
        self._failures = 0
        self._pause_ns = 0
        self._open_until_ns: int | None = None
        self._is_probing = False

    def may_ask(self, now_ns: int) -> bool:
        """Tell whether to ask; a yes of an open breaker is the one for a probe.

        Whoever asks then says ``succeeded`` or ``failed``.

        Args:
            now_ns: The monotonic clock.
        """
        if self._open_until_ns is None:
            return True
        if now_ns < self._open_until_ns:
            return False
        self._is_probing = True
        self._open_until_ns = now_ns + _PROBE_NS
        return True

    def succeeded(self) -> None:
        """Close it: the source answered."""
        self._failures = 0
        self._pause_ns = 0
        self._open_until_ns = None
        self._is_probing = False

    def failed(self, now_ns: int, *, at_once: bool = False) -> None:
        """Count a failure; those that come in while it is open change nothing.

        Args:
            now_ns: The monotonic clock.
            at_once: Open it whatever came before: the source asks for it.
        """
        self._failures += 1
        is_open = self._open_until_ns is not None
        if is_open and not self._is_probing:
            return
        if is_open or at_once or self._failures >= self._most:
            doubled_ns = max(self._first_ns, 2 * self._pause_ns)
            self._pause_ns = min(doubled_ns, self._longest_ns)
            self._open_until_ns = now_ns + self._pause_ns
            self._is_probing = False

    @property
    def state(self) -> State:
        """What an operator wants to know of it."""
        if self._open_until_ns is None:
            return "closed"
        return "probing" if self._is_probing else "open"


class Pace:
    """A bucket of questions that fills at a venue's rate.

    Args:
        per_s: Questions a second for long.
        burst: Questions at once.
    """

    def __init__(self, per_s: float, burst: int) -> None:
        self._step_ns = round(NS_PER_S / per_s)
        self._depth_ns = self._step_ns * burst
        self._empty_at_ns = 0

    def take(self, now_ns: int) -> bool:
        """Take a question, if there is one.

        Args:
            now_ns: The monotonic clock.
        """
        used_until_ns = max(self._empty_at_ns, now_ns) + self._step_ns
        if used_until_ns - now_ns > self._depth_ns:
            return False
        self._empty_at_ns = used_until_ns
        return True
