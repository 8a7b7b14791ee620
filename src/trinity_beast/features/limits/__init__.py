"""Limits: how fast and how often a key may ask.

A key has a bucket of tokens, refilled at its rate, and a count of answered requests per
calendar month in UTC.  A request takes a token and reserves one of the month; only an
answer (2xx) keeps it.  Refusals cost nothing of the month, and the month is never
over-admitted, however many requests are in flight.

Processes share a key by leases: slices of its bucket and of its month that are debited
before they are used.

The bucket goes by the monotonic clock, so a wall clock that jumps grants nothing; the
month goes by the wall clock and never turns back.

Owns: no tables.   Source: data dictionary 1.1, 1.2.
"""

from __future__ import annotations

from trinity_beast.features.limits.decision import Decision
from trinity_beast.features.limits.grants import Grants, LocalGrants, Month, Tokens
from trinity_beast.features.limits.headers import rate_limit_headers
from trinity_beast.features.limits.history import KEPT, History, Noted
from trinity_beast.features.limits.leased import LeasedGrants
from trinity_beast.features.limits.limiter import KeyLimits, Limiter
from trinity_beast.features.limits.model import (
    NANOTOKENS,
    NEVER_NS,
    MonthCount,
    Refusal,
    TokenBucket,
)
from trinity_beast.features.limits.seat import HomeSeat

__all__ = [
    "KEPT",
    "NANOTOKENS",
    "NEVER_NS",
    "Decision",
    "Grants",
    "History",
    "HomeSeat",
    "KeyLimits",
    "LeasedGrants",
    "Limiter",
    "LocalGrants",
    "Month",
    "MonthCount",
    "Noted",
    "Refusal",
    "TokenBucket",
    "Tokens",
    "rate_limit_headers",
]
