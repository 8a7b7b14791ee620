"""The UDP listener's work: datagrams in, answers out.

A datagram that was answered before is known by its exact bytes, without its request id:
what remains is the key's limits, a prepared answer and a usage record.  All others are
read, and their keys found; a key that only the database knows makes its datagram wait
aside, not the batch.

**No answer is larger than its request until the key is proven**: what strangers get is
an error that fits into their own datagram, a few times a second, or nothing.

Hot path: ``answers_to``, measured in bench/udp.py; budget 2 microseconds a datagram.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, cast

from trinity_beast.features.keys import KeyRevoked, KeySlot, KeyUnknown
from trinity_beast.features.limits import KeyLimits
from trinity_beast.features.prices.parts import LpoParts
from trinity_beast.features.prices.service import PriceService
from trinity_beast.features.prices.udp_budget import AddressBudget
from trinity_beast.features.prices.udp_late import LateAnswers
from trinity_beast.features.prices.udp_lookups import Found, KeyLookups, LookupBounds
from trinity_beast.features.prices.udp_memo import Known, Memo
from trinity_beast.features.prices.udp_prepared import PreparedAnswers
from trinity_beast.features.prices.udp_replay import ReplayWindow
from trinity_beast.features.prices.udp_settling import Asked, Settling
from trinity_beast.features.prices.udp_turn import Turn
from trinity_beast.features.prices.udp_wire import (
    MOST_BYTES,
    WINDOW_MS,
    Plain,
    Signed,
    error_answer,
    is_request_id,
    read_datagram,
    with_id,
)
from trinity_beast.features.usage import SUCCESS, UsageIds, UsageRecord
from trinity_beast.kernel.errors import BeastError, Conflict, Invalid, Unavailable
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.toolkit.udp import Batch, Sender, WayBack, address_text

ERRORS_PER_SECOND = 5
"""Errors that an address is told in a second before its key is proven."""

_MOST_IPS = 4_096


class NonceUsed(Conflict):
    """A signed datagram came twice."""

    template = "This datagram was answered before; sign a new one."


class ClockOff(Invalid):
    """A signed datagram is too old, or from the future."""

    template = "Sign with a clock that is right within 30 seconds."


class _Sent(NamedTuple):
    """One datagram on its long way.

    Attributes:
        datagram: Its bytes.
        sender: Who sent it.
        turn: When it was read.
        way_back: Makes a way to answer it later.
        is_late: Its batch is answered already, and its key has just been found.
    """

    datagram: bytes
    sender: Sender
    turn: Turn
    way_back: Callable[[], WayBack]
    is_late: bool = False


class _Place(NamedTuple):
    """Where a question is noted once it was answered; nowhere without a name."""

    memo: Memo
    name: bytes


class PriceDatagrams:
    """Answers datagrams that ask for prices.

    Args:
        parts: What the price service is made of.
        service: Answers what must wait; one of its own by default.
        lookups: How much looking up of keys may be going on.
        replay: Remembers which signed datagrams were answered.
    """

    def __init__(
        self,
        parts: LpoParts,
        *,
        service: PriceService | None = None,
        lookups: LookupBounds | None = None,
        replay: ReplayWindow | None = None,
    ) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._answers = PreparedAnswers(parts.board, parts.catalogue, parts.parameters)
        ids = UsageIds(parts.randomness)
        self._record = parts.usage.add
        self._settling = Settling(parts, self._answers, ids)
        self._late = LateAnswers(service or PriceService(parts), parts.clock)
        self._memo = Memo()
        self._signed_memo = Memo(most_bytes=8 << 20)
        self._lookups = KeyLookups(parts.clock, lookups)
        self._replay = ReplayWindow() if replay is None else replay
        self._errors = AddressBudget(ERRORS_PER_SECOND)
        self._ips: dict[Sender, str] = {}
        follow = self._answers.follow_parameters
        self._unfollow = parts.parameters.subscribe(follow)

    async def finish(self) -> None:
        """Answer what still waits for its key."""
        await self._lookups.finish()
        await self._late.finish()
        self._unfollow()

    def answers_to(self, batch: Batch) -> Sequence[bytes | None]:
        """Return the answer to each datagram; None is no answer, or a later one."""
        moment = self._answers.moment(self._clock.now_ns())
        turn = Turn(moment, self._clock.monotonic_ns(), self._parts.randomness)
        known_of, repeat = self._memo.get, self._repeat
        answers: list[bytes | None] = []
        for datagram, sender in zip(batch.datagrams, batch.senders, strict=True):
            known, request_id = known_of(datagram), b""
            if known is None:
                start, _, request_id = datagram.rpartition(b" ")
                known = known_of(start) if request_id else None
            answer = None
            if known is not None and (known.moment is moment or known.holds(moment)):
                answer = repeat(known, request_id, sender, turn)
            if answer is None:
                way_back = partial(batch.way_back, len(answers))
                answer = self._answer(_Sent(datagram, sender, turn, way_back))
            answers.append(answer)
        turn.tell()
        return answers

    def _repeat(
        self,
        known: Known,
        request_id: bytes,
        sender: Sender,
        turn: Turn,
    ) -> bytes | None:
        """Answer a question that is known, or leave all as it is and return None.

        What it leaves undone the limiter does, on the long way.
        """
        prepared, limits = known.prepared, known.limits
        answer = prepared.body
        if request_id:
            answer = with_id(answer, request_id)
            if len(answer) > MOST_BYTES or not is_request_id(request_id):
                return None
        now_ns, month, tokens = turn.now_ns, limits.month, limits.tokens
        if not month.reserve(now_ns):
            return None
        if tokens is not None and tokens.take(turn.steady_ns):
            month.settle(month.month, counted=False)
            return None
        month.settle(month.month, counted=True)
        self._record(
            UsageRecord(
                turn.grant(limits),
                now_ns,
                known.key_id,
                known.user_id,
                self._ips.get(sender) or self._ip(sender),
                known.query_type,
                SUCCESS,
                None,
                prepared.asset,
                prepared.price,
                prepared.source,
                prepared.cached,
                prepared.age_ms,
            ),
        )
        return answer

    def _answer(self, sent: _Sent) -> bytes | None:
        """Answer a datagram the long way."""
        try:
            read = read_datagram(sent.datagram)
            if isinstance(read, Signed):
                return self._signed(sent, read)
            return self._plain(sent, read)
        except BeastError as error:
            return self._to_stranger(sent, error_answer(error))

    def _plain(self, sent: _Sent, plain: Plain) -> bytes | None:
        slot = self._parts.keys.known(plain.secret)
        if slot is not None:
            return self._of_key(sent, plain, slot)
        self._lookups.wait(
            f"plain {plain.secret}",
            partial(self._find, plain.secret),
            partial(self._found, sent, plain, sent.way_back()),
            sent.sender,
        )
        return None

    def _signed(self, sent: _Sent, signed: Signed) -> bytes | None:
        if abs(sent.turn.now_ns // NS_PER_MS - signed.sent_ms) > WINDOW_MS:
            raise ClockOff
        slots = self._parts.keys.known_by_id(signed.key_id)
        if slots is not None:
            return self._checked(sent, signed, slots)
        self._lookups.wait(
            f"signed {signed.key_id}",
            partial(self._parts.keys.slots_by_id, signed.key_id),
            partial(self._found, sent, signed, sent.way_back()),
            sent.sender,
        )
        return None

    async def _find(self, secret: str) -> tuple[KeySlot, ...]:
        try:
            return (await self._parts.keys.slot(secret),)
        except KeyRevoked as error:
            return (cast("KeySlot", error.context["slot"]),)

    def _found(
        self,
        sent: _Sent,
        read: Plain | Signed,
        way_back: WayBack,
        found: Found,
    ) -> None:
        """Answer a datagram whose key was looked up."""
        sent = sent._replace(way_back=lambda: way_back, is_late=True)
        try:
            if isinstance(found, BeastError):
                answer = self._to_stranger(sent, error_answer(found))
            elif isinstance(read, Signed):
                answer = self._checked(sent, read, found)
            else:
                answer = self._of_key(sent, read, found[0])
        except BeastError as error:
            answer = self._to_stranger(sent, error_answer(error))
        if answer is not None:
            way_back(answer)

    def _checked(
        self,
        sent: _Sent,
        signed: Signed,
        slots: tuple[KeySlot, ...],
    ) -> bytes | None:
        """Answer a signed datagram once, if one of these keys signed it."""
        slot = next((it for it in slots if signed.is_signed_by(it.key_hash)), None)
        if slot is None:
            raise KeyUnknown
        claim = self._replay.claim(
            slot.key_hash,
            signed.nonce,
            signed.sent_ms,
            self._clock.now_ns() // NS_PER_MS,
        )
        if claim == "used":
            raise NonceUsed
        if claim == "full":
            raise Unavailable
        return self._of_key(sent, signed, slot)

    def _of_key(
        self,
        sent: _Sent,
        read: Plain | Signed,
        slot: KeySlot,
    ) -> bytes | None:
        """Answer a datagram whose key is proven."""
        if isinstance(read, Plain):
            place = _Place(self._memo, read.start)
        else:
            name = slot.key_hash.encode("ascii") + read.assets
            place = _Place(self._signed_memo, name)
            answer = None if sent.is_late else self._short(sent, name)
            if answer is not None:
                return answer
        # What went through before in this batch must be told before what comes now.
        sent.turn.tell()
        question, turn = read.question, sent.turn
        asked = Asked(question, self._ip(sent.sender), turn.now_ns, turn.steady_ns)
        if slot.revoked:
            refusal = error_answer(KeyRevoked(), question.request_id)
            if self._to_stranger(sent, refusal) is None:
                return None
            return self._settling.refuse(slot, asked).answer
        return self._settled(sent, asked, slot, place)

    def _short(self, sent: _Sent, name: bytes) -> bytes | None:
        """Answer a signed question that is known, or return None."""
        known = self._signed_memo.get(name)
        if known is None or not known.holds(sent.turn.moment):
            return None
        return self._repeat(known, b"", sent.sender, sent.turn)

    def _settled(
        self,
        sent: _Sent,
        asked: Asked,
        slot: KeySlot,
        place: _Place,
    ) -> bytes | None:
        may_wait = self._late.may_help(slot)
        settled = self._settling.settle(slot, asked, may_wait=may_wait)
        if settled is None:
            self._late.answer(slot, asked, sent.way_back())
            return None
        limits, prepared = slot.state, settled.prepared
        if prepared is not None and place.name and isinstance(limits, KeyLimits):
            place.memo.note(place.name, Known(slot, limits, prepared, sent.turn.moment))
        return settled.answer

    def _to_stranger(self, sent: _Sent, answer: bytes) -> bytes | None:
        """Return an answer to somebody who has proven nothing, if there may be one."""
        if len(answer) > len(sent.datagram):
            return None
        now_ns = self._clock.monotonic_ns()
        return answer if self._errors.take(sent.sender, now_ns) else None

    def _ip(self, sender: Sender) -> str:
        known = self._ips.get(sender)
        if known is None:
            if len(self._ips) >= _MOST_IPS:
                self._ips.clear()
            known = self._ips[sender] = address_text(sender)
        return known
