"""The one way of a keyed request, whatever it came in by.

Key, limits, price, answer, and one usage record; nothing is awaited once the key is
known, so a request that was admitted is always settled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import msgspec
import structlog

from trinity_beast.features.keys import KeyRevoked, KeySlot, Terms
from trinity_beast.features.limits import Decision, rate_limit_headers
from trinity_beast.features.prices.account import account_body
from trinity_beast.features.prices.errors import (
    PriceUnavailable,
    QuotaExceeded,
    RateLimited,
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
from trinity_beast.features.prices.parts import LpoParts
from trinity_beast.features.prices.status import freshness_of
from trinity_beast.features.usage import (
    ERROR,
    RATE_LIMITED,
    SUCCESS,
    UsageIds,
    UsageRecord,
)
from trinity_beast.kernel.errors import BeastError, Throttled
from trinity_beast.kernel.time import NS_PER_MS, rfc3339_ms
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
        return self._answer_for(slot, request, moment)

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
        decision = self._check(slot, self._parts.clock.now_ns())
        decision = self._settled(decision, success=False)
        if decision.code == "quota_exceeded":
            decision = msgspec.structs.replace(decision, code=None)
        outcome = self._outcome(
            request,
            decision,
            lambda: _Outcome(fields=self._account_fields(slot, decision)),
        )
        return self._told(slot, request, decision, outcome)

    def _answer_for(
        self,
        slot: KeySlot,
        request: PriceRequest,
        moment: _Moment,
    ) -> Answer:
        decision = self._check(slot, moment.at_ns)
        outcome = self._outcome(
            request,
            decision,
            lambda: self._priced(request, moment),
        )
        decision = self._settled(decision, success=outcome.error is None)
        self._record(slot, request, moment, outcome)
        return self._told(slot, request, decision, outcome)

    def _outcome(
        self,
        request: PriceRequest,
        decision: Decision,
        work: Callable[[], _Outcome],
    ) -> _Outcome:
        """Do the work of a request that may be done; its failure is its outcome."""
        if decision.code is not None:
            return _Outcome(error=_throttled(decision), tokens=0)
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

    def _account_fields(self, slot: KeySlot, decision: Decision) -> bytes:
        body = account_body(slot.key, decision, self._parts.parameters)
        return msgspec.json.encode(body)[1:-1]

    def _check(self, slot: KeySlot, now_ns: int) -> Decision:
        terms = self._parts.keys.terms_of(slot, now_ns)
        return self._parts.limiter.check(slot, terms, now_ns)

    def _settled(self, decision: Decision, *, success: bool) -> Decision:
        """Give the reserved place in the month back, unless it was answered."""
        self._parts.limiter.answered(decision, success=success)
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
        headers = rate_limit_headers(decision) | _grace_header(decision.terms)
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
            status=_status_of(outcome.error),
            error=None if outcome.error is None else code_of(outcome.error),
            asset=",".join(names) or None,
            price=single.quote.price if single else None,
            source=single.quote.source if single else None,
            cached=True if served else None,
            cache_age_ms=single.age_ns // NS_PER_MS if single else None,
            duration_ms=self._duration_ms(moment),
            token_count=outcome.tokens,
        )
        self._parts.usage.add(record)

    def _moment(self) -> _Moment:
        clock = self._parts.clock
        return _Moment(clock.now_ns(), clock.monotonic_ns())

    def _duration_ms(self, moment: _Moment) -> int:
        return (self._parts.clock.monotonic_ns() - moment.started_ns) // NS_PER_MS


def _throttled(decision: Decision) -> BeastError:
    if decision.code == "quota_exceeded":
        limit = decision.terms.month_limit
        return QuotaExceeded(retry_after_ms=decision.retry_after_ms, limit=limit)
    return RateLimited(retry_after_ms=decision.retry_after_ms)


def _status_of(error: BeastError | None) -> str:
    if error is None:
        return SUCCESS
    return RATE_LIMITED if isinstance(error, Throttled) else ERROR


def _grace_header(terms: Terms) -> dict[str, str]:
    if terms.grace_until_ns is None:
        return {}
    return {"X-Grace-Until": rfc3339_ms(terms.grace_until_ns)}


def _revoked(request: PriceRequest, error: KeyRevoked) -> Answer:
    form = request.form or _slot_in(error).key.response_format
    return Answer(error=error, form=form)


def _slot_in(error: KeyRevoked) -> KeySlot:
    return cast("KeySlot", error.context["slot"])
