"""Grants: where a key's tokens and its share of the month come from.

In a lone process they are simply there.  Processes that share a key hold leases
instead: slices of one bucket and one month that are debited before use.
"""

from __future__ import annotations

from typing import Protocol

from trinity_beast.features.keys import ApiKey, used_this_month
from trinity_beast.features.limits.model import MonthCount, Refusal, TokenBucket


class Tokens(Protocol):
    """A bucket, or this process's slice of one; see ``TokenBucket``."""

    def take(self, now_ns: int, tokens: int = 1) -> int:
        """Take tokens and return 0, or return the nanoseconds to wait."""
        ...

    def level(self, now_ns: int) -> int:
        """Return what may be taken, in nanotokens."""
        ...

    def reconfigure(self, qps: int, burst: int, now_ns: int) -> None:
        """Change rate and depth."""
        ...


class Month(Protocol):
    """A month's count, or this process's slice of one; see ``MonthCount``."""

    month: int
    starts_at_ns: int
    resets_at_ns: int

    @property
    def limit(self) -> int | None:
        """Most requests of the month; None is no limit."""
        ...

    @limit.setter
    def limit(self, limit: int | None) -> None: ...

    @property
    def remaining(self) -> int | None:
        """Return how many more requests are admitted; None is no limit."""
        ...

    def reserve(self, now_ns: int) -> bool:
        """Admit one more request, or not."""
        ...

    def settle(self, month: int, *, counted: bool) -> None:
        """End a request that was admitted."""
        ...

    def raise_to(self, used: int) -> None:
        """Learn that at least this many requests were answered."""
        ...

    def set_back_to(self, used: int) -> None:
        """Learn that somebody set the count to this."""
        ...


class Grants(Protocol):
    """Opens what a key is granted, at its first request in this process."""

    def tokens(self, key: ApiKey, qps: int, burst: int, now_ns: int) -> Tokens:
        """Return the key's bucket; ``now_ns`` is monotonic."""
        ...

    def month(self, key: ApiKey, limit: int | None, now_ns: int) -> Month:
        """Return the key's month; ``now_ns`` is the wall clock's."""
        ...

    async def refill(self, key: ApiKey, refusal: Refusal, until_ns: int) -> bool:
        """Wait for what a refused request lacked; False when it is surely not there.

        Args:
            key: Whose.
            refusal: Why the request was refused.
            until_ns: How long to wait, by the monotonic clock.
        """
        ...

    def state(self) -> dict[str, object]:
        """Return how limits are kept, for people."""
        ...


class LocalGrants:
    """Grants of a lone process: full buckets, and the month as the row says."""

    def tokens(self, key: ApiKey, qps: int, burst: int, now_ns: int) -> Tokens:  # noqa: ARG002 - leases go by the key
        """Return a full bucket."""
        return TokenBucket(qps, burst, now_ns)

    def month(self, key: ApiKey, limit: int | None, now_ns: int) -> Month:
        """Return the month, with what the row says of it as used."""
        return MonthCount(now_ns, used_this_month(key, now_ns), limit)

    async def refill(self, key: ApiKey, refusal: Refusal, until_ns: int) -> bool:  # noqa: ARG002 - as above
        """Return False: all that there is, is here."""
        return False

    def state(self) -> dict[str, object]:
        """Return that this process keeps limits by itself."""
        return {"mode": "local", "processes": 1}
