"""Holds back a price that is absurd beside the last one, until a second one agrees.

A slip of a venue's scale or of a finger shows as a thousandfold.  A price more than 100
times above or below the last one of the same asset, traded less than 60 s before, is
withheld; if the next one lies within a factor of 2 of it, the level is real and counts.
A price that returns to the old level clears the doubt.  What was traded long before or
after says nothing: a venue's history may be years old.

Floats are fit for this question and for no other about a price.

Hot path: measured in bench/feeds_decode.py; budget 0.5 us a trade.
"""

from __future__ import annotations

from typing import Final

from trinity_beast.kernel.time import NS_PER_S

FACTOR: Final = 100.0
AGREEMENT: Final = 2.0
MEMORY_NS: Final = 60 * NS_PER_S


class OutlierGuard:
    """Remembers one accepted and at most one doubtful price of each asset."""

    def __init__(self) -> None:
        self._accepted: dict[str, tuple[float, int]] = {}
        self._doubtful: dict[str, float] = {}

    def accepts(self, asset: str, price: str, traded_at_ns: int) -> bool:
        """Say whether a price may be shown; the answer is remembered."""
        value = float(price)
        last = self._accepted.get(asset)
        if last is not None:
            apart_ns = traded_at_ns - last[1]
            if apart_ns < -MEMORY_NS:
                return True
            if (
                apart_ns <= MEMORY_NS
                and not last[0] / FACTOR <= value <= last[0] * FACTOR
                and not self._confirms(asset, value)
            ):
                self._doubtful[asset] = value
                return False
        self._accepted[asset] = (value, traded_at_ns)
        if self._doubtful:
            self._doubtful.pop(asset, None)
        return True

    def keep(self, assets: set[str]) -> None:
        """Forget all other assets."""
        for memory in (self._accepted, self._doubtful):
            for asset in memory.keys() - assets:
                del memory[asset]

    def _confirms(self, asset: str, value: float) -> bool:
        doubtful = self._doubtful.get(asset)
        if doubtful is None:
            return False
        return doubtful / AGREEMENT <= value <= doubtful * AGREEMENT
