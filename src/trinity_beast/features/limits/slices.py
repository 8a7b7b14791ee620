"""How large a slice should be, by what was lately used of it."""

from __future__ import annotations

from trinity_beast.kernel.time import NS_PER_MS

LEASE_NS = 100 * NS_PER_MS
"""A slice is what a key uses in this time."""

_SHORTEST_NS = 10 * NS_PER_MS


class Slice:
    """Something that was debited before use: a stock, and how large it should be.

    Attributes:
        held: What is in stock.
        low: The stock at which more should be asked for.
        spent: What was used since the last ask.
        missed: What could not be given since then for want of stock.
        target: The stock that is aimed at.
        asked_at_ns: When it was asked last.
    """

    __slots__ = ("asked_at_ns", "held", "low", "missed", "spent", "target")

    def __init__(self) -> None:
        self.held = 0
        self.low = 0
        self.spent = 0
        self.missed = 0
        self.target = 1
        self.asked_at_ns = 0

    def size(self, steady_ns: int, most: int) -> tuple[int, int]:
        """Return how many to take and how many to give back, and begin to count anew.

        What is to be given back is no longer held.
        """
        passed_ns = max(_SHORTEST_NS, steady_ns - self.asked_at_ns)
        used = self.spent + self.missed
        self.target = min(most, max(1, -(-used * LEASE_NS // passed_ns)))
        self.low = self.target // 2
        want = max(self.missed, self.target - self.held)
        back = max(0, self.held - 2 * self.target)
        self.held -= back
        self.asked_at_ns = steady_ns
        self.spent = self.missed = 0
        return max(0, want), back

    def empty(self) -> int:
        """Return what was held; nothing is any more."""
        held, self.held = self.held, 0
        self.target, self.low = 1, 0
        return held
