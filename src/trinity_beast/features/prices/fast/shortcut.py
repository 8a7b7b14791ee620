"""The short way itself.

Hot path: `PriceShortcut.try_answer`; see the package for bench and budget.
"""

from __future__ import annotations

from email.utils import formatdate

from starlette.types import Scope

from trinity_beast.features.keys import KeySlot
from trinity_beast.features.prices.fast.ids import Ids
from trinity_beast.features.prices.fast.memory import Known, Memory
from trinity_beast.features.prices.fast.pages import OnePrice, Page, SomePrices
from trinity_beast.features.prices.fast.texts import PriceTexts
from trinity_beast.features.prices.model import Form, PriceRequest
from trinity_beast.features.prices.parts import LpoParts
from trinity_beast.features.usage import SUCCESS, UsageRecord
from trinity_beast.kernel.errors import BeastError
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S
from trinity_beast.toolkit.http.addresses import ClientAddresses
from trinity_beast.toolkit.http.envelope import Envelope
from trinity_beast.toolkit.http.protocol import WHOLE_REQUEST
from trinity_beast.toolkit.tolerating import tolerating

MOST_REQUESTS = 4_096
"""Requests that are surely remembered; of 2 KB each at the most, mostly of 0.3 KB."""

_PageName = tuple[Form, str, tuple[str, ...]]
_METHODS = frozenset({"GET", "POST"})
_OK = 200


class PriceShortcut:
    """Answers requests for prices that were answered before.

    Args:
        parts: The same that the application is built from.
        most: Requests that are surely remembered.
    """

    def __init__(self, parts: LpoParts, most: int = MOST_REQUESTS) -> None:
        self._memory: Memory[bytes, Known] = Memory(most)
        self._pages: Memory[_PageName, Page] = Memory(most)
        self._parts = parts
        self._texts = PriceTexts(parts)
        self._peers = ClientAddresses()
        self._envelope = Envelope("LPO", parts.identity.region, parts.identity.node)
        self._terms_of = parts.keys.terms_of
        self._check = parts.limiter.check
        self._answered = parts.limiter.answered
        self._now_ns = parts.clock.now_ns
        self._next_id = Ids(parts.randomness).next
        self._add_record = parts.usage.add
        self._second = -1
        self._start = b""

    def try_answer(self, data: bytes, peer: str) -> bytes | None:
        """Return the whole answer to a request that is known by its bytes.

        None, before anything was taken or recorded, when the request is not known, its
        key is refused, an asset has no live price or the limits do not let it through.

        Args:
            data: All that came in.
            peer: Address of the connection's other end.
        """
        known = self._memory.get(data) or self._memory.recall(data)
        if known is None:
            return None
        slot = known.slot
        ip = peer if known.ips is None else known.ips.get(peer)
        if slot.revoked or ip is None:
            return None
        if slot.key is not known.key:
            self._renew(known)
        now_ns = self._now_ns()
        page = known.page
        if not page.bring_up(now_ns):
            return None
        terms = slot.terms
        if terms is None or not terms.from_ns <= now_ns < terms.until_ns:
            terms = self._terms_of(slot, now_ns)
        decision = self._check(slot, terms, now_ns)
        if decision.code is not None:
            return None
        self._answered(decision, success=True, endpoint=known.endpoint)
        request_id = self._record(known, ip, now_ns)
        if now_ns // NS_PER_S != self._second:
            self._begin_second(now_ns)
        return b"".join(
            (
                self._start,
                known.lines.of(decision),
                page.before,
                request_id,
                page.after,
            ),
        )

    def _record(self, known: Known, ip: str, now_ns: int) -> bytes:
        """Record an answer; return the id that the client can quote, the row's own."""
        page = known.page
        record_id, request_id = self._next_id(now_ns)
        as_of_ns = page.as_of_ns
        self._add_record(
            UsageRecord(
                record_id,
                now_ns,
                known.key_id,
                known.user_id,
                ip,
                known.query_type,
                SUCCESS,
                None,
                known.names,
                page.price,
                page.source,
                True,  # noqa: FBT003 - the struct is filled by position, for speed
                None if as_of_ns is None else max(0, now_ns - as_of_ns) // NS_PER_MS,
            ),
        )
        return request_id

    async def learn(self, scope: Scope, request: PriceRequest) -> None:
        """Remember a request that the ordinary way has just answered with 200.

        Args:
            scope: The request as it came in.
            request: The same as it was understood.
        """
        data: bytes | None = scope.get(WHOLE_REQUEST)
        if data is None or not request.assets or request.max_age_ms is not None:
            return
        if scope["method"] not in _METHODS:
            return
        with tolerating(BeastError, because="its key was good for that answer only"):
            slot = await self._parts.keys.slot(request.secret)
            known = self._known(data, slot, request)
            if self._parts.trusted_hops:
                known.add_ip(self._peers.of(scope), request.ip)

    def _known(self, data: bytes, slot: KeySlot, request: PriceRequest) -> Known:
        known = self._memory.recall(data)
        if known is None or known.slot is not slot:
            form = request.form or slot.key.response_format
            known = Known(request, slot, self._page_of(request, form))
            self._memory.remember(data, known)
        return known

    def _renew(self, known: Known) -> None:
        known.take_key(known.slot.key)
        known.page = self._page_of(known.request, known.form)

    def _page_of(self, request: PriceRequest, form: Form) -> Page:
        name = form, request.endpoint, request.assets
        page = self._pages.recall(name)
        if page is None:
            page = self._new_page(request, form)
            self._pages.remember(name, page)
        return page

    def _new_page(self, request: PriceRequest, form: Form) -> Page:
        opening = b"{"
        if form == "tbc":
            opening = self._envelope.opening(request.endpoint, _OK) + b","
        if request.is_batch:
            return SomePrices(opening, self._texts, request.assets)
        return OnePrice(opening, self._texts, request.assets[0])

    def _begin_second(self, now_ns: int) -> None:
        self._second = now_ns // NS_PER_S
        date = formatdate(self._second, usegmt=True).encode("ascii")
        self._start = b"HTTP/1.1 200 OK\r\ndate: " + date + b"\r\n"
