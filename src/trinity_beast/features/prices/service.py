"""The one way of a keyed request, whatever it came in by.

Key, limits, price, answer, and one usage record.  Once the key is known, nothing is
awaited but the search for prices that memory cannot serve; a request that was admitted
is settled and recorded even when it is given up meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, cast

import msgspec
import structlog

from trinity_beast.features.keys import KeyRevoked, KeySlot
from trinity_beast.features.limits import Decision, rate_limit_headers
from trinity_beast.features.prices.account import (
    DECISIONS_PATH,
    account_body,
    decisions_body,
)
from trinity_beast.features.prices.errors import (
    Abandoned,
    PriceUnavailable,
    UnknownAsset,
)
from trinity_beast.features.prices.model import (
    Form,
    Freshness,
    Item,
    Price,
    PriceRequest,
    Refusal,
    age_of,
    batch_fields,
    is_asset_name,
    price_fields,
)
from trinity_beast.features.prices.outcomes import (
    grace_header,
    status_of_record,
    throttled,
)
from trinity_beast.features.prices.parts import LpoParts
from trinity_beast.features.prices.search import Search
from trinity_beast.features.prices.status import freshness_of
from trinity_beast.features.usage import (
    UsageIds,
    UsageRecord,
)
from trinity_beast.kernel.errors import BeastError
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.toolkit.http.envelope import Envelope
from trinity_beast.toolkit.http.problems import code_of

_log = structlog.get_logger("prices")
_OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request; the listener puts it on its wire.

    Attributes:
        body: The answer; empty when there is an error.
        error: Why there is none.
        form: Format that the error is to be told in; None when the key is not known.
        headers: What an HTTP answer says of limits and grace.
    """

    body: bytes = b""
    error: BeastError | None = None
    form: Form | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


class _Moment(NamedTuple):
    at_ns: int
    started_ns: int


class _Outcome(NamedTuple):
    items: Sequence[Item] = ()
    fields: bytes = b""
    error: BeastError | None = None
    tokens: int = 1


