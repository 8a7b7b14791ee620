"""How a made-up price moves, and how it is written.

The logarithm of the price walks at random and is drawn back to its level by and by, so
a demo that runs for a month still shows a price that one believes.
"""

from __future__ import annotations

import math
import random

from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

STEP_NS = 250 * NS_PER_MS
"""A price stands still this long; its moves do not depend on who asks when."""

_STEP_S = STEP_NS / NS_PER_S
_YEAR_S = 365 * 86_400.0
_RETURN_S = 5 * 86_400.0
_SIGNIFICANT_DIGITS = 5


class Walk:
    """The price of one asset, the same on every venue."""

    def __init__(
        self,
        level_usd: float,
        volatility: float,
        chance: random.Random,
    ) -> None:
        """Start at a level.

        Args:
            level_usd: The price in US dollars to start from and to come back to.
            volatility: Standard deviation of a year's logarithmic return; 0.5 is calm.
            chance: Numbers that nobody else takes from.
        """
        self.level_usd = level_usd
        self._chance = chance
        self._jump = volatility * math.sqrt(_STEP_S / _YEAR_S)
        self._keep = math.exp(-_STEP_S / _RETURN_S)
        self._offset = 0.0
        self._steps = 0

    def usd_at(self, elapsed_ns: int) -> float:
        """Return the price so long after the start; time never runs backwards."""
        for _ in range(elapsed_ns // STEP_NS - self._steps):
            move = self._chance.gauss(0.0, self._jump)
            self._offset = self._offset * self._keep + move
            self._steps += 1
        return self.level_usd * math.exp(self._offset)


def decimals_of(level_usd: float, fewest: int) -> int:
    """Return how many decimals a venue quotes at a level: five digits that count."""
    magnitude = math.floor(math.log10(level_usd))
    return max(fewest, _SIGNIFICANT_DIGITS - 1 - magnitude)


def price_text(usd: float, decimals: int, *, trims: bool) -> str:
    """Return a price as a venue writes it; it never rounds down to nothing.

    Args:
        usd: The price.
        decimals: The finest decimal that the venue quotes.
        trims: The venue leaves zeros at the end away.
    """
    text = f"{max(usd, 10.0**-decimals):.{decimals}f}"
    return text.rstrip("0").rstrip(".") if trims and decimals else text
