"""Chance that repeats: the same seed and names give the same numbers."""

from __future__ import annotations

import random


def dice(seed: int, *names: str) -> random.Random:
    """Return the numbers that belong to a seed and to whatever they are thrown for.

    Two streams of different names have nothing to do with each other, so one asset's
    prices never depend on how often another one was traded.
    """
    # Prices of a made-up market guard nothing, and must repeat.
    return random.Random(":".join((str(seed), *names)))  # noqa: S311 - see above
