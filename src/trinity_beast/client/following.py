"""Following prices: a stream that heals itself."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Sequence
from typing import Literal, Never, cast
from urllib.parse import urlencode

from trinity_beast.client.asking import failure_of
from trinity_beast.client.effects import (
    Lost,
    OpenEvents,
    OpenSocket,
    Outcome,
    Read,
    Reply,
    Request,
    StreamFlow,
    Wait,
)
from trinity_beast.client.errors import BY_CODE, AnswerUnreadable, BeastError
from trinity_beast.client.events import (
    EventReader,
    StreamEvent,
    event_in,
    prices_told,
)
from trinity_beast.client.options import Options, Surroundings
from trinity_beast.client.prices import PriceEvent
from trinity_beast.client.retrying import Patience

Way = Literal["sse", "websocket"]
"""How events come: as server-sent events, or over a WebSocket."""

_EVENT_STREAM = "text/event-stream"
_SWITCHING = 101


class Following:
    """Follows prices for as long as it is asked for more.

    A connection that breaks, ends or falls silent is opened again after a growing
    wait, from the last event on; what the server refuses for good is raised.

    Args:
        options: How often, and how long to wait.
        around: Time and chance.
    """

    def __init__(self, options: Options, around: Surroundings) -> None:
        self._options = options
        self._around = around

    def follow(self, assets: Sequence[str], way: Way) -> StreamFlow:
        """Yield the events of these assets, and between them what to do for more."""
        wire = _Socket(assets) if way == "websocket" else _EventStream(assets)
        patience = Patience(self._options.retry, self._around)
        while True:
            try:
                outcome = cast("Reply | Lost", (yield wire.opening()))
                if error := failure_of(outcome, self._around.unix_ms()):
                    raise error
                wire.check(cast("Reply", outcome))
                if not wire.was_open:
                    # Who has a stream wants it back; who has none hears why, soon.
                    patience = Patience(self._options.reconnect, self._around)
                    wire.was_open = True
                yield from self._read(wire, patience)
            except BeastError as error:
                wait_s = max(patience.wait_after(error), wire.retry_s)
                yield Wait(wait_s)

    def _read(
        self,
        wire: _Wire,
        patience: Patience,
    ) -> Generator[Read | PriceEvent, Outcome, Never]:
        """Yield events until the connection is lost.

        Raises:
            BeastError: How it was lost.
        """
        while True:
            outcome = cast("bytes | Lost", (yield Read()))
            if isinstance(outcome, Lost):
                patience.start_clock()
                raise _end_of(outcome, self._around.unix_ms())
            patience.renew()
            for event in wire.feed(outcome):
                yield from prices_told(event)
                wire.last_id = event.event_id or wire.last_id


class _EventStream:
    """The event stream of some assets: how it is opened, and how it is read."""

    def __init__(self, assets: Sequence[str]) -> None:
        self._path = f"/stream/prices?{urlencode({'assets': ','.join(assets)})}"
        self._reader = EventReader()
        self.last_id = ""
        self.retry_s = 0.0
        self.was_open = False

    def opening(self) -> OpenEvents:
        self._reader = EventReader()
        headers = {
            "Accept": _EVENT_STREAM,
            "Accept-Encoding": "identity",
            "Cache-Control": "no-store",
        }
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        return OpenEvents(Request(path=self._path, headers=headers))

    def check(self, reply: Reply) -> None:
        if not reply.headers.get("content-type", "").startswith(_EVENT_STREAM):
            raise AnswerUnreadable("What answered at this address is no event stream.")

    def feed(self, chunk: bytes) -> Iterable[StreamEvent]:
        yield from self._reader.feed(chunk)
        if self._reader.retry_s is not None:
            self.retry_s = self._reader.retry_s


class _Socket:
    """The WebSocket of some assets: how it is opened, and how it is read."""

    def __init__(self, assets: Sequence[str]) -> None:
        self._greeting: dict[str, object] = {"op": "subscribe", "assets": list(assets)}
        self.last_id = ""
        self.retry_s = 0.0
        self.was_open = False

    def opening(self) -> OpenSocket:
        if self.last_id:
            self._greeting["last_event_id"] = self.last_id
        return OpenSocket("/ws/prices", json.dumps(self._greeting))

    def check(self, reply: Reply) -> None:
        if reply.status != _SWITCHING:
            raise AnswerUnreadable("What answered at this address is no WebSocket.")

    def feed(self, message: bytes) -> Iterable[StreamEvent]:
        event = event_in(message)
        return () if event is None else (event,)


_Wire = _EventStream | _Socket


def _end_of(lost: Lost, unix_ms: int) -> BeastError:
    kind = BY_CODE.get(lost.close_reason)
    return kind(lost.reason) if kind else cast("BeastError", failure_of(lost, unix_ms))
