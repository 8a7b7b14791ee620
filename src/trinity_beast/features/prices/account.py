"""What a key holder may know of the own key."""

from __future__ import annotations

from trinity_beast.features.keys import ApiKey, Terms, used_this_month
from trinity_beast.features.limits import Decision, History
from trinity_beast.features.parameters import Parameters
from trinity_beast.kernel.time import rfc3339_ms

DECISIONS_PATH = "/account/limits"
"""Where the last decisions on a key are told."""


def account_body(
    key: ApiKey,
    decision: Decision,
    parameters: Parameters,
) -> dict[str, object]:
    """Return the plain body of ``/account/key``; null limits are no limits.

    Args:
        key: The key as its row says.
        decision: The limiter's, of this request, its place in the month given back.
        parameters: For the allowance of reports.
    """
    terms = decision.terms
    grace_ns = terms.grace_until_ns
    return {
        "key": key.shown,
        "name": key.name,
        "tier": key.tier,
        "served_as": terms.tier,
        "subscription_status": key.subscription_status,
        "response_format": key.response_format,
        "limits": {
            "requests_per_second": terms.qps,
            "burst": terms.burst,
            "minimum_wait_ms": terms.minimum_wait_ms,
            "requests_per_month": terms.month_limit,
        },
        "month": {
            "used": _used(key, decision),
            "remaining": decision.month_remaining,
            "resets_at": rfc3339_ms(decision.resets_at_ns),
        },
        "grace_until": None if grace_ns is None else rfc3339_ms(grace_ns),
        "reports": {"per_month": _reports_per_month(key, terms, parameters)},
    }


def decisions_body(history: History | None) -> dict[str, object]:
    """Return the plain body of ``/account/limits``: the last decisions, newest first.

    Args:
        history: What this process decided of the key.
    """
    decisions = [
        {
            "at": rfc3339_ms(noted.at_ns),
            "endpoint": noted.endpoint or None,
            "code": noted.code,
            "tokens_left": noted.tokens_left,
            "month_remaining": noted.month_remaining,
            "retry_after_ms": noted.retry_after_ms,
        }
        for noted in (history.newest_first() if history else ())
    ]
    return {"count": len(decisions), "limits": decisions}


def _used(key: ApiKey, decision: Decision) -> int:
    limit, remaining = decision.terms.month_limit, decision.month_remaining
    if limit is None or remaining is None:
        # Nobody counts against no limit; the row knows, some records late.
        return used_this_month(key, decision.now_ns)
    return limit - remaining


def _reports_per_month(
    key: ApiKey,
    terms: Terms,
    parameters: Parameters,
) -> int | None:
    unlimited = terms.tier in parameters.texts("report_unlimited_tiers")
    if unlimited or key.lrs_enabled:
        return None
    return parameters.integer("report_monthly_limit")
