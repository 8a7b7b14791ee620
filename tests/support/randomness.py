"""Randomness that repeats."""

from __future__ import annotations

import random


class SeededRandomness:
    """The same bytes in every run."""

    def __init__(self, seed: int = 1) -> None:
        self._source = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        """Return the next bytes of the seed."""
        return self._source.randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        """Return the next number of the seed."""
        return self._source.uniform(low, high)
