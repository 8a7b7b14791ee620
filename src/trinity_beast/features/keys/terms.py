"""Terms: what a key is allowed at an instant, whatever its row says.

A late payer keeps the own terms for some days and then gets those of the free tier; so
does whoever canceled, once the paid time is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trinity_beast.features.keys.model import (
    NO_LIMIT_TIERS,
    UNLIMITED_QUERIES,
    ApiKey,
    Template,
)
from trinity_beast.kernel.time import NS_PER_S, month_of

FOREVER_NS = (1 << 63) - 1
_NS_PER_DAY = 86_400 * NS_PER_S

Lowered = Literal["past_due", "canceled", "unknown_tier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a key is allowed from one instant up to another.

    Attributes:
        tier: The tier that it is served as.
        qps: Tokens a second; None is no limit, 0 is none at all.
        burst: Depth of the bucket; None and 0 exactly when ``qps`` is.
        minimum_wait_ms: The least that a throttled caller is asked to wait.
        month_limit: Answered requests a calendar month; None is no limit.
        grace_until_ns: End of the grace that a late payer is in, else None.
        lowered: Why the tier is not the key's own, else None.
        from_ns: First instant for which these terms are known to hold.
        until_ns: First instant for which they do not.
    """

    tier: str
    qps: int | None
    burst: int | None
    minimum_wait_ms: int
    month_limit: int | None
    grace_until_ns: int | None = None
    lowered: Lowered | None = None
    from_ns: int = 0
    until_ns: int = FOREVER_NS


def terms_of(key: ApiKey, free: Template, now_ns: int, grace_days: int) -> Terms:
    """Return the terms of a key at an instant.

    ``past_due`` without the date of the failure keeps the own terms: nobody is cut off
    for a date that we failed to write down.  Partners are never billed, so their
    status means nothing.

    Args:
        key: As its row says.
        free: What the free tier gets.
        now_ns: The instant, by the wall clock.
        grace_days: How long a late payer keeps the own terms.
    """
    if not key.tier_known:
        return _free_terms(free, "unknown_tier", 0)
    if key.tier not in NO_LIMIT_TIERS:
        if key.subscription_status == "past_due":
            return _late_terms(key, free, now_ns, grace_days)
        if key.subscription_status == "canceled":
            return _canceled_terms(key, free, now_ns)
    return _own_terms(key)


def used_this_month(key: ApiKey, now_ns: int) -> int:
    """Return how much of the current month's limit the row says is used.

    ``current_usage`` of a key that was last used in an earlier month belongs to that
    month, whether or not somebody has set it back since.
    """
    last_ns = key.last_used_ns
    if last_ns is not None and month_of(last_ns) < month_of(now_ns):
        return 0
    return max(0, key.current_usage)


def _late_terms(key: ApiKey, free: Template, now_ns: int, grace_days: int) -> Terms:
    if key.payment_failed_at_ns is None:
        return _own_terms(key)
    end_ns = key.payment_failed_at_ns + grace_days * _NS_PER_DAY
    if now_ns < end_ns:
        return _own_terms(key, grace_until_ns=end_ns, until_ns=end_ns)
    return _free_terms(free, "past_due", end_ns)


def _canceled_terms(key: ApiKey, free: Template, now_ns: int) -> Terms:
    end_ns = key.tier_effective_at_ns
    if end_ns is not None and now_ns < end_ns:
        return _own_terms(key, until_ns=end_ns)
    return _free_terms(free, "canceled", end_ns or 0)


def _own_terms(
    key: ApiKey,
    *,
    grace_until_ns: int | None = None,
    until_ns: int = FOREVER_NS,
) -> Terms:
    qps, burst = _rate(key.tier, key.rate_limit_qps, key.burst_limit)
    return Terms(
        tier=key.tier,
        qps=qps,
        burst=burst,
        minimum_wait_ms=key.minimum_wait_ms,
        month_limit=_month_limit(key.tier, key.query_limit),
        grace_until_ns=grace_until_ns,
        until_ns=until_ns,
    )


def _free_terms(free: Template, lowered: Lowered, from_ns: int) -> Terms:
    qps, burst = _rate(free.tier, free.rate_limit_qps, free.burst_limit)
    return Terms(
        tier=free.tier,
        qps=qps,
        burst=burst,
        minimum_wait_ms=free.minimum_wait_ms,
        month_limit=_month_limit(free.tier, free.query_limit),
        lowered=lowered,
        from_ns=from_ns,
    )


def _rate(tier: str, qps: int, burst: int) -> tuple[int | None, int | None]:
    if qps > 0 and burst > 0:
        return qps, burst
    return (None, None) if tier in NO_LIMIT_TIERS else (0, 0)


def _month_limit(tier: str, limit: int) -> int | None:
    if limit >= UNLIMITED_QUERIES or (limit <= 0 and tier in NO_LIMIT_TIERS):
        return None
    return max(0, limit)
