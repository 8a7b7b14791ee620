"""Fixtures that more than one part of the suite needs."""

from __future__ import annotations

import pytest
from hypothesis import settings

from support.clocks import FixedClock
from support.randomness import SeededRandomness

# Coverage must not depend on luck: the same examples in every run.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.load_profile("ci")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def randomness() -> SeededRandomness:
    return SeededRandomness()
