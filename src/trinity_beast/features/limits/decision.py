"""Decisions: what the limiter says, with all that an answer tells of it."""

from __future__ import annotations

import msgspec

from trinity_beast.features.keys import Terms
from trinity_beast.features.limits.grants import Month
from trinity_beast.features.limits.history import History
from trinity_beast.features.limits.model import NANOTOKENS, NEVER_NS, Refusal


class Decision(msgspec.Struct, frozen=True, gc=False):
    """Whether a request goes through, and what is left after it.

    Attributes:
        code: Why it does not go through; None when it does.
        retry_after_ms: When asking again makes sense; 0 when it goes through.
        terms: What the key is allowed.
        now_ns: When it was decided, by the wall clock.
        level: What is left in the bucket, in nanotokens; 0 without a rate limit.
        month: Where the request is counted.
        month_number: The month as ``year * 100 + month``.
        month_remaining: Requests that the month still admits; None is no limit.
        starts_at_ns: When the month began.
        resets_at_ns: When the month ends.
        history: Where the key's decisions are kept, this one once it is answered.
    """

    code: Refusal | None
    retry_after_ms: int
    terms: Terms
    now_ns: int
    level: int
    month: Month
    month_number: int
    month_remaining: int | None
    starts_at_ns: int
    resets_at_ns: int
    history: History | None = None

    @property
    def granted(self) -> bool:
        """Tell whether the request goes through."""
        return self.code is None

    @property
    def tokens_left(self) -> int | None:
        """Return the whole tokens in the bucket; None without a rate limit."""
        return None if self.terms.qps is None else self.level // NANOTOKENS

    @property
    def next_token_ns(self) -> int:
        """Return how long it takes until one more whole token is there.

        0 when the bucket is full or there is no rate limit; ``NEVER_NS`` when it never
        holds one.
        """
        qps, burst = self.terms.qps, self.terms.burst
        if qps is None or burst is None:
            return 0
        if not qps:
            return NEVER_NS
        if self.level == burst * NANOTOKENS:
            return 0
        return -((self.level % NANOTOKENS - NANOTOKENS) // qps)
