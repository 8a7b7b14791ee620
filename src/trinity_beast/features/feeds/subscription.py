"""Gets a venue to send our symbols, and finds out which of them it will not send.

Requests go out in chunks, with a pause between them.  A symbol is *acked* when a frame
without an error names it, when a nameless answer echoes the oldest open request, or
when it trades.  What is neither acked nor refused in 15 s is asked for once more, and
then reported as unacked.

An error that names symbols refuses these; the others of its request are asked for again
unless they are acked within a second (some venues drop the whole request, some only the
symbol).  An error that names none, or all, is answered by asking for each half alone,
until one symbol stands alone and is refused with the venue's words.  From then on only
one request is open at a time, so that blame falls on the right one.  Errors that blame
the moment ("rate limit") refuse nobody.

No sockets, no clock: the owner passes the time and sends what `due` returns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from trinity_beast.features.feeds import control
from trinity_beast.features.feeds.templates import SubscribeTemplate
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

BETWEEN_NS: Final = 50 * NS_PER_MS
BEFORE_HALVES_NS: Final = 250 * NS_PER_MS
BEFORE_RETRY_NS: Final = 5 * NS_PER_S
GRACE_NS: Final = NS_PER_S
ANSWER_NS: Final = 15 * NS_PER_S
TURN_NS: Final = 5 * NS_PER_S
"""How long one request may keep the next waiting, once they go one by one."""
MOST_ATTEMPTS: Final = 2
MOST_PASSING: Final = 5
MOST_PER_HOUR: Final = 400
"""Below OKX's limit of 480 requests an hour on one connection."""
_HOUR_NS: Final = 3_600 * NS_PER_S


@dataclass(slots=True)
class _Request:
    symbols: tuple[str, ...]
    attempt: int = 1
    passing: int = 0
    not_before_ns: int = 0
    expires_ns: int = 0
    pending: set[str] = field(default_factory=set[str])

    def again(self, not_before_ns: int, *, counted: bool) -> _Request:
        """Return a request for what is still pending, in the order asked."""
        rest = tuple(symbol for symbol in self.symbols if symbol in self.pending)
        attempt = self.attempt + counted
        return _Request(rest, attempt, self.passing, not_before_ns)


