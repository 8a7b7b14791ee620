"""What streams say: event streams and WebSocket messages become price events.

Reading is liberal: fields, events and messages that this client does not know are
skipped, so that the server may grow.  Source: WHATWG HTML, server-sent events.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import NamedTuple, cast

from trinity_beast.client.answers import Digits, Fields, error_in, item_of, read_object
from trinity_beast.client.errors import AnswerUnreadable, BeastError
from trinity_beast.client.prices import EventKind, Failure, PriceEvent

LONGEST_EVENT = 1 << 20
"""Characters that an event may have; longer ones are no events of ours."""

_KINDS: dict[str, EventKind] = {
    "snapshot": "snapshot",
    "price": "price",
    "stale": "stale",
}
_MS_PER_S = 1000


class StreamEvent(NamedTuple):
    """One event as the wire has it.

    Attributes:
        name: What it is.
        data: Its JSON.
        event_id: Where to resume after it; None when none was given.
    """

    name: str
    data: str
    event_id: str | None


class EventReader:
    """Puts the events of an event stream together, whatever pieces it comes in.

    Attributes:
        retry_s: How long the server wants us to wait before a reconnect, if it said.
    """

    def __init__(self) -> None:
        self.retry_s: float | None = None
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._rest = ""
        self._after_return = False
        self._forget()

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Yield the events that end in this piece.

        Raises:
            AnswerUnreadable: An event has no end.
        """
        text = self._decode(chunk)
        if self._after_return and text:
            # A line feed right after a carriage return belongs to it.
            text = text.removeprefix("\n")
            self._after_return = False
        self._after_return = text.endswith("\r") or (self._after_return and not text)
        text = self._rest + text.replace("\r\n", "\n").replace("\r", "\n")
        *lines, self._rest = text.split("\n")
        for line in lines:
            if event := self._line(line):
                yield event
        if len(self._rest) + self._size > LONGEST_EVENT:
            raise AnswerUnreadable("The stream sent an event without an end.")

    def _line(self, line: str) -> StreamEvent | None:
        if not line:
            return self._end()
        name, _, value = line.partition(":")
        self._field(name, value.removeprefix(" "))
        return None

    def _field(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
            self._size += len(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._event_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_s = int(value[:9]) / _MS_PER_S

    def _end(self) -> StreamEvent | None:
        event = StreamEvent(self._name, "\n".join(self._data), self._event_id)
        # An id without data tells no event, but a place all the same.
        is_empty = not self._data and self._event_id is None
        self._forget()
        return None if is_empty else event

    def _forget(self) -> None:
        self._name = "message"
        self._data: list[str] = []
        self._size = 0
        self._event_id: str | None = None


def event_in(message: bytes) -> StreamEvent | None:
    """Return the event of a WebSocket message, or None when it is none.

    The name stands in ``event``, or in ``type`` or ``op``; the rest of the message, or
    its ``data``, is what an event stream has for data.
    """
    try:
        fields = read_object(message)
    except AnswerUnreadable:
        return None
    name = fields.get("event") or fields.get("type") or fields.get("op")
    event_id = fields.get("id")
    if name is None and "error" in fields:
        name = "error"
    return StreamEvent(
        str(name),
        message.decode("utf-8"),
        None if event_id is None else str(event_id),
    )


def prices_told(event: StreamEvent) -> Iterator[PriceEvent]:
    """Yield the price events that an event tells, mostly one; none if it is unknown.

    Only the last of several has the event's id: a stream that breaks between them is
    resumed from before the event.

    Raises:
        BeastError: The server tells why the stream ends.
    """
    fields = _fields_of(event)
    if event.name == "error":
        raise error_in(fields)
    kind = _KINDS.get(event.name)
    if kind is None:
        return
    items = fields.get("prices")
    several = cast("list[object]", items) if isinstance(items, list) else [fields]
    for number, item in enumerate(several, 1):
        event_id = event.event_id if number == len(several) else None
        if told := _price_event(kind, item, event_id):
            yield told


def _price_event(
    kind: EventKind,
    item: object,
    event_id: str | None,
) -> PriceEvent | None:
    fields = cast("Fields", item if isinstance(item, dict) else {})
    if not isinstance(fields.get("price"), Digits) and "error" not in fields:
        asset = str(fields.get("asset", ""))
        # Of a stale price the name alone says enough.
        told = PriceEvent(kind=kind, asset=asset, event_id=event_id)
        return told if asset else None
    read = item_of(fields)
    if isinstance(read, Failure):
        error: BeastError = read.error
        return PriceEvent(kind=kind, asset=read.asset, error=error, event_id=event_id)
    return PriceEvent(kind=kind, asset=read.asset, price=read, event_id=event_id)


def _fields_of(event: StreamEvent) -> Fields:
    try:
        fields = read_object(event.data)
    except AnswerUnreadable:
        return {}
    inner = fields.get("data")
    return cast("Fields", inner) if isinstance(inner, dict) else fields
