"""Everybody who follows prices in this process, served by one loop.

Hot path: `turn`, measured in bench/streams.py; budget 10 microseconds for a client that
is written to and 1 for one that is not.  Clients cost no task, no queue and no copy of
an event; one that does not read is left alone until it reads again, and is then told
what holds by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import structlog

from trinity_beast.features.keys import KeySlot
from trinity_beast.features.streams.errors import StreamsEnding, TooManyStreams
from trinity_beast.features.streams.market import Market
from trinity_beast.features.streams.model import (
    FAREWELL,
    HEARTBEAT,
    Framing,
    Point,
    Reading,
    Tape,
    event_of,
    frame_of,
    text_of,
)
from trinity_beast.kernel.errors import BeastError, Throttled
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.http.problems import code_of, message_of
from trinity_beast.toolkit.http.wires import Wire, chunk_of

LOOK_EVERY_S = 0.05
_LOOK_CLOSELY_EVERY_NS = NS_PER_S // 4
_HEARTBEAT_EVERY_NS = 15 * NS_PER_S
_SILENT_FOR_NS = 60 * NS_PER_S
_AT_ONCE = 32
_GOING_AWAY, _NOT_WELCOME = 1001, 1008
_RETRY_AFTER_MS = 1_000

_log = structlog.get_logger("streams")

Welcome = Callable[[KeySlot], BeastError | None]
"""Tells why a key may not have streams, if so."""


class Audience:
    """Clients that follow the same assets in the same framing, and what they share."""

    __slots__ = ("_batches", "_number", "_tape", "assets", "framing", "members")

    def __init__(self, tape: Tape, framing: Framing, assets: frozenset[str]) -> None:
        self._tape = tape
        self._number = 0
        self._batches: dict[int, bytes] = {}
        self.framing: Framing = framing
        self.assets = assets
        self.members = 0

    def news(self, cursor: int) -> bytes:
        """Return all that changed after a cursor, ready for the wire; it may be empty.

        Clients at the same place get the same bytes, not equal ones.
        """
        if self._number != self._tape.number:
            self._number = self._tape.number
            self._batches.clear()
        batch = self._batches.get(cursor)
        if batch is None:
            batch = self._batches[cursor] = self._rendered(cursor)
        return batch

    def _rendered(self, cursor: int) -> bytes:
        slots = self._tape.since(cursor, self.assets)
        if self.framing == "frames":
            return b"".join([slot.frame for slot in slots])
        return chunk_of(b"".join([slot.event for slot in slots])) if slots else b""


class Client:
    """One stream.

    Attributes:
        key: Whose it is.
        wire: Where it goes.
        audience: Whom it shares its assets with.
        cursor: Up to where on the tape it has been told.
        is_open: Whether the hub may write to it.
        reading: Whether it reads.
        beat_ns: When the last heartbeat was due.
    """

    __slots__ = (
        "audience",
        "beat_ns",
        "cursor",
        "is_open",
        "key",
        "reading",
        "wire",
    )

    def __init__(
        self,
        key: KeySlot,
        wire: Wire,
        audience: Audience,
        now_ns: int,
    ) -> None:
        self.key = key
        self.wire = wire
        self.audience = audience
        self.cursor = 0
        self.is_open = False
        self.reading = Reading(now_ns)
        self.beat_ns = now_ns

    def write(self, data: bytes) -> None:
        """Write bytes that are framed already."""
        self.wire.write(data)
        self.reading.wrote(self.wire.owed_bytes)


class StreamHub:
    """Holds all clients and tells them what happens.

    Args:
        market: Where events come from.
        tape: Where they stand.
        clock: The time.
        welcome: Asked of each key again and again while it has streams.
    """

    def __init__(
        self,
        market: Market,
        tape: Tape,
        clock: Clock,
        *,
        welcome: Welcome,
    ) -> None:
        self._market = market
        self._tape = tape
        self._clock = clock
        self._welcome = welcome
        self._clients: dict[Client, None] = {}
        self._by_key: dict[KeySlot, int] = {}
        self._audiences: dict[tuple[Framing, frozenset[str]], Audience] = {}
        self._occupied = asyncio.Event()
        self._look_closely_at_ns = 0

    def __len__(self) -> int:
        """Return how many streams are open."""
        return len(self._clients)

    @property
    def clients(self) -> tuple[Client, ...]:
        """Return the streams that are open, oldest first."""
        return tuple(self._clients)

    async def run(self) -> None:
        """Serve until cancelled; without any client it sleeps."""
        while True:
            await self._occupied.wait()
            await self.turn()
            await self._clock.sleep(LOOK_EVERY_S)

    def join(self, key: KeySlot, wire: Wire, framing: Framing, most: int) -> Client:
        """Take a new stream in; it is written to from ``open`` on.

        Args:
            key: Whose it is.
            wire: Where it goes.
            framing: How events are put there.
            most: Streams that the key may have.

        Raises:
            TooManyStreams: The key has them.
            StreamsEnding: The listener is about to stop.
        """
        if wire.draining:
            raise StreamsEnding
        count = self._by_key.get(key, 0)
        if count >= most:
            raise TooManyStreams(retry_after_ms=_RETRY_AFTER_MS, most=most)
        audience = self._audience(framing, frozenset())
        client = Client(key, wire, audience, self._clock.monotonic_ns())
        self._by_key[key] = count + 1
        self._clients[client] = None
        self._occupied.set()
        return client

    def open(self, client: Client) -> None:
        """Write to a client from now on: its opening is on the wire."""
        client.is_open = True
        client.reading.wrote(client.wire.owed_bytes)

    def leave(self, client: Client) -> None:
        """Forget a client; twice is as good as once."""
        if client not in self._clients:
            return
        client.is_open = False
        del self._clients[client]
        self._move(client, frozenset())
        self._release(client.audience)
        count = self._by_key[client.key] - 1
        if count:
            self._by_key[client.key] = count
        else:
            del self._by_key[client.key]
        if not self._clients:
            self._occupied.clear()

    def follow(
        self,
        client: Client,
        assets: Sequence[str],
        point: Point | None = None,
    ) -> bytes:
        """Let a client follow more assets, and return the snapshot that tells of them.

        What is not served is told in its place, and not followed.

        Args:
            client: Who.
            assets: Which ones, in the order in which they are told.
            point: Up to where the client has been told of them; what did not change
                since is left out.
        """
        if client.is_open:
            # What is on the tape by now, and not in the snapshot, is not to be lost.
            self._tell_news(client)
        served = [asset for asset in assets if self._market.serves(asset)]
        self._move(client, client.audience.assets | frozenset(served))
        client.cursor = self._tape.number
        now_ns = self._clock.now_ns()
        news = self._tape.news_for(point, served, now_ns) if point else None
        told = assets if news is None else self._unserved(assets) + list(news)
        items = b",".join(self._market.told_of(told))
        resumed = b"" if news is None else b',"resumed":true'
        data = b'{"count":%d,"prices":[%b]%b}' % (len(told), items, resumed)
        place = str(self._tape.here(now_ns))
        return event(client.audience.framing, "snapshot", data, place)

    def unfollow(self, client: Client, assets: Sequence[str]) -> tuple[str, ...]:
        """Let a client follow these assets no longer; return those it still follows."""
        self._move(client, client.audience.assets - frozenset(assets))
        return tuple(sorted(client.audience.assets))

    async def turn(self) -> None:
        """Look at the market once, and serve each client once."""
        now_ns = self._clock.monotonic_ns()
        closely = now_ns >= self._look_closely_at_ns
        if closely:
            self._look_closely_at_ns = now_ns + _LOOK_CLOSELY_EVERY_NS
            self._end_unwelcome()
        self._market.look(closely=closely)
        for number, client in enumerate(self.clients, 1):
            if client.is_open:
                self._try_to_serve(client, now_ns)
            if not number % _AT_ONCE:
                # Requests for prices must not wait for a thousand streams.
                await asyncio.sleep(0)

    def end(self, client: Client, error: BeastError, code: int = _NOT_WELCOME) -> None:
        """Say why, and hang up."""
        framing = client.audience.framing
        last = error_event(framing, error)
        client.wire.end(wrapped(framing, last), code, code_of(error))
        self.leave(client)

    def _try_to_serve(self, client: Client, now_ns: int) -> None:
        try:
            self._serve(client, now_ns)
        except Exception:  # noqa: BLE001 - one stream ends, the others go on
            _log.exception("a stream failed", key=str(client.key.key.id))
            client.wire.abort()
            self.leave(client)

    def _serve(self, client: Client, now_ns: int) -> None:
        wire = client.wire
        if wire.draining:
            framing = client.audience.framing
            last = chunk_of(FAREWELL) if framing == "events" else b""
            wire.end(last, _GOING_AWAY, "")
            self.leave(client)
            return
        owed_bytes = wire.owed_bytes
        silent_ns = client.reading.silent_ns(owed_bytes, now_ns)
        if owed_bytes:
            if silent_ns >= _SILENT_FOR_NS:
                _log.info("a stream is not read", key=str(client.key.key.id))
                wire.abort()
                self.leave(client)
            return
        self._tell_news(client)
        if now_ns - client.beat_ns >= _HEARTBEAT_EVERY_NS:
            client.beat_ns = now_ns
            if client.audience.framing == "events":
                client.write(chunk_of(HEARTBEAT))

    def _tell_news(self, client: Client) -> None:
        if client.cursor == self._tape.number:
            return
        news = client.audience.news(client.cursor)
        client.cursor = self._tape.number
        if news:
            client.write(news)

    def _end_unwelcome(self) -> None:
        refused = {key: self._welcome(key) for key in self._by_key}
        for client in self.clients:
            error = refused[client.key]
            if error is not None:
                self.end(client, error)

    def _move(self, client: Client, assets: frozenset[str]) -> None:
        """Put a client where it shares these assets with others."""
        old = client.audience
        if assets == old.assets:
            return
        self._market.follow(assets - old.assets)
        self._market.unfollow(old.assets - assets)
        client.audience = self._audience(old.framing, assets)
        self._release(old)

    def _audience(self, framing: Framing, assets: frozenset[str]) -> Audience:
        audience = self._audiences.get((framing, assets))
        if audience is None:
            audience = Audience(self._tape, framing, assets)
            self._audiences[framing, assets] = audience
        audience.members += 1
        return audience

    def _release(self, audience: Audience) -> None:
        audience.members -= 1
        if not audience.members:
            del self._audiences[audience.framing, audience.assets]

    def _unserved(self, assets: Sequence[str]) -> list[str]:
        return [asset for asset in assets if not self._market.serves(asset)]


def event(framing: Framing, kind: str, data: bytes, point: str = "") -> bytes:
    """Return an event as it is written in a framing, chunks aside."""
    if framing == "frames":
        return frame_of(text_of(kind, data, point))
    return event_of(kind, data, point)


def error_event(framing: Framing, error: BeastError) -> bytes:
    """Return the event that tells an error."""
    told: dict[str, object] = {"code": code_of(error), "message": message_of(error)}
    if isinstance(error, Throttled):
        told["retry_after_ms"] = error.retry_after_ms
    return event(framing, "error", msgspec.json.encode(told))


def wrapped(framing: Framing, data: bytes) -> bytes:
    """Return events as they are written to the wire."""
    return chunk_of(data) if framing == "events" else data
