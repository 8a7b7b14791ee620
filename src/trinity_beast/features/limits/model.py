"""The token bucket and the month's count: integers in, integers out, no clock.

Hot path: measured in bench/limits.py, budget 3 microseconds for a whole check.
"""

from __future__ import annotations

from typing import Literal

from trinity_beast.kernel.time import (
    NS_PER_S,
    month_of,
    month_start_ns,
    next_month,
)

Refusal = Literal["rate_limited", "quota_exceeded"]
"""Why a request does not go through."""

NANOTOKENS = NS_PER_S
"""Parts of a token: at 1 token/s one part flows in each nanosecond."""

NEVER_NS = 3_600 * NS_PER_S
"""What a caller is asked to wait, an hour, for tokens that will never be there."""


class TokenBucket:
    """A bucket that refills at ``qps`` tokens a second up to ``burst`` tokens.

    Exact: it grants what a bucket counted in real numbers grants, to the nanosecond.
    It keeps one number, the instant at which it will be full (the generic cell rate
    algorithm), scaled by the rate so that every rate gives whole numbers.
    Source: ITU-T I.371, annex A.
    """

    __slots__ = ("_depth", "_full_at", "_qps")

    def __init__(self, qps: int, burst: int, now_ns: int) -> None:
        """Make a full bucket; a rate or a depth of zero never grants anything."""
        self._qps = qps if burst else 0
        self._depth = burst * NANOTOKENS if qps else 0
        self._full_at = now_ns * self._qps

    def take(self, now_ns: int, tokens: int = 1) -> int:
        """Take tokens, all or none, and return 0; or return how long to wait.

        Args:
            now_ns: By a clock that never goes back.
            tokens: How many, at least one.

        Returns:
            0 when they were taken, else the nanoseconds after which they can be if
            nobody else takes any; ``NEVER_NS`` when the bucket never holds as many.
        """
        now = now_ns * self._qps
        full_at = self._full_at
        if full_at < now:  # noqa: PLR1730 - calling max() costs more than all the rest
            full_at = now
        full_at += tokens * NANOTOKENS
        short = full_at - now - self._depth
        if short <= 0:
            self._full_at = full_at
            return 0
        if tokens * NANOTOKENS > self._depth:
            return NEVER_NS
        return -(-short // self._qps)

    def level(self, now_ns: int) -> int:
        """Return what is in the bucket, in nanotokens."""
        missing = self._full_at - now_ns * self._qps
        return self._depth - missing if missing > 0 else self._depth

    def reconfigure(self, qps: int, burst: int, now_ns: int) -> None:
        """Change rate and depth; the bucket stays as full as it was, in proportion.

        A bucket that never held anything becomes a full one.
        """
        level, depth = self.level(now_ns), self._depth
        self._qps = qps if burst else 0
        self._depth = burst * NANOTOKENS if qps else 0
        level = self._depth * level // depth if depth else self._depth
        self._full_at = now_ns * self._qps + self._depth - level


class MonthCount:
    """Answered requests of one calendar month, UTC, and those still being answered.

    Months only follow each other: when the wall clock goes back into an earlier month,
    requests count for the later one, whose limit may be used up; an earlier month's
    limit is never opened again.

    Attributes:
        month: The month that is counted, as ``year * 100 + month``.
        used: Answered requests.
        reserved: Requests in flight, each of which may be answered.
        limit: Most requests of a month; None is no limit.
        starts_at_ns: First instant of the month.
        resets_at_ns: First instant of the month after it.
    """

    __slots__ = ("limit", "month", "reserved", "resets_at_ns", "starts_at_ns", "used")

    def __init__(self, now_ns: int, used: int, limit: int | None) -> None:
        self.limit = limit
        self._begin(now_ns, used)

    @property
    def remaining(self) -> int | None:
        """Return how many more requests the month admits; None is no limit."""
        if self.limit is None:
            return None
        return max(0, self.limit - self.used - self.reserved)

    def may(self, now_ns: int) -> bool:
        """Tell whether one more request would be admitted."""
        if now_ns >= self.resets_at_ns:
            self._begin(now_ns, 0)
        return self.limit is None or self.used + self.reserved < self.limit

    def reserve(self, now_ns: int) -> bool:
        """Admit one more request, or tell that the month has no room for it.

        ``settle`` must follow each request that was admitted.
        """
        if now_ns >= self.resets_at_ns:
            self._begin(now_ns, 0)
        limit = self.limit
        if limit is not None and self.used + self.reserved >= limit:
            return False
        self.reserved += 1
        return True

    def settle(self, month: int, *, counted: bool) -> None:
        """End a request that was admitted in ``month``.

        Args:
            month: What ``month`` was when it was admitted; the answer to a request of
                an earlier month changes nothing here.
            counted: Whether it was answered (2xx); otherwise its place is given back.
        """
        if month == self.month:
            self.reserved -= 1
            self.used += counted

    def count(self, now_ns: int) -> bool:
        """Count a request that is already answered, if the month has room for it."""
        admitted = self.reserve(now_ns)
        if admitted:
            self.settle(self.month, counted=True)
        return admitted

    def raise_to(self, used: int) -> None:
        """Learn that at least this many requests were answered."""
        self.used = max(self.used, used)

    def set_back_to(self, used: int) -> None:
        """Learn that somebody set the count to this; requests in flight stay."""
        self.used = used

    def _begin(self, now_ns: int, used: int) -> None:
        self.month = month_of(now_ns)
        self.starts_at_ns = month_start_ns(self.month)
        self.resets_at_ns = month_start_ns(next_month(self.month))
        self.used = used
        self.reserved = 0