class SubscriptionState:
    """What was asked, acked, refused and seen on one connection.

    Attributes:
        refused: The venue's words for each symbol that it will not send.
        unacked: Symbols that were asked for twice and never answered.
        acked: Symbols that the venue took.
        seen: Symbols that traded.
    """

    def __init__(
        self,
        template: SubscribeTemplate,
        ping: str | None = None,
        doubtful: Collection[str] = (),
    ) -> None:
        """Begin with nothing asked.

        Args:
            template: How to ask.
            ping: The row's ping message; its answer is no answer to a request.
            doubtful: Symbols that were refused on an earlier connection: each is
                asked for alone, after the others.
        """
        self.refused: dict[str, str] = {}
        self.unacked: set[str] = set()
        self.acked: set[str] = set()
        self.seen: set[str] = set()
        self._template = template
        self._doubtful = frozenset(doubtful)
        self._asked: set[str] = set()
        self._symbols: list[str] = []
        self._queue: deque[_Request] = deque()
        self._open: list[_Request] = []
        self._sent_ns: deque[int] = deque(maxlen=MOST_PER_HOUR)
        self._one_by_one = bool(doubtful)
        self._finder = control.SymbolFinder({})
        asked = _pairs(template.render(["?"], None) or "null")
        pinged = _pairs(ping or "null")
        self._echo = asked - pinged
        self._pong = pinged - asked

    @property
    def asked(self) -> int:
        """Return how many symbols have been asked for."""
        return len(self._asked)

    @property
    def settled(self) -> bool:
        """Say whether nothing is left to ask and no answer is awaited."""
        return not self._queue and not self._open

    def add(self, symbols: Iterable[str]) -> None:
        """Queue symbols that are to be asked for; known ones are left alone."""
        known = set(self._symbols)
        fresh = [symbol for symbol in symbols if symbol not in known]
        self._symbols += fresh
        self._finder = control.SymbolFinder(
            {symbol: self._template.forms_of(symbol) for symbol in self._symbols},
        )
        sure = [symbol for symbol in fresh if symbol not in self._doubtful]
        chunks = self._template.requests(sure)
        for symbol in fresh:
            if symbol in self._doubtful:
                chunks += self._template.requests([symbol])
        self._queue.extend(_Request(chunk) for chunk in chunks)

    def due(self, now_ns: int, unix_s: int) -> str | None:
        """Return the one request that is to be sent now, or None.

        Args:
            now_ns: Monotonic time.
            unix_s: What ``{TIME}`` becomes.
        """
        self._expire(now_ns)
        if not self._queue or self._free_at_ns(now_ns) > now_ns:
            return None
        request = self._queue.popleft()
        request.pending = set(request.symbols) - self.acked - self.refused.keys()
        request.expires_ns = now_ns + ANSWER_NS
        if request.pending:
            self._open.append(request)
        self._sent_ns.append(now_ns)
        self._asked.update(request.symbols)
        return self._template.render(request.symbols, unix_s)

    def next_due_ns(self, now_ns: int) -> int | None:
        """Return when `due` is to be called again, monotonic; None: not needed."""
        times = [request.expires_ns for request in self._open]
        if self._queue:
            times.append(self._free_at_ns(now_ns))
        return min(times, default=None)

    def on_trade(self, symbol: str) -> None:
        """Note that a symbol traded: whatever was said of it, it works."""
        self.seen.add(symbol)
        self._confirm({symbol})

    def on_control(self, document: object, now_ns: int) -> str | None:
        """Read an answer; return the venue's words if it is an error.

        The words are fit to be stored and shown.
        """
        words = control.error_words(document)
        if words is None:
            if self._open:
                self._on_answer(document)
            return None
        shown = control.describe(document, words)
        if self._open and self._pong.isdisjoint(control.scalars(document).items()):
            self._on_error(document, words, (shown, now_ns))
        return shown

    def _on_answer(self, document: object) -> None:
        named = self._finder.in_document(document)
        if named:
            self._confirm(named)
        elif self._answers(document):
            self._confirm(set(self._open[0].pending))

    def _answers(self, document: object) -> bool:
        pairs = control.scalars(document).items()
        if not self._echo.isdisjoint(pairs):
            return True
        return any(str(value).startswith("subscri") for _, value in pairs)

    def _on_error(
        self,
        document: object,
        words: str,
        answer: tuple[str, int],
    ) -> None:
        shown, now_ns = answer
        request, blamed = self._accused(document, words)
        if control.is_already(words):
            self._confirm(blamed or set(request.pending))
        elif control.is_passing(words):
            self._retry_later(request, now_ns)
        elif blamed:
            self._refuse(blamed, shown)
            request.expires_ns = min(request.expires_ns, now_ns + GRACE_NS)
            self._forget_answered()
        elif len(request.symbols) == 1:
            self._refuse(set(request.symbols), shown)
            self._forget_answered()
        else:
            self._halve(request, now_ns)

    def _accused(self, document: object, words: str) -> tuple[_Request, set[str]]:
        """Return the request that failed and the symbols at fault, if they are named.

        The words come first: the rest of an error often repeats the whole request.
        """
        told = self._finder.in_text(words)
        named = told or self._finder.in_document(document)
        for request in self._open:
            blamed = named & request.pending
            if blamed:
                certain = told or len(blamed) == 1
                whole = len(request.symbols) > 1 and blamed >= set(request.symbols)
                return request, blamed if certain and not whole else set()
        return self._open[0], set()

    def _confirm(self, symbols: set[str]) -> None:
        self.acked |= symbols & self._asked
        self.unacked -= symbols
        for symbol in symbols & self.refused.keys():
            del self.refused[symbol]
        for request in self._open:
            request.pending -= symbols
        self._forget_answered()

    def _refuse(self, symbols: set[str], shown: str) -> None:
        for symbol in symbols:
            self.refused[symbol] = shown
        for request in self._open:
            request.pending -= symbols

    def _halve(self, request: _Request, now_ns: int) -> None:
        self._one_by_one = True
        self._open.remove(request)
        not_before_ns = now_ns + BEFORE_HALVES_NS
        # Symbols that were acked meanwhile need no second asking.
        rest = request.again(not_before_ns, counted=False).symbols
        middle = (len(rest) + 1) // 2
        for half in (rest[middle:], rest[:middle]):
            if half:
                self._queue.appendleft(_Request(half, not_before_ns=not_before_ns))

    def _retry_later(self, request: _Request, now_ns: int) -> None:
        self._open.remove(request)
        again = request.again(now_ns + BEFORE_RETRY_NS, counted=False)
        again.passing += 1
        if again.passing > MOST_PASSING:
            self.unacked |= request.pending
        else:
            self._queue.appendleft(again)

    def _expire(self, now_ns: int) -> None:
        late = [request for request in self._open if request.expires_ns <= now_ns]
        for request in late:
            self._open.remove(request)
            cut_short = not self.refused.keys().isdisjoint(request.symbols)
            if request.attempt < MOST_ATTEMPTS or cut_short:
                self._queue.append(request.again(now_ns, counted=not cut_short))
            else:
                self.unacked |= request.pending

    def _forget_answered(self) -> None:
        if self._open:
            self._open = [request for request in self._open if request.pending]

    def _free_at_ns(self, now_ns: int) -> int:
        """Return when the first queued request may go."""
        free_at_ns = self._queue[0].not_before_ns
        if self._sent_ns:
            free_at_ns = max(free_at_ns, self._sent_ns[-1] + BETWEEN_NS)
        if len(self._sent_ns) == MOST_PER_HOUR:
            free_at_ns = max(free_at_ns, self._sent_ns[0] + _HOUR_NS)
        if self._one_by_one and self._open:
            turn_ends_ns = self._sent_ns[-1] + TURN_NS
            free_at_ns = max(free_at_ns, turn_ends_ns)
        return max(free_at_ns, now_ns)


def _pairs(text: str) -> frozenset[object]:
    """Return the plain fields of a message: what an answer to it may repeat."""
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return frozenset()
    return frozenset(control.scalars(document).items())
