"""Limits: how fast and how often a key may ask.

A key has a bucket of tokens, refilled at its rate, and a count of answered requests per
calendar month in UTC.  A request takes a token and reserves one of the month; only an
answer (2xx) keeps it.  Refusals cost nothing of the month, and the month is never
over-admitted, however many requests are in flight.

The bucket goes by the monotonic clock, so a wall clock that jumps grants nothing; the
month goes by the wall clock and never turns back.

Owns: no tables.   Source: data dictionary 1.1, 1.2.
"""

from __future__ import annotations

from trinity_beast.features.limits.decision import Decision, Refusal
from trinity_beast.features.limits.grants import Grants, LocalGrants, Month, Tokens
from trinity_beast.features.limits.headers import rate_limit_headers
from trinity_beast.features.limits.limiter import KeyLimits, Limiter
from trinity_beast.features.limits.model import (
    NANOTOKENS,
    NEVER_NS,
    MonthCount,
    TokenBucket,
)

__all__ = [
    "NANOTOKENS",
    "NEVER_NS",
    "Decision",
    "Grants",
    "KeyLimits",
    "Limiter",
    "LocalGrants",
    "Month",
    "MonthCount",
    "Refusal",
    "TokenBucket",
    "Tokens",
    "rate_limit_headers",
]