class PriceService:
    """Answers keyed requests."""

    def __init__(self, parts: LpoParts) -> None:
        self._parts = parts
        self._envelope = Envelope("LPO", parts.identity.region, parts.identity.node)
        self._ids = UsageIds(parts.randomness)
        self._search = Search(parts.sources, parts.board)

    async def answer(self, request: PriceRequest) -> Answer:
        """Return the answer to a request for prices; whatever is wrong is inside of it.

        A key that is missing or unknown makes no usage record; every other request
        makes one.
        """
        moment = self._moment()
        try:
            slot = await self._parts.keys.slot(request.secret)
        except KeyRevoked as error:
            outcome = _Outcome(error=error, tokens=0)
            self._record(_slot_in(error), request, moment, outcome)
            return _revoked(request, error)
        except BeastError as error:
            return Answer(error=error)
        return await self._answer_for(slot, request, moment)

    async def answer_for(self, slot: KeySlot, request: PriceRequest) -> Answer:
        """Return the answer to a request whose key was proven in another way.

        Args:
            slot: Of the key, which is not revoked.
            request: Its ``secret`` is not looked at.
        """
        return await self._answer_for(slot, request, self._moment())

    async def account(self, request: PriceRequest) -> Answer:
        """Return what the key's holder may know of it.

        It takes a token like any request, but nothing of the month, and it answers
        when the month is used up too: that is when it is asked most.
        """
        try:
            slot = await self._parts.keys.slot(request.secret)
        except KeyRevoked as error:
            return _revoked(request, error)
        except BeastError as error:
            return Answer(error=error)
        decision = await self._admit(slot, self._parts.clock.now_ns())
        if decision.code == "quota_exceeded":
            # Nothing was reserved of the month, so nothing is to be settled there.
            decision = msgspec.structs.replace(decision, code=None, retry_after_ms=0)
            self._parts.limiter.note(decision, request.endpoint)
        else:
            decision = self._settled(decision, request, success=False)
        outcome = self._outcome(
            request,
            decision,
            lambda: _Outcome(fields=self._account_fields(slot, request, decision)),
        )
        return self._told(slot, request, decision, outcome)

    async def _answer_for(
        self,
        slot: KeySlot,
        request: PriceRequest,
        moment: _Moment,
    ) -> Answer:
        decision = await self._admit(slot, moment.at_ns)
        outcome = self._outcome(
            request,
            decision,
            lambda: self._priced(request, moment),
        )
        gaps = _gaps_in(outcome)
        if self._search.can_help(gaps):
            try:
                outcome = await self._searched(gaps, request, moment)
            except asyncio.CancelledError:
                given_up = _Outcome(error=Abandoned())
                self._finish(slot, request, moment, decision=decision, outcome=given_up)
                raise
        return self._finish(slot, request, moment, decision=decision, outcome=outcome)

    def _finish(
        self,
        slot: KeySlot,
        request: PriceRequest,
        moment: _Moment,
        *,
        decision: Decision,
        outcome: _Outcome,
    ) -> Answer:
        """Settle the month and record the request, once for each decision."""
        decision = self._settled(decision, request, success=outcome.error is None)
        self._record(slot, request, moment, outcome)
        return self._told(slot, request, decision, outcome)

    async def _searched(
        self,
        gaps: Sequence[Item],
        request: PriceRequest,
        moment: _Moment,
    ) -> _Outcome:
        duration_ms = partial(self._duration_ms, moment)
        items = await self._search.filled(gaps, request, duration_ms)
        if request.is_batch:
            return _Outcome(items, batch_fields(items))
        [item] = items
        if isinstance(item, Refusal):
            return _Outcome(error=item.error)
        return _Outcome(items, price_fields(item))

    def _outcome(
        self,
        request: PriceRequest,
        decision: Decision,
        work: Callable[[], _Outcome],
    ) -> _Outcome:
        """Do the work of a request that may be done; its failure is its outcome."""
        if decision.code is not None:
            return _Outcome(error=throttled(decision), tokens=0)
        if request.fault is not None:
            return _Outcome(error=request.fault)
        try:
            return work()
        except BeastError as error:
            return _Outcome(error=error)
        except Exception:  # noqa: BLE001 - the month must be settled and a record made
            _log.exception("request failed", request_id=request.request_id)
            return _Outcome(error=BeastError())

    def _priced(self, request: PriceRequest, moment: _Moment) -> _Outcome:
        freshness = freshness_of(self._parts.parameters)
        if request.is_batch:
            items = [
                self._item(asset, request, moment, freshness)
                for asset in request.assets
            ]
            return _Outcome(items, batch_fields(items))
        price = self._price(request.assets[0], request, moment, freshness)
        return _Outcome((price,), price_fields(price))

    def _item(
        self,
        asset: str,
        request: PriceRequest,
        moment: _Moment,
        freshness: Freshness,
    ) -> Item:
        try:
            return self._price(asset, request, moment, freshness)
        except BeastError as error:
            return Refusal(asset, error)

    def _price(
        self,
        asset: str,
        request: PriceRequest,
        moment: _Moment,
        freshness: Freshness,
    ) -> Price:
        parts = self._parts
        if parts.catalogue.snapshot.exchange_of(asset) is None:
            raise UnknownAsset(asset=asset)
        quote = parts.board.quote(asset)
        if quote is None:
            raise PriceUnavailable(asset=asset)
        # Not the request's time: its key may have been looked up since.
        now_ns = parts.clock.now_ns()
        heard_at_ns = parts.board.heard_at_ns(quote.source)
        freshness.check(quote, heard_at_ns, now_ns, request.max_age_ms)
        return Price(quote, age_of(quote, now_ns), self._duration_ms(moment))

    def _account_fields(
        self,
        slot: KeySlot,
        request: PriceRequest,
        decision: Decision,
    ) -> bytes:
        if request.endpoint == DECISIONS_PATH:
            body = decisions_body(decision.history)
        else:
            body = account_body(slot.key, decision, self._parts.parameters)
        return msgspec.json.encode(body)[1:-1]

    async def _admit(self, slot: KeySlot, now_ns: int) -> Decision:
        terms = self._parts.keys.terms_of(slot, now_ns)
        return await self._parts.limiter.admit(slot, terms, now_ns)

    def _settled(
        self,
        decision: Decision,
        request: PriceRequest,
        *,
        success: bool,
    ) -> Decision:
        """Give the reserved place in the month back, unless it was answered."""
        limiter = self._parts.limiter
        limiter.answered(decision, success=success, endpoint=request.endpoint)
        remaining = decision.month.remaining
        return msgspec.structs.replace(decision, month_remaining=remaining)

    def _told(
        self,
        slot: KeySlot,
        request: PriceRequest,
        decision: Decision,
        outcome: _Outcome,
    ) -> Answer:
        form = request.form or slot.key.response_format
        headers = rate_limit_headers(decision) | grace_header(decision.terms)
        if outcome.error is not None:
            return Answer(error=outcome.error, form=form, headers=headers)
        if form == "plain":
            return Answer(b"{" + outcome.fields + b"}", form=form, headers=headers)
        opening = self._envelope.opening(request.endpoint, _OK)
        body = opening + b"," + outcome.fields + b"}"
        return Answer(body, form=form, headers=headers)

    def _record(
        self,
        slot: KeySlot,
        request: PriceRequest,
        moment: _Moment,
        outcome: _Outcome,
    ) -> None:
        key = slot.key
        served = [item for item in outcome.items if isinstance(item, Price)]
        single = served[0] if served and not request.is_batch else None
        names = [asset for asset in request.assets if is_asset_name(asset)]
        record = UsageRecord(
            id=self._ids.next_id(moment.at_ns),
            at_ns=moment.at_ns,
            key_id=str(key.id),
            user_id=None if key.user_id is None else str(key.user_id),
            ip=request.ip,
            query_type=request.query_type,
            status=status_of_record(outcome.error),
            error=None if outcome.error is None else code_of(outcome.error),
            asset=",".join(names) or None,
            price=single.quote.price if single else None,
            source=single.quote.source if single else None,
            cached=all(price.cached for price in served) if served else None,
            cache_age_ms=single.age_ns // NS_PER_MS if single else None,
            latency_ms=max((price.latency_ms for price in served), default=0),
            duration_ms=self._duration_ms(moment),
            token_count=outcome.tokens,
        )
        self._parts.usage.add(record)

    def _moment(self) -> _Moment:
        clock = self._parts.clock
        return _Moment(clock.now_ns(), clock.monotonic_ns())

    def _duration_ms(self, moment: _Moment) -> int:
        return (self._parts.clock.monotonic_ns() - moment.started_ns) // NS_PER_MS


def _gaps_in(outcome: _Outcome) -> Sequence[Item]:
    """Return the items of an outcome, the refusal of a single price included."""
    error = outcome.error
    if isinstance(error, PriceUnavailable):
        return (Refusal(str(error.context["asset"]), error),)
    return outcome.items


def _revoked(request: PriceRequest, error: KeyRevoked) -> Answer:
    form = request.form or _slot_in(error).key.response_format
    return Answer(error=error, form=form)


def _slot_in(error: KeyRevoked) -> KeySlot:
    return cast("KeySlot", error.context["slot"])
