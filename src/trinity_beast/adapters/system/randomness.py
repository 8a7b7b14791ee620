"""The machine's randomness."""

from __future__ import annotations

import secrets


class SystemRandomness:
    """Randomness of this machine, fit for secrets."""

    def __init__(self) -> None:
        self._source = secrets.SystemRandom()

    def token_bytes(self, count: int) -> bytes:
        """Return bytes from the operating system."""
        return secrets.token_bytes(count)

    def uniform(self, low: float, high: float) -> float:
        """Return a number between two bounds."""
        return self._source.uniform(low, high)
