"""All that one process holds of one key."""

from __future__ import annotations

import asyncio

from trinity_beast.features.keys import ApiKey
from trinity_beast.features.limits.model import Refusal
from trinity_beast.features.limits.month_lease import MonthLease, Others
from trinity_beast.features.limits.token_lease import TokenLease
from trinity_beast.ports.leases import Ask, Given

_WRITER_LAG_S = 10
"""How far behind the database is taken to be, at the most."""


class KeyLease:
    """All that this process holds of one key.

    Attributes:
        key: As it was when it was first used here.
        tokens: Of its bucket; None without a rate limit.
        month: Of its month.
        exchange: The exchange that is under way.
        seen: What ``activity`` was when it was last looked at.
        used_at_ns: When it was last seen to be used, by the monotonic clock.
    """

    __slots__ = (
        "__weakref__",
        "exchange",
        "key",
        "month",
        "seen",
        "tokens",
        "used_at_ns",
    )

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.tokens: TokenLease | None = None
        self.month: MonthLease | None = None
        self.exchange: asyncio.Task[None] | None = None
        self.seen: tuple[int, ...] = ()
        self.used_at_ns = 0

    @property
    def is_standing_alone(self) -> bool:
        """Tell whether requests are granted without the shared count."""
        parts = (self.tokens, self.month)
        return all(part is None or part.is_standing_alone for part in parts)

    def activity(self) -> tuple[int, ...]:
        """Return something that changes whenever the key is used."""
        slices = [part.slice for part in (self.tokens, self.month) if part is not None]
        return tuple(n for it in slices for n in (it.asked_at_ns, it.spent, it.missed))

    def is_promising(self, refusal: Refusal, now_ns: int) -> bool:
        """Tell whether asking the count may turn a refusal into a grant."""
        if refusal == "quota_exceeded":
            return self.month is not None and self.month.is_promising()
        return self.tokens is not None and self.tokens.is_promising(now_ns)

    def ask(self, live: int, now_ns: int, *, resting: bool, keep: bool) -> Ask | None:
        """Return what to ask for; None when nothing is limited."""
        bucket = month = None
        if self.tokens is not None:
            bucket = self.tokens.ask(now_ns, resting=resting)
        if self.month is not None:
            month = self.month.ask(now_ns, resting=resting, keep=keep)
        if bucket is None and month is None:
            return None
        return Ask(str(self.key.id), live, bucket, month)

    def take_in(self, ask: Ask, given: Given, now_ns: int) -> None:
        """Hold what was granted."""
        if self.tokens is not None and ask.bucket is not None and given.bucket:
            self.tokens.take_in(ask.bucket, given.bucket, now_ns)
        if self.month is not None and ask.month is not None and given.month:
            self.month.take_in(ask.month, given.month, now_ns)

    def stand_alone(
        self,
        live: int,
        row_used: int | None,
        now_ns: int,
        *,
        are_known: bool,
    ) -> None:
        """Go on without the count; see ``MonthLease.stand_alone``."""
        if self.month is not None and self.month.limit is not None:
            others = Others(live, are_known, self._margin(self.month.limit))
            self.month.stand_alone(others, row_used, now_ns)
        if self.tokens is not None:
            self.tokens.stand_alone(live, now_ns)

    def _margin(self, limit: int) -> int:
        """Return what others may have used that the database did not hear of yet."""
        if self.tokens is None:
            return limit // 2
        return 2 * (self.tokens.burst + _WRITER_LAG_S * self.tokens.qps)
