"""What streams say, and from where they go on; pure.

The tape holds one slot for each asset: its newest event, rendered once for everybody.
Slots are numbered by their last change, so a client needs no queue, only the number up
to which it has been told: whatever it missed, there is one event an asset for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

MOST_ASSETS = 150
"""Different assets that a stream may follow."""

HEARTBEAT = b": heartbeat\n\n"
FAREWELL = b": this listener is about to stop\n\n"

RETRY_MS = 2_000
"""How long the client of an event stream waits before it connects again."""

MARGIN_NS = NS_PER_S
"""How much earlier a stream of another process is taken up again.

That process may have been slower to see a price on the board than this one.
"""

_POINT = re.compile(r"([0-9]{1,15})-([0-9a-f]{8})-([0-9]{1,18})")
_SHORT, _MEDIUM = 126, 1 << 16
_TEXT_FRAME = 0x81

Framing = Literal["events", "frames"]
"""How events are put on the wire: as an event stream, or as WebSocket messages."""

Kind = Literal["price", "stale"]


class Point(NamedTuple):
    """A place in a stream, from which a client may go on: the id of an event.

    Attributes:
        at_ms: When the event was made, by the wall clock.
        epoch: The tape that it stands on: one of a process.
        number: Where on that tape.
    """

    at_ms: int
    epoch: str
    number: int

    def __str__(self) -> str:
        """Return it as clients see it."""
        return f"{self.at_ms}-{self.epoch}-{self.number}"


def point_in(text: str) -> Point | None:
    """Return the point that a client names, or None when it is none of ours."""
    found = _POINT.fullmatch(text)
    if found is None:
        return None
    return Point(int(found[1]), found[2], int(found[3]))


class Slot(NamedTuple):
    """The newest event of an asset.

    Attributes:
        number: Of its last change.
        at_ns: When that was, by the wall clock.
        asset: Which asset.
        event: For event streams.
        frame: For WebSockets.
    """

    number: int
    at_ns: int
    asset: str
    event: bytes
    frame: bytes


class Tape:
    """The newest event of each asset, in the order of their last change.

    Args:
        epoch: What tells this tape from those of other processes: 8 hex digits.
    """

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._slots: dict[str, Slot] = {}
        self.number = 0

    def put(self, kind: Kind, asset: str, data: bytes, at_ns: int) -> None:
        """Put an asset's newest event on the tape.

        Args:
            kind: What it is called.
            asset: Which asset.
            data: What it says: a JSON object.
            at_ns: The present, by the wall clock.
        """
        self.number += 1
        point = str(self.here(at_ns))
        self._slots.pop(asset, None)
        self._slots[asset] = Slot(
            self.number,
            at_ns,
            asset,
            event_of(kind, data, point),
            frame_of(text_of(kind, data, point)),
        )

    def here(self, at_ns: int) -> Point:
        """Return the place after everything that is on the tape."""
        return Point(at_ns // NS_PER_MS, self._epoch, self.number)

    def since(self, number: int, assets: frozenset[str]) -> list[Slot]:
        """Return the slots of these assets that changed after a number, oldest first.

        It takes as long as there are later changes, not as there are assets.
        """
        found: list[Slot] = []
        for slot in reversed(self._slots.values()):
            if slot.number <= number:
                break
            if slot.asset in assets:
                found.append(slot)
        found.reverse()
        return found

    def news_for(
        self,
        point: Point,
        assets: Iterable[str],
        now_ns: int,
    ) -> tuple[str, ...] | None:
        """Return the assets that somebody who has been told up to a point must be told.

        On the tape of the point that is exact.  A point of another process is taken by
        its time, and what may have been told already is told again.

        Returns:
            None when the point says nothing: all of them.
        """
        on_this_tape = point.epoch == self._epoch
        if on_this_tape and point.number > self.number:
            return None
        since_ns = point.at_ms * NS_PER_MS - MARGIN_NS
        if since_ns > now_ns:
            return None
        news: list[str] = []
        for asset in assets:
            slot = self._slots.get(asset)
            is_known = slot is not None and (
                slot.number <= point.number if on_this_tape else slot.at_ns <= since_ns
            )
            if not is_known:
                news.append(asset)
        return tuple(news)


def event_of(kind: str, data: bytes, point: str = "") -> bytes:
    """Return an event of an event stream.  Source: WHATWG HTML, server-sent events."""
    place = f"id: {point}\n" if point else ""
    return f"event: {kind}\n{place}data: ".encode() + data + b"\n\n"


def text_of(kind: str, data: bytes, point: str = "") -> bytes:
    """Return the same event as JSON text."""
    place = f'"id":"{point}",' if point else ""
    return f'{{"event":"{kind}",{place}"data":'.encode() + data + b"}"


def frame_of(text: bytes) -> bytes:
    """Return a text message as one unmasked frame.  Source: RFC 6455, section 5.2."""
    size = len(text)
    if size < _SHORT:
        return bytes((_TEXT_FRAME, size)) + text
    if size < _MEDIUM:
        return bytes((_TEXT_FRAME, 126)) + size.to_bytes(2, "big") + text
    return bytes((_TEXT_FRAME, 127)) + size.to_bytes(8, "big") + text


class Reading:
    """Proof that a client reads: its system takes what it is sent.

    Bytes that are owed and do not become fewer are none, and whatever is written on top
    of them proves nothing either.
    """

    __slots__ = ("_owed_bytes", "_proven_ns")

    def __init__(self, now_ns: int) -> None:
        self._owed_bytes = 0
        self._proven_ns = now_ns

    def wrote(self, owed_bytes: int) -> None:
        """Learn what is owed right after a write."""
        self._owed_bytes = owed_bytes

    def silent_ns(self, owed_bytes: int, now_ns: int) -> int:
        """Return for how long nothing was taken although something was owed.

        Args:
            owed_bytes: What is owed now.
            now_ns: The present, monotonic.
        """
        if not owed_bytes or owed_bytes < self._owed_bytes:
            self._proven_ns = now_ns
        self._owed_bytes = owed_bytes
        return now_ns - self._proven_ns
