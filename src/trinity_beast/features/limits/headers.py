"""What an answer tells of the limits.

``RateLimit-Policy`` names what is limited: ``"second";q=5;w=1`` is five requests each
second, ``"month";q=50000;w=2592000`` that many in the calendar month, whose length in
seconds is ``w``.  ``RateLimit`` tells what is left after this request:

* of ``"second"``: ``r`` is the whole tokens in the bucket, which may be more than ``q``
  since the bucket is deeper than one second; ``t`` is the seconds, rounded up, until
  there is one token more, 0 when the bucket is full;
* of ``"month"``: ``r`` is the requests that the month still admits, ``t`` the seconds,
  rounded up, until it ends.

What is not limited is left out, and both headers are when nothing is.
Source: IETF draft-ietf-httpapi-ratelimit-headers; RFC 9110, section 10.2.3.
"""

from __future__ import annotations

from trinity_beast.features.limits.decision import Decision
from trinity_beast.kernel.time import NS_PER_S

_MS_PER_S = 1000


def rate_limit_headers(decision: Decision) -> dict[str, str]:
    """Return ``RateLimit-Policy``, ``RateLimit`` and, when refused, ``Retry-After``."""
    headers: dict[str, str] = {}
    policy = _policy_of(decision)
    if policy:
        headers["RateLimit-Policy"] = policy
        headers["RateLimit"] = _state_of(decision)
    if not decision.granted:
        seconds = -(-decision.retry_after_ms // _MS_PER_S)
        headers["Retry-After"] = str(max(1, seconds))
    return headers


def _policy_of(decision: Decision) -> str:
    terms = decision.terms
    parts: list[str] = []
    if terms.qps is not None:
        parts.append(f'"second";q={terms.qps};w=1')
    if terms.month_limit is not None:
        whole_s = (decision.resets_at_ns - decision.starts_at_ns) // NS_PER_S
        parts.append(f'"month";q={terms.month_limit};w={whole_s}')
    return ", ".join(parts)


def _state_of(decision: Decision) -> str:
    parts: list[str] = []
    if decision.tokens_left is not None:
        wait_s = -(-decision.next_token_ns // NS_PER_S)
        parts.append(f'"second";r={decision.tokens_left};t={wait_s}')
    if decision.month_remaining is not None:
        left_s = -(-(decision.resets_at_ns - decision.now_ns) // NS_PER_S)
        parts.append(f'"month";r={decision.month_remaining};t={left_s}')
    return ", ".join(parts)
