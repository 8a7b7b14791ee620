"""The long way of a question whose key is proven: limits, answer, record."""

from __future__ import annotations

from typing import NamedTuple

from trinity_beast.features.keys import KeyRevoked, KeySlot
from trinity_beast.features.prices.errors import TooManyAssets
from trinity_beast.features.prices.model import is_asset_name
from trinity_beast.features.prices.outcomes import status_of_record, throttled
from trinity_beast.features.prices.parts import LpoParts
from trinity_beast.features.prices.udp_prepared import (
    ENDPOINT,
    MANY,
    ONE,
    Prepared,
    PreparedAnswers,
)
from trinity_beast.features.prices.udp_wire import (
    MOST_ASSETS,
    MOST_BYTES,
    Question,
    error_answer,
    with_id,
)
from trinity_beast.features.usage import UsageIds, UsageRecord
from trinity_beast.kernel.errors import BeastError
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.toolkit.http.problems import code_of

_NO_TIME = b'"duration_ms":0}'


class Asked(NamedTuple):
    """A question, and when and whence it came.

    Attributes:
        question: What is asked for.
        ip: The sender's address.
        at_ns: When it was read, by the wall clock.
        started_ns: The same by the monotonic clock.
    """

    question: Question
    ip: str
    at_ns: int
    started_ns: int


class Settled(NamedTuple):
    """What became of a question.

    Attributes:
        answer: The datagram that tells it.
        error: Why there is no price in it.
        prepared: Where the answer came from, without an error.
    """

    answer: bytes
    error: BeastError | None = None
    prepared: Prepared | None = None


class Settling:
    """Settles questions of known keys; each makes one usage record."""

    def __init__(
        self,
        parts: LpoParts,
        answers: PreparedAnswers,
        ids: UsageIds,
    ) -> None:
        self._parts = parts
        self._answers = answers
        self._ids = ids

    def settle(
        self,
        slot: KeySlot,
        asked: Asked,
        *,
        may_wait: bool,
    ) -> Settled | None:
        """Answer a question of a proven key, or tell why there is no answer.

        Args:
            slot: The key's.
            asked: The question.
            may_wait: Whether it may be answered later: then one for which waiting may
                help is left as it is, and None returned.
        """
        limiter = self._parts.limiter
        prepared = self._prepared(asked)
        if may_wait and self._may_be_found(prepared):
            return None
        terms = self._parts.keys.terms_of(slot, asked.at_ns)
        decision = limiter.check(slot, terms, asked.at_ns)
        if may_wait and not decision.granted:
            return None
        if decision.granted:
            settled = self._settled(asked, prepared)
        else:
            error = throttled(decision)
            settled = Settled(error_answer(error, asked.question.request_id), error)
        success = settled.error is None
        limiter.answered(decision, success=success, endpoint=ENDPOINT)
        self._record(slot, asked, settled, tokens=int(decision.granted))
        return settled

    def refuse(self, slot: KeySlot, asked: Asked) -> Settled:
        """Tell somebody that the key is revoked."""
        error = KeyRevoked()
        settled = Settled(error_answer(error, asked.question.request_id), error)
        self._record(slot, asked, settled, tokens=0)
        return settled

    def _prepared(self, asked: Asked) -> Prepared | None:
        question = asked.question
        if question.fault is not None:
            return None
        prepared = self._answers.of(question.assets, is_batch=question.is_batch)
        # Not the question's time: its key may have been looked up since.
        prepared.bring_up_to_date(self._answers.moment(self._parts.clock.now_ns()))
        return prepared

    def _may_be_found(self, prepared: Prepared | None) -> bool:
        """Tell whether another source may have a price that memory has not."""
        if prepared is None or self._parts.sources is None:
            return False
        return prepared.has_gaps

    def _settled(
        self,
        asked: Asked,
        prepared: Prepared | None,
    ) -> Settled:
        question = asked.question
        error = question.fault if prepared is None else prepared.error
        if prepared is not None and error is None:
            duration = b'"duration_ms":%d}' % self._duration_ms(asked)
            body = prepared.body.replace(_NO_TIME, duration)
            answer = with_id(body, question.request_id)
            if len(answer) <= MOST_BYTES:
                return Settled(answer, None, prepared)
            error = TooManyAssets(most=MOST_ASSETS)
        error = error or BeastError()
        return Settled(error_answer(error, question.request_id), error)

    def _record(
        self,
        slot: KeySlot,
        asked: Asked,
        settled: Settled,
        *,
        tokens: int,
    ) -> None:
        key, question, served = slot.key, asked.question, settled.prepared
        names = [name for name in question.assets if is_asset_name(name)]
        record = UsageRecord(
            id=self._ids.next_id(asked.at_ns),
            at_ns=asked.at_ns,
            key_id=str(key.id),
            user_id=None if key.user_id is None else str(key.user_id),
            ip=asked.ip,
            query_type=MANY if question.is_batch else ONE,
            status=status_of_record(settled.error),
            error=None if settled.error is None else code_of(settled.error),
            asset=",".join(names) or None,
            price=served.price if served else None,
            source=served.source if served else None,
            cached=served.cached if served else None,
            cache_age_ms=served.age_ms if served else None,
            duration_ms=self._duration_ms(asked),
            token_count=tokens,
        )
        self._parts.usage.add(record)

    def _duration_ms(self, asked: Asked) -> int:
        return (self._parts.clock.monotonic_ns() - asked.started_ns) // NS_PER_MS
