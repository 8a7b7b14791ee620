"""A slice of a key's bucket, which answers like the bucket.

It was debited from the shared bucket before use, so what is granted here is granted
nowhere else.  It is as large as what the key used here in the last 100 ms, at least one
token, and is filled up in the background once half of it is gone.

Bound: in any stretch of W seconds all processes together let at most

    burst + qps * W + (tokens that they held in slices when it began)

requests of a key through, counting a batch as one; a process holds at most a tenth of
``qps`` or of ``burst``, whichever is more, and one token for each request that waited.
While the shared bucket is away each of L processes fills one of its own at ``qps / L``,
which begins with its part of what the shared one held; each change between the two
ways may add one ``burst``.

Hot path: `TokenLease.take`; measured in bench/limits.py, budget 3 microseconds for a
whole check.
"""

from __future__ import annotations

from collections.abc import Callable

from trinity_beast.features.limits.model import NANOTOKENS, NEVER_NS, TokenBucket
from trinity_beast.features.limits.slices import Slice
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.leases import BucketAsk, BucketSlice

_PART_OF_BUCKET = 10

Wake = Callable[[], None]
"""Asks for a slice in the background; asking again meanwhile costs nothing."""


class TokenLease:
    """A slice of a key's bucket; answers like a ``TokenBucket``.

    All instants are of the monotonic clock.

    Attributes:
        qps: Rate of the shared bucket.
        burst: Depth of the shared bucket.
        slice: What is held.
    """

    __slots__ = (
        "_dry_until_ns",
        "_level",
        "_level_at_ns",
        "_live",
        "_local",
        "_wake",
        "burst",
        "qps",
        "slice",
    )

    def __init__(self, qps: int, burst: int, wake: Wake) -> None:
        self.slice = Slice()
        self._wake = wake
        self._set(qps, burst)
        self._live = 1
        self._local: TokenBucket | None = None
        self._level = burst * NANOTOKENS if qps else 0
        self._level_at_ns = 0
        self._dry_until_ns = 0

    def take(self, now_ns: int, tokens: int = 1) -> int:
        """Take tokens and return 0, or return the nanoseconds to wait."""
        mine = self.slice
        held = mine.held - tokens
        if held >= 0:
            mine.held = held
            mine.spent += tokens
            if held <= mine.low and now_ns >= self._dry_until_ns:
                self._wake()
            return 0
        return self._take_without(now_ns, tokens)

    def level(self, now_ns: int) -> int:
        """Return what may be taken, in nanotokens, as far as is known here."""
        held = self.slice.held * NANOTOKENS
        depth = self.burst * NANOTOKENS if self.qps else 0
        if self._local is not None:
            return min(depth, held + self._local.level(now_ns) // self._live)
        flown = max(0, now_ns - self._level_at_ns) * self.qps
        return min(depth, held + self._level + flown)

    def reconfigure(self, qps: int, burst: int, now_ns: int) -> None:
        """Change rate and depth; the shared bucket learns of it with the next ask."""
        if (qps, burst) == (self.qps, self.burst):
            return
        if self._local is not None:
            self._local.reconfigure(qps, max(burst, self._live), now_ns)
        self._set(qps, burst)
        self._dry_until_ns = 0
        self._wake()

    @property
    def is_standing_alone(self) -> bool:
        """Tell whether tokens are granted without the shared bucket."""
        return self._local is not None

    def is_promising(self, now_ns: int) -> bool:
        """Tell whether asking may bring tokens that are not there now."""
        return self._local is None and bool(self.qps) and now_ns >= self._dry_until_ns

    def ask(self, now_ns: int, *, resting: bool) -> BucketAsk:
        """Return what to ask for.

        Args:
            now_ns: Now.
            resting: Nobody uses the key: give everything back.
        """
        if resting:
            return BucketAsk(self.qps, self.burst, 0, self.slice.empty())
        most = max(1, self.qps // _PART_OF_BUCKET, self.burst // _PART_OF_BUCKET)
        want, back = self.slice.size(now_ns, most)
        return BucketAsk(self.qps, self.burst, want, back)

    def take_in(self, ask: BucketAsk, given: BucketSlice, now_ns: int) -> None:
        """Hold what was granted; what the own bucket held while away is forgotten."""
        self.slice.held += given.granted
        self._local = None
        self._level = given.level
        self._level_at_ns = now_ns
        if given.granted < ask.want and self.qps:
            short = max(0, NANOTOKENS - given.level)
            self._dry_until_ns = now_ns + max(NS_PER_MS, -(-short // self.qps))

    def stand_alone(self, live: int, now_ns: int) -> None:
        """Go on without the shared bucket, with this process's part of the rate.

        A token costs ``live`` of the own bucket, which is filled at the whole rate.
        """
        if self._local is not None:
            return
        level = min(
            self.burst * NANOTOKENS,
            self._level + max(0, now_ns - self._level_at_ns) * self.qps,
        )
        self._live = live
        self._local = TokenBucket(self.qps, max(self.burst, live), now_ns)
        missing = self.burst - level // NANOTOKENS
        if missing > 0:
            self._local.take(now_ns, missing)

    def _take_without(self, now_ns: int, tokens: int) -> int:
        if self._local is not None:
            return self._local.take(now_ns, tokens * self._live)
        if not self.qps or tokens > self.burst:
            return NEVER_NS
        if now_ns < self._dry_until_ns:
            return self._dry_until_ns - now_ns
        self.slice.missed += tokens
        self._wake()
        return NS_PER_MS

    def _set(self, qps: int, burst: int) -> None:
        self.qps = qps if burst else 0
        self.burst = burst if qps else 0
