"""Randomness: secrets, ids and jitter."""

from __future__ import annotations

from typing import Protocol


class Randomness(Protocol):
    """Where random bytes and jitter come from."""

    def token_bytes(self, count: int) -> bytes:
        """Return ``count`` bytes fit for secrets."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """Return a number between ``low`` and ``high``, fit for jitter only."""
        ...
