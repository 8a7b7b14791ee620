"""What the outcome of a keyed request reads like, whatever the request was."""

from __future__ import annotations

from trinity_beast.features.keys import Terms
from trinity_beast.features.limits import Decision
from trinity_beast.features.prices.errors import QuotaExceeded, RateLimited
from trinity_beast.features.usage import ERROR, RATE_LIMITED, SUCCESS
from trinity_beast.kernel.errors import BeastError, Throttled
from trinity_beast.kernel.time import rfc3339_ms


def throttled(decision: Decision) -> BeastError:
    """Return the error that tells of a decision that refused."""
    if decision.code == "quota_exceeded":
        limit = decision.terms.month_limit
        return QuotaExceeded(retry_after_ms=decision.retry_after_ms, limit=limit)
    return RateLimited(retry_after_ms=decision.retry_after_ms)


def status_of_record(error: BeastError | None) -> str:
    """Return what a usage record calls the outcome.  Source: data dictionary 4.4."""
    if error is None:
        return SUCCESS
    return RATE_LIMITED if isinstance(error, Throttled) else ERROR


def grace_header(terms: Terms) -> dict[str, str]:
    """Return the header that tells a late payer until when the own terms hold."""
    if terms.grace_until_ns is None:
        return {}
    return {"X-Grace-Until": rfc3339_ms(terms.grace_until_ns)}
