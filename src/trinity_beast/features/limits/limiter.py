"""The limiter: one decision for each request.

Hot path: measured in bench/limits.py, budget 3 microseconds a check.  Nothing is
awaited, so a decision is atomic within the process, and nothing is made but the
decision itself.
"""

from __future__ import annotations

from trinity_beast.features.keys import KeySlot, Terms, used_this_month
from trinity_beast.features.limits.decision import Decision
from trinity_beast.features.limits.grants import Grants, LocalGrants, Month, Tokens
from trinity_beast.features.limits.history import History
from trinity_beast.features.limits.model import Refusal
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.clock import Clock

PATIENCE_NS = 50 * NS_PER_MS
"""How long a request waits for a lease before it goes by the share."""


class KeyLimits:
    """What is kept of a key between two requests, in ``KeySlot.state``.

    Attributes:
        history: The last decisions.
        tokens: The bucket; None while there is no rate limit.
        month: The month's count.
        terms: The terms that both were set up for.
        renewals: ``KeySlot.renewals`` when both were last compared with the row.
        lowerings: ``KeySlot.lowerings`` then.
    """

    __slots__ = ("history", "lowerings", "month", "renewals", "terms", "tokens")

    def __init__(
        self,
        slot: KeySlot,
        terms: Terms,
        month: Month,
        tokens: Tokens | None,
    ) -> None:
        self.history = History()
        self.tokens = tokens
        self.month = month
        self.terms = terms
        self.renewals = slot.renewals
        self.lowerings = slot.lowerings


class Limiter:
    """Admits or refuses requests of keys."""

    def __init__(self, clock: Clock, grants: Grants | None = None) -> None:
        self._clock = clock
        self._grants: Grants = grants or LocalGrants()

    def check(
        self,
        slot: KeySlot,
        terms: Terms,
        now_ns: int,
        tokens: int = 1,
    ) -> Decision:
        """Decide on a request, taking its tokens and reserving its place in the month.

        A refusal takes neither.  ``answered`` must follow a request that goes through,
        whatever becomes of it, or its place in the month stays taken.

        Args:
            slot: The key's slot; ``state`` of it is the limiter's.
            terms: What the key is allowed now; compared by identity, so pass the object
                that ``KeyRing.terms_of`` returned.
            now_ns: The wall clock.
            tokens: What the request costs the bucket; it costs the month 1.
        """
        limits = slot.state
        if not isinstance(limits, KeyLimits):
            limits = slot.state = self._open(slot, terms, now_ns)
        elif limits.terms is not terms or limits.renewals != slot.renewals:
            self._bring_up_to_date(limits, slot, terms, now_ns)
        month = limits.month
        bucket = limits.tokens
        code: Refusal | None = None
        wait_ms = level = steady_ns = 0
        if bucket is not None:
            steady_ns = self._clock.monotonic_ns()
        if not month.reserve(now_ns):
            code = "quota_exceeded"
            wait_ms = _whole_ms(month.resets_at_ns - now_ns)
        elif bucket is not None and (wait_ns := bucket.take(steady_ns, tokens)):
            month.settle(month.month, counted=False)
            code = "rate_limited"
            wait_ms = max(_whole_ms(wait_ns), terms.minimum_wait_ms)
        if bucket is not None:
            level = bucket.level(steady_ns)
        return Decision(
            code,
            wait_ms,
            terms,
            now_ns,
            level,
            month,
            month.month,
            month.remaining,
            month.starts_at_ns,
            month.resets_at_ns,
            limits.history,
        )

    async def admit(
        self,
        slot: KeySlot,
        terms: Terms,
        now_ns: int,
        tokens: int = 1,
    ) -> Decision:
        """Decide like ``check``, but refuse nobody only for want of a lease.

        A key that was idle here has none; it is waited for, `PATIENCE_NS` at the most.
        """
        decision = self.check(slot, terms, now_ns, tokens)
        if decision.code is None:
            return decision
        until_ns = self._clock.monotonic_ns() + PATIENCE_NS
        while decision.code is not None:
            if not await self._grants.refill(slot.key, decision.code, until_ns):
                break
            decision = self.check(slot, terms, now_ns, tokens)
        return decision

    def state(self) -> dict[str, object]:
        """Return how limits are kept, for people: ``mode`` and more."""
        return self._grants.state()

    def answered(
        self,
        decision: Decision,
        *,
        success: bool,
        endpoint: str = "",
    ) -> None:
        """End a request: only an answer with 2xx counts for the month.

        To be called once for each decision that the caller is told of; of one that
        refused, only the history is kept.

        Args:
            decision: What ``check`` said.
            success: Whether the answer was a 2xx.
            endpoint: What was asked, for the key's history.
        """
        if decision.history is not None:  # not `note`: a call costs as much again
            decision.history.note(decision, endpoint)
        if decision.code is None:
            decision.month.settle(decision.month_number, counted=success)

    def note(self, decision: Decision, endpoint: str) -> None:
        """Keep a decision that the caller overruled in the key's history."""
        if decision.history is not None:
            decision.history.note(decision, endpoint)

    def _open(self, slot: KeySlot, terms: Terms, now_ns: int) -> KeyLimits:
        month = self._grants.month(slot.key, terms.month_limit, now_ns)
        return KeyLimits(slot, terms, month, self._bucket(slot, terms))

    def _bucket(self, slot: KeySlot, terms: Terms) -> Tokens | None:
        if terms.qps is None or terms.burst is None:
            return None
        steady_ns = self._clock.monotonic_ns()
        return self._grants.tokens(slot.key, terms.qps, terms.burst, steady_ns)

    def _bring_up_to_date(
        self,
        limits: KeyLimits,
        slot: KeySlot,
        terms: Terms,
        now_ns: int,
    ) -> None:
        if limits.terms is not terms:
            limits.terms = terms
            limits.month.limit = terms.month_limit
            if limits.tokens is None or terms.qps is None or terms.burst is None:
                limits.tokens = self._bucket(slot, terms)
            else:
                steady_ns = self._clock.monotonic_ns()
                limits.tokens.reconfigure(terms.qps, terms.burst, steady_ns)
        if limits.renewals != slot.renewals:
            self._compare_with_row(limits, slot, now_ns)

    def _compare_with_row(
        self,
        limits: KeyLimits,
        slot: KeySlot,
        now_ns: int,
    ) -> None:
        used = used_this_month(slot.key, now_ns)
        if limits.lowerings == slot.lowerings:
            # Rows lag behind by what still waits in the queue, so they never lower.
            limits.month.raise_to(used)
        else:
            limits.month.set_back_to(used)
        limits.renewals = slot.renewals
        limits.lowerings = slot.lowerings


def _whole_ms(duration_ns: int) -> int:
    return -(-duration_ns // NS_PER_MS)
