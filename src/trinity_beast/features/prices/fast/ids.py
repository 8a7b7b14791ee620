"""Ids in bulk, for randomness asked once a millisecond.

Hot path: `Ids.next`, budget 0.2 microseconds, where `RequestIds.new` takes five.
"""

from __future__ import annotations

from trinity_beast.kernel.ids import RANDOM_BYTES, uuid7
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.randomness import Randomness

_TAIL_BYTES = 2
_MOST = 4_096
_TAILS = tuple(number.to_bytes(_TAIL_BYTES, "big") for number in range(_MOST))
_TEXT_TAILS = tuple(tail.hex().encode("ascii") for tail in _TAILS)


class Ids:
    """Makes UUIDv7s of which no two are equal, as text and as bytes.

    Ids of one millisecond count up in their last 16 bits; the other 58 random bits are
    drawn anew for each millisecond, and for each 4,096 ids in it.
    Source: RFC 9562, section 6.2, method 1.
    """

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness
        self._from_ns = self._until_ns = 0
        self._prefix = self._text_prefix = b""
        self._used = 0

    def next(self, now_ns: int) -> tuple[bytes, bytes]:
        """Return a new id of an instant: its 16 bytes and its 36 characters."""
        used = self._used
        if used == _MOST or not self._from_ns <= now_ns < self._until_ns:
            used = self._begin(now_ns)
        self._used = used + 1
        return self._prefix + _TAILS[used], self._text_prefix + _TEXT_TAILS[used]

    def _begin(self, now_ns: int) -> int:
        drawn = uuid7(now_ns, self._randomness.token_bytes(RANDOM_BYTES))
        self._from_ns = now_ns - now_ns % NS_PER_MS
        self._until_ns = self._from_ns + NS_PER_MS
        self._prefix = drawn.bytes[:-_TAIL_BYTES]
        self._text_prefix = str(drawn)[: -2 * _TAIL_BYTES].encode("ascii")
        return 0
