"""Hashes that no key has, remembered for a while so that guessing costs no queries."""

from __future__ import annotations

from collections import OrderedDict

from trinity_beast.ports.clock import Clock


class Misses:
    """A bounded set whose members fade, the oldest first."""

    def __init__(self, clock: Clock, most: int, ttl_ns: int) -> None:
        self._clock = clock
        self._most = most
        self._ttl_ns = ttl_ns
        self._until_ns: OrderedDict[str, int] = OrderedDict()

    def __contains__(self, key_hash: str) -> bool:
        """Tell whether this hash was missed lately."""
        until_ns = self._until_ns.get(key_hash)
        if until_ns is None:
            return False
        if self._clock.monotonic_ns() < until_ns:
            return True
        del self._until_ns[key_hash]
        return False

    def add(self, key_hash: str) -> None:
        """Remember a hash that no key has."""
        self._until_ns[key_hash] = self._clock.monotonic_ns() + self._ttl_ns
        if len(self._until_ns) > self._most:
            self._until_ns.popitem(last=False)

    def forget(self, key_hash: str) -> None:
        """Forget one hash; an empty one stands for all."""
        if key_hash:
            self._until_ns.pop(key_hash, None)
        else:
            self._until_ns.clear()
