"""A turn: what is the same for all datagrams of a batch, worked out once.

Hot path: measured in bench/udp.py with the whole listener.
"""

from __future__ import annotations

from trinity_beast.features.keys import Terms
from trinity_beast.features.limits import KeyLimits
from trinity_beast.features.prices.udp_prepared import ENDPOINT, Moment
from trinity_beast.kernel.ids import RANDOM_BYTES, uuid7
from trinity_beast.ports.randomness import Randomness

_TAIL_BYTES = 2
_TAILS = tuple(number.to_bytes(_TAIL_BYTES, "big") for number in range(256))


class Turn:
    """One instant, at which all datagrams of a batch are answered.

    Of requests that went through, those of one key are told to its history at once, by
    `tell`: they differ only by one token and one place in the month each.  While it
    tells, a turn reads like the last decision on the key.

    Attributes:
        moment: What answers go by.
        now_ns: The wall clock.
        steady_ns: The monotonic clock.
        code: None: the requests went through.
        retry_after_ms: 0: likewise.
    """

    __slots__ = (
        "_counts",
        "_prefix",
        "_randomness",
        "_terms",
        "_used",
        "level",
        "moment",
        "month_remaining",
        "now_ns",
        "steady_ns",
    )

    code = None
    retry_after_ms = 0

    def __init__(self, moment: Moment, steady_ns: int, randomness: Randomness) -> None:
        self.moment = moment
        self.now_ns = moment.now_ns
        self.steady_ns = steady_ns
        self.level = 0
        self.month_remaining: int | None = None
        self._randomness = randomness
        self._terms: Terms | None = None
        self._counts: dict[KeyLimits, int] = {}
        self._prefix = b""
        self._used = len(_TAILS)

    @property
    def terms(self) -> Terms:
        """What the key is allowed that is being told of."""
        assert self._terms is not None  # noqa: S101 - `tell` has set it
        return self._terms

    def grant(self, limits: KeyLimits) -> bytes:
        """Note that a request went through, and return the id of its record.

        Ids of a turn count up in their last 16 bits; the rest is drawn for each turn.
        """
        counts = self._counts
        counts[limits] = counts.get(limits, 0) + 1
        used = self._used
        if used == len(_TAILS):
            drawn = uuid7(self.now_ns, self._randomness.token_bytes(RANDOM_BYTES))
            self._prefix, used = drawn.bytes[:-_TAIL_BYTES], 0
        self._used = used + 1
        return self._prefix + _TAILS[used]

    def tell(self) -> None:
        """Tell the histories; to be done before anything is decided the long way."""
        for limits, count in self._counts.items():
            tokens = limits.tokens
            self._terms = limits.terms
            self.level = 0 if tokens is None else tokens.level(self.steady_ns)
            self.month_remaining = limits.month.remaining
            limits.history.note(self, ENDPOINT, count)
        self._counts.clear()
