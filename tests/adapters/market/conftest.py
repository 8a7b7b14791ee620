"""A steered clock, and a small simulated market on it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from support.small_market import SmallMarket, small_simulator
from support.steered_clock import SteeredClock


@pytest.fixture
def steered() -> SteeredClock:
    return SteeredClock()


@pytest.fixture
async def market(steered: SteeredClock) -> AsyncGenerator[SmallMarket]:
    simulator = small_simulator(steered)
    yield SmallMarket(simulator, await simulator.start())
    await simulator.stop()
