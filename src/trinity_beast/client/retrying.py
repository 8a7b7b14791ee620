"""Asking again: what, how often, and after how long."""

from __future__ import annotations

from trinity_beast.client.errors import (
    BeastError,
    RateLimited,
    Unavailable,
    Unreachable,
)
from trinity_beast.client.options import RetryPolicy, Surroundings

_MS_PER_S = 1000
# Streams tell their errors without a status.
_UNAVAILABLE = (503, None)
# Waits that the server asked for are stretched by up to a tenth, never cut: many
# clients that were refused together should not come back together.
_STRETCH = 0.1


class Patience:
    """How much longer one caller tries.

    Args:
        policy: Its limits.
        around: Time and chance.
    """

    def __init__(self, policy: RetryPolicy, around: Surroundings) -> None:
        self._policy = policy
        self._around = around
        self.renew()

    def renew(self) -> None:
        """Start anew, after a success."""
        self._tries = 0
        self.start_clock()

    def start_clock(self) -> None:
        """Count the time from now: until now things went well."""
        self._ends_at_s = self._around.monotonic_s() + self._policy.within_s

    def left_s(self) -> float:
        """Return how long tries may still begin."""
        return max(0.0, self._ends_at_s - self._around.monotonic_s())

    def wait_after(self, error: BeastError) -> float:
        """Return how many seconds to wait before the next try.

        Raises:
            BeastError: The same error: there is no next try.
        """
        self._tries += 1
        wait_s = self._wait_s(error)
        spent = self._tries > self._policy.most_retries or wait_s > self.left_s()
        if spent or not may_ask_again(error):
            raise error
        return wait_s

    def _wait_s(self, error: BeastError) -> float:
        chance = self._around.chance()
        if error.retry_after_ms is not None:
            return error.retry_after_ms / _MS_PER_S * (1 + _STRETCH * chance)
        policy = self._policy
        doublings = min(self._tries - 1, 30)
        longest_s = min(policy.longest_wait_s, policy.first_wait_s * 2**doublings)
        return longest_s * (1 + chance) / 2


def may_ask_again(error: BeastError) -> bool:
    """Tell whether asking again may help: of all questions here each is harmless."""
    if isinstance(error, Unavailable):
        return error.status in _UNAVAILABLE
    return isinstance(error, RateLimited | Unreachable)
