"""What the machine lends to a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness

Say = Callable[[str], None]


class Machine(NamedTuple):
    """Clock, randomness, and somebody who listens to progress."""

    clock: Clock
    randomness: Randomness
    say: Say
