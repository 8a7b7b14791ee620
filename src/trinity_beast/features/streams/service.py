"""Who may have a stream, and what a subscription costs.

A subscription is a request like any other: key, limits, one token, one of the month and
one usage record.  What the stream says afterwards costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

from trinity_beast.features.keys import KeyRevoked, KeySlot
from trinity_beast.features.limits import Decision, rate_limit_headers
from trinity_beast.features.prices import (
    Answer,
    LpoParts,
    PriceRequest,
    TooManyAssets,
    grace_header,
    is_asset_name,
    status_of_record,
    throttled,
)
from trinity_beast.features.streams.errors import StreamsEnding, TierNotAllowed
from trinity_beast.features.streams.hub import Client, StreamHub
from trinity_beast.features.streams.model import MOST_ASSETS, Framing, Point
from trinity_beast.features.usage import UsageIds, UsageRecord
from trinity_beast.kernel.errors import BeastError
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.toolkit.http.problems import code_of
from trinity_beast.toolkit.http.wires import Wire

TIERS = "stream_tiers"
CONNECTIONS = "stream_connections_per_key"


class Admission:
    """Tells which keys may have streams."""

    def __init__(self, parts: LpoParts) -> None:
        self._parts = parts

    def why_not(self, slot: KeySlot) -> BeastError | None:
        """Return why a key may not have streams now; None when it may."""
        if slot.revoked:
            return KeyRevoked(slot=slot)
        parts = self._parts
        terms = parts.keys.terms_of(slot, parts.clock.now_ns())
        if terms.tier not in parts.parameters.texts(TIERS):
            return TierNotAllowed()
        return None


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of a wish for a stream.

    Attributes:
        answer: Its first bytes, or why there is none; what the limits say of it.
        client: The stream, not yet open; None when there is none.
    """

    answer: Answer
    client: Client | None = None


class _Asked(NamedTuple):
    request: PriceRequest
    at_ns: int
    started_ns: int


class StreamService:
    """Opens streams."""

    def __init__(
        self,
        parts: LpoParts,
        hub: StreamHub,
        admission: Admission,
        ids: UsageIds,
    ) -> None:
        self._parts = parts
        self._hub = hub
        self._admission = admission
        self._ids = ids

    async def stream(
        self,
        request: PriceRequest,
        wire: Wire,
        point: Point | None,
    ) -> Opened:
        """Open a stream that says everything about the assets of one request.

        A key that is missing or unknown makes no usage record; every other request
        makes one.

        Args:
            request: Who asks, and for what.
            wire: Where it goes.
            point: Up to where the client has been told already.
        """
        asked = self._asked(request)
        slot = await self._slot_of(asked)
        if isinstance(slot, Opened):
            return slot
        clients: list[Client] = []

        def work() -> bytes:
            client = self._join(slot, wire, "events")
            clients.append(client)
            return self._hub.follow(client, request.assets, point)

        answer = await self._metered(slot, asked, work)
        return Opened(answer, clients[0] if clients else None)

    async def connect(self, request: PriceRequest, wire: Wire) -> Opened:
        """Open a stream that says nothing until something is subscribed.

        It costs nothing yet, and makes a usage record only when it is refused.
        """
        asked = self._asked(request)
        slot = await self._slot_of(asked)
        if isinstance(slot, Opened):
            return slot
        try:
            if request.fault is not None:
                raise request.fault
            client = self._join(slot, wire, "frames")
        except BeastError as error:
            self._record(slot, asked, error, tokens=0)
            return Opened(Answer(error=error, form=slot.key.response_format))
        return Opened(Answer(form=slot.key.response_format), client)

    async def subscribe(
        self,
        client: Client,
        request: PriceRequest,
        point: Point | None,
    ) -> Answer:
        """Let a connected client follow more assets; the body is what to tell it."""
        asked = self._asked(request)

        def work() -> bytes:
            if not client.is_open:
                raise StreamsEnding
            together = client.audience.assets | frozenset(request.assets)
            if len(together) > MOST_ASSETS:
                raise TooManyAssets(most=MOST_ASSETS)
            return self._hub.follow(client, request.assets, point)

        return await self._metered(client.key, asked, work)

    def _join(self, slot: KeySlot, wire: Wire, framing: Framing) -> Client:
        error = self._admission.why_not(slot)
        if error is not None:
            raise error
        most = self._parts.parameters.integer(CONNECTIONS)
        return self._hub.join(slot, wire, framing, most)

    async def _slot_of(self, asked: _Asked) -> KeySlot | Opened:
        request = asked.request
        try:
            return await self._parts.keys.slot(request.secret)
        except KeyRevoked as error:
            slot = cast("KeySlot", error.context["slot"])
            self._record(slot, asked, error, tokens=0)
            form = request.form or slot.key.response_format
            return Opened(Answer(error=error, form=form))
        except BeastError as error:
            return Opened(Answer(error=error))

    async def _metered(
        self,
        slot: KeySlot,
        asked: _Asked,
        work: Callable[[], bytes],
    ) -> Answer:
        """Do what a subscription asks for, if the limits let it.

        Nothing is awaited once they did, so it is settled and recorded.
        """
        parts, request = self._parts, asked.request
        terms = parts.keys.terms_of(slot, asked.at_ns)
        decision = await parts.limiter.admit(slot, terms, asked.at_ns)
        body, error = b"", _refusal(decision, request)
        if error is None:
            try:
                body = work()
            except BeastError as refused:
                error = refused
        success = error is None
        parts.limiter.answered(decision, success=success, endpoint=request.endpoint)
        self._record(slot, asked, error, tokens=int(decision.granted))
        form = request.form or slot.key.response_format
        headers = rate_limit_headers(decision) | grace_header(terms)
        return Answer(body, error, form, headers)

    def _record(
        self,
        slot: KeySlot,
        asked: _Asked,
        error: BeastError | None,
        *,
        tokens: int,
    ) -> None:
        key, request = slot.key, asked.request
        names = [asset for asset in request.assets if is_asset_name(asset)]
        elapsed_ns = self._parts.clock.monotonic_ns() - asked.started_ns
        record = UsageRecord(
            id=self._ids.next_id(asked.at_ns),
            at_ns=asked.at_ns,
            key_id=str(key.id),
            user_id=None if key.user_id is None else str(key.user_id),
            ip=request.ip,
            query_type=request.query_type,
            status=status_of_record(error),
            error=None if error is None else code_of(error),
            asset=",".join(names) or None,
            cached=True if error is None else None,
            duration_ms=elapsed_ns // NS_PER_MS,
            token_count=tokens,
        )
        self._parts.usage.add(record)

    def _asked(self, request: PriceRequest) -> _Asked:
        clock = self._parts.clock
        return _Asked(request, clock.now_ns(), clock.monotonic_ns())


def _refusal(decision: Decision, request: PriceRequest) -> BeastError | None:
    return request.fault if decision.granted else throttled(decision)
