"""When to connect again: at once first, then ever later, for ever.

The pauses double from 0.2 s to 60 s, each drawn from its upper half so that processes
do not march in step; they start anew only after a connection brought trades.  A venue
that lets us in and throws us out is held by a second rule: at most 10 connections in
any minute.  That is below every limit known: Kraken 150 in 10 minutes, Bybit 500 in 5,
Coinbase 8 a second, OKX 3 a second.

Source: the venues' documents on connection limits.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.randomness import Randomness

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 60.0
MOST_CONNECTS: Final = 10
WINDOW_NS: Final = 60 * NS_PER_S


class Backoff:
    """Counts attempts of one exchange; the caller waits."""

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness
        self._failures = 0
        self._connects_ns: deque[int] = deque(maxlen=MOST_CONNECTS)

    def pause_s(self, now_ns: int) -> float:
        """Return how long to wait before the next attempt, in seconds.

        Args:
            now_ns: Monotonic time.
        """
        highest_s = min(FIRST_PAUSE_S * 2 ** min(self._failures, 20), LONGEST_PAUSE_S)
        pause_s = self._randomness.uniform(highest_s / 2, highest_s)
        if not self._connects_ns:
            return 0.0
        if len(self._connects_ns) < MOST_CONNECTS:
            return pause_s
        return max(pause_s, (self._connects_ns[0] + WINDOW_NS - now_ns) / NS_PER_S)

    def attempted(self, now_ns: int) -> None:
        """Note that a connection is being tried at ``now_ns``, monotonic."""
        self._connects_ns.append(now_ns)
        self._failures += 1

    def data_flowed(self) -> None:
        """Note that trades arrive: the next failure is a new one."""
        self._failures = 0
