"""What answers say of limits, as header lines.

The same as `rate_limit_headers` says; what stays the same for a month stands ready.

Hot path: `LimitLines.of`, budget 0.6 microseconds.
"""

from __future__ import annotations

from trinity_beast.features.keys import Terms
from trinity_beast.features.limits import NANOTOKENS, Decision, rate_limit_headers
from trinity_beast.kernel.time import NS_PER_S, rfc3339_ms

_SECOND = b'"second";r=%d;t=%d'
_MONTH = b'"month";r=%d;t=%d'


class LimitLines:
    """Renders decisions that let requests of one key through."""

    __slots__ = ("_full_level", "_lines", "_month_number", "_terms")

    def __init__(self) -> None:
        self._terms: Terms | None = None
        self._month_number = 0
        self._full_level = 0
        self._lines = b""

    def of(self, decision: Decision) -> bytes:
        """Return the header lines of a decision, each with its line end."""
        terms = decision.terms
        if terms is not self._terms or decision.month_number != self._month_number:
            self._begin(decision)
        month_left = decision.month_remaining
        if terms.qps is None:
            if month_left is None:
                return self._lines
            return self._lines % (month_left, _seconds_left(decision))
        # A token that was just taken from a bucket takes at most a second to come back.
        wait_s = decision.level != self._full_level
        tokens_left = decision.level // NANOTOKENS
        if month_left is None:
            return self._lines % (tokens_left, wait_s)
        return self._lines % (tokens_left, wait_s, month_left, _seconds_left(decision))

    def _begin(self, decision: Decision) -> None:
        terms = decision.terms
        self._terms = terms
        self._month_number = decision.month_number
        self._full_level = (terms.burst or 0) * NANOTOKENS
        state: list[bytes] = []
        if terms.qps is not None:
            state.append(_SECOND)
        if decision.month_remaining is not None:
            state.append(_MONTH)
        lines = b""
        if state:
            policy = rate_limit_headers(decision)["RateLimit-Policy"].encode("ascii")
            lines = b"ratelimit-policy: " + policy + b"\r\nratelimit: "
            lines += b", ".join(state) + b"\r\n"
        if terms.grace_until_ns is not None:
            until = rfc3339_ms(terms.grace_until_ns).encode("ascii")
            lines += b"x-grace-until: " + until + b"\r\n"
        self._lines = lines


def _seconds_left(decision: Decision) -> int:
    return -((decision.now_ns - decision.resets_at_ns) // NS_PER_S)
