"""Signed datagrams are answered once: the numbers that were used are remembered.

A number is remembered until the clock of its datagram is too far from ours for it to be
accepted again.  Memory is bounded, and a window that is full answers nothing new rather
than anything twice.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from trinity_beast.features.prices.udp_wire import WINDOW_MS

Claim = Literal["new", "used", "full"]

_BUCKET_MS = 4_000
"""Numbers are forgotten by the bucket, so at most this long after they could be."""
_STEPPED_BACK = 4 * WINDOW_MS // _BUCKET_MS


class ReplayWindow:
    """Numbers that were used, in buckets of the time at which they were signed.

    Args:
        most: Numbers that are remembered, all keys together; about 100 bytes each.
        most_of_key: The same of one key, so that none can fill the window for all.
    """

    def __init__(self, most: int = 1_000_000, most_of_key: int = 250_000) -> None:
        self._most = most
        self._most_of_key = most_of_key
        self._buckets: dict[int, dict[str, set[int]]] = {}
        self._held: Counter[str] = Counter()
        self._total = 0
        self._forgotten_before = 0

    def __len__(self) -> int:
        """Return how many numbers are remembered."""
        return self._total

    def claim(self, key_hash: str, nonce: int, sent_ms: int, now_ms: int) -> Claim:
        """Use a number, or tell why it cannot be.

        To be asked only when the signature is right and ``sent_ms`` within
        ``WINDOW_MS`` of now, or strangers could fill the window.

        Returns:
            ``new`` when it was not used before, and now is; ``used`` when it was, or
            may have been; ``full`` when it cannot be remembered.
        """
        self._forget(now_ms)
        number = sent_ms // _BUCKET_MS
        if number < self._forgotten_before:
            # Our clock was later than it is now, and has forgotten this time.
            return "used"
        used = self._buckets.setdefault(number, {}).setdefault(key_hash, set())
        if nonce in used:
            return "used"
        if self._total >= self._most or self._held[key_hash] >= self._most_of_key:
            return "full"
        used.add(nonce)
        self._held[key_hash] += 1
        self._total += 1
        return "new"

    def _forget(self, now_ms: int) -> None:
        oldest = (now_ms - WINDOW_MS) // _BUCKET_MS
        if oldest < self._forgotten_before - _STEPPED_BACK:
            # Somebody has set a clock right that was far ahead; without this, nothing
            # signed would be accepted before it is that late again.
            self._forgotten_before = oldest
        if oldest <= self._forgotten_before:
            return
        self._forgotten_before = oldest
        for number in [each for each in self._buckets if each < oldest]:
            for key_hash, used in self._buckets.pop(number).items():
                self._total -= len(used)
                self._held[key_hash] -= len(used)
                if not self._held[key_hash]:
                    del self._held[key_hash]
