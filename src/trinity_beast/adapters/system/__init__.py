"""The machine's own clock and randomness."""

from trinity_beast.adapters.system.clock import SystemClock
from trinity_beast.adapters.system.randomness import SystemRandomness

__all__ = ["SystemClock", "SystemRandomness"]
