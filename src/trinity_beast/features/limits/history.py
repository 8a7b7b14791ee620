"""The last decisions on a key: why was I limited?

Hot path: one note a request; measured in bench/limits.py, budget 0.2 microseconds.
Numbers are packed, because a hundred decisions kept as objects cost 20 KB a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from struct import Struct
from typing import NamedTuple, Protocol

from trinity_beast.features.keys import Terms
from trinity_beast.features.limits.model import NANOTOKENS, Refusal

KEPT = 100
"""Decisions that are kept of a key."""

_FIRST = 10
_ENTRY = Struct("<qqqqBI")
_ENTRY_BYTES = _ENTRY.size
_pack_into = _ENTRY.pack_into
_NONE = -1
_CODES: tuple[Refusal | None, ...] = (None, "rate_limited", "quota_exceeded")
_NUMBERS = {code: number for number, code in enumerate(_CODES)}


class Decided(Protocol):
    """What is kept of a decision; see ``Decision``."""

    @property
    def now_ns(self) -> int:
        """Return when it was decided, by the wall clock."""
        ...

    @property
    def code(self) -> Refusal | None:
        """Return why the request does not go through."""
        ...

    @property
    def terms(self) -> Terms:
        """Return what the key is allowed."""
        ...

    @property
    def level(self) -> int:
        """Return what is left in the bucket, in nanotokens."""
        ...

    @property
    def month_remaining(self) -> int | None:
        """Return how many requests the month still admits."""
        ...

    @property
    def retry_after_ms(self) -> int:
        """Return when asking again makes sense."""
        ...


class Noted(NamedTuple):
    """One decision, as it was taken.

    Attributes:
        at_ns: When, by the wall clock.
        endpoint: What was asked; empty when whoever asked did not say.
        code: Why it did not go through; None when it did.
        tokens_left: Whole tokens in the bucket after it; None without a rate limit.
        month_remaining: Requests that the month still admitted, this one taken off
            already; None is no limit.
        retry_after_ms: When asking again made sense; 0 when it went through.
    """

    at_ns: int
    endpoint: str
    code: Refusal | None
    tokens_left: int | None
    month_remaining: int | None
    retry_after_ms: int


class History:
    """A ring of the last `KEPT` decisions on one key: some 4 KB once it is full."""

    __slots__ = ("_at", "_endpoints", "_packed", "_size")

    def __init__(self) -> None:
        self._at = 0
        self._size = _FIRST
        self._endpoints = [""] * _FIRST
        self._packed = bytearray(_ENTRY_BYTES * _FIRST)

    def note(self, decision: Decided, endpoint: str, times: int = 1) -> None:
        """Keep a decision in the place of the oldest one.

        Args:
            decision: What was decided.
            endpoint: What was asked.
            times: How many requests in a row went through at this very instant, each
                for one token; ``decision`` is the last one.
        """
        at = self._at
        if at == self._size:
            at = self._grow_or_turn()
        remaining = decision.month_remaining
        _pack_into(
            self._packed,
            at * _ENTRY_BYTES,
            decision.now_ns,
            _NONE if decision.terms.qps is None else decision.level,
            _NONE if remaining is None else remaining,
            decision.retry_after_ms,
            _NUMBERS[decision.code],
            times,
        )
        self._endpoints[at] = endpoint
        self._at = at + 1

    def newest_first(self) -> Iterator[Noted]:
        """Yield the decisions that are kept, at most `KEPT`."""
        return islice(self._all_newest_first(), KEPT)

    def _all_newest_first(self) -> Iterator[Noted]:
        size = self._size
        for step in range(1, size + 1):
            # Before the ring is full, the places behind the newest are empty.
            at = (self._at - step) % size
            at_ns, level, remaining, retry_ms, number, times = _ENTRY.unpack_from(
                self._packed,
                at * _ENTRY_BYTES,
            )
            if not at_ns:
                return
            # Of requests of one instant, the earlier ones had more before them.
            for before in range(times):
                yield Noted(
                    at_ns,
                    self._endpoints[at],
                    _CODES[number],
                    None if level == _NONE else level // NANOTOKENS + before,
                    None if remaining == _NONE else remaining + before,
                    retry_ms,
                )

    def _grow_or_turn(self) -> int:
        size = self._size
        if size == KEPT:
            return 0
        # Most keys of a day ask a few times only.
        self._endpoints += [""] * (KEPT - size)
        self._packed += bytes(_ENTRY_BYTES * (KEPT - size))
        self._size = KEPT
        return size
