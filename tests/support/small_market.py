"""A simulated market of two assets, and the usual majors, on each venue."""

from __future__ import annotations

from dataclasses import dataclass

from support.venues import EXCHANGES, symbol
from trinity_beast.adapters.market import MarketSimulator
from trinity_beast.ports.clock import Clock

ASSETS = ("BTC", "UNI")


@dataclass(frozen=True)
class SmallMarket:
    """The market and where its venues listen."""

    simulator: MarketSimulator
    urls: dict[str, str]


def small_simulator(
    clock: Clock,
    *,
    seed: int = 1,
    speed: float = 1.0,
) -> MarketSimulator:
    """Return a market that is not started yet."""
    symbols = {
        exchange: {asset: symbol(exchange, asset) for asset in ASSETS}
        for exchange in EXCHANGES
    }
    return MarketSimulator(clock, symbols, seed=seed, speed=speed)
