"""How often a venue trades, how late its frames are and how it writes prices.

The delays are the medians measured on recorded feeds; two clocks are ahead of ours, so
a trade "in the future" by some milliseconds is everyday life.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from trinity_beast.kernel.time import NS_PER_MS, NS_PER_US

_MOST_FILLS = 12
_ANOTHER = 0.5


class Manners(NamedTuple):
    """What tells one venue's trades from another's.

    Attributes:
        activity: Trades here for one trade of the asset's usual rate.
        delay_ms: Median of frame sent minus trade made, in milliseconds.
        delay_spread_ms: Standard deviation of that.
        sweeps: Share of orders that take more than one fill.
        fewest_decimals: Decimals of the dearest asset.
        time_step_ns: The finest time that the venue reports.
        trims_zeros: Zeros at the end of a price are left away.
    """

    activity: float
    delay_ms: float
    delay_spread_ms: float
    sweeps: float
    fewest_decimals: int
    time_step_ns: int
    trims_zeros: bool


MANNERS = {
    "coinbase": Manners(1.0, -7.0, 15.0, 0.15, 2, NS_PER_US, trims_zeros=True),
    "gemini": Manners(0.4, -9.0, 8.0, 0.10, 5, 1, trims_zeros=False),
    "kraken": Manners(1.0, 36.0, 25.0, 0.20, 1, NS_PER_US, trims_zeros=False),
    "gateio": Manners(1.15, 14.0, 15.0, 0.10, 1, NS_PER_US, trims_zeros=True),
    "bybit": Manners(1.3, 110.0, 5.0, 0.30, 1, NS_PER_MS, trims_zeros=True),
    "okx": Manners(1.4, 60.0, 20.0, 0.10, 1, NS_PER_MS, trims_zeros=True),
}


def fills_of_an_order(manners: Manners, chance: random.Random) -> int:
    """Return how many trades one order makes: mostly one, at times a sweep."""
    fills = 1
    if chance.random() < manners.sweeps:
        fills = 2
        while fills < _MOST_FILLS and chance.random() < _ANOTHER:
            fills += 1
    return fills


def orders_per_s(trades_per_s: float, manners: Manners) -> float:
    """Return how many orders make so many trades a second on this venue."""
    return trades_per_s * manners.activity / (1.0 + 2.0 * manners.sweeps)


def made_at_ns(now_ns: int, manners: Manners, chance: random.Random) -> int:
    """Return when a trade was made that is sent now, by the venue's own clock."""
    delay_ms = chance.gauss(manners.delay_ms, manners.delay_spread_ms)
    made_ns = now_ns - round(delay_ms * NS_PER_MS)
    return made_ns - made_ns % manners.time_step_ns
