"""Recorded markets, played back through local sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from websockets.asyncio.server import ServerConnection

from trinity_beast.adapters.market.dialects import (
    DIALECTS,
    Conversation,
    Dialect,
    Listing,
    PlainDialect,
)
from trinity_beast.adapters.market.errors import RecordingsMissing
from trinity_beast.adapters.market.line import LocalServer, say, text_of
from trinity_beast.adapters.market.player import Player, Progress
from trinity_beast.adapters.market.recording import (
    FeedLike,
    RecordedFrame,
    SymbolsIn,
    raw_frames,
    read_recording,
    recording_of,
    replay_assets,
)
from trinity_beast.ports.clock import Clock

_BEAT_S = 1.0


class ReplayVenue:
    """One exchange that says again what was recorded of it.

    It answers requests in the exchange's own words and refuses no symbol.  The first
    subscription starts the recording; the newest client hears it.  When it is over,
    heartbeats and answers to pings go on, so that the feed stays alive.
    """

    def __init__(
        self,
        name: str,
        frames: Sequence[RecordedFrame],
        speed: float,
        clock: Clock,
    ) -> None:
        self.player = Player(frames, speed, clock)
        self._name = name
        self._dialect: Dialect = DIALECTS.get(name, PlainDialect)(Listing(None))
        self._clock = clock
        self._server = LocalServer(self._serve)
        self._performance: asyncio.Task[None] | None = None

    async def open(self) -> str:
        """Listen, and return the URL."""
        return await self._server.open()

    async def close(self) -> None:
        """Hang up on everybody and stop listening."""
        await self._server.close()

    async def _serve(self, connection: ServerConnection) -> None:
        now_ns = self._clock.monotonic_ns()
        token = sha256(self._name.encode()).hexdigest()
        talk = Conversation(token=token, opened_ns=now_ns, heard_ns=now_ns)
        performance: asyncio.Task[None] | None = None
        try:
            async for message in connection:
                at_ns = self._clock.now_ns()
                say(connection, self._dialect.hear(talk, text_of(message), at_ns))
                if performance is None and talk.subscribed:
                    performance = self._perform(connection, talk)
        finally:
            if performance is not None:
                performance.cancel()
                await asyncio.gather(performance, return_exceptions=True)

    def _perform(
        self,
        connection: ServerConnection,
        talk: Conversation,
    ) -> asyncio.Task[None]:
        if self._performance is not None:
            self._performance.cancel()
        self._performance = asyncio.create_task(self._tell(connection, talk))
        return self._performance

    async def _tell(self, connection: ServerConnection, talk: Conversation) -> None:
        await self.player.play(connection)
        while True:
            now_ns = self._clock.now_ns()
            say(connection, self._dialect.heartbeats(talk, _never_traded, now_ns))
            await self._clock.sleep(_BEAT_S)


def _never_traded(symbol: str) -> None:
    """Know no last trade: a replay does not look into its frames."""
    del symbol


class _Found(NamedTuple):
    frames: dict[str, list[RecordedFrame]]
    assets: dict[str, dict[str, str]]
    left_out: dict[str, str]


class ReplayMarket:
    """Local WebSocket servers that play back recorded frames, one an exchange.

    Attributes:
        assets: After ``start``: symbols by asset, by name of the exchange.  An asset
            recorded of several exchanges belongs to the one with the lowest id.
        left_out: After ``start``: why an exchange plays nothing, by its name.
        finished: Set when every recording was heard to its end.
    """

    def __init__(
        self,
        directory: Path,
        feeds: Sequence[FeedLike],
        *,
        clock: Clock,
        symbols_in: SymbolsIn,
        speed: float = 1.0,
        exchange: str | None = None,
    ) -> None:
        """Prepare a replay; nothing is read and nothing listens yet.

        Args:
            directory: Holds ``NAME.jsonl`` or ``NAME.jsonl.gz``, one an exchange.
            feeds: Rows of the exchanges.
            clock: What the pace is kept by.
            symbols_in: Finds the symbols of the trades in frames.
            speed: How many times the recorded pace; above zero.
            exchange: The only exchange to play, by name.
        """
        self.assets: dict[str, dict[str, str]] = {}
        self.left_out: dict[str, str] = {}
        self.finished = asyncio.Event()
        self._directory = directory
        self._feeds = sorted(feeds, key=lambda feed: feed.id)
        self._clock = clock
        self._symbols_in = symbols_in
        self._speed = speed
        self._exchange = exchange
        self._venues: dict[str, ReplayVenue] = {}
        self._waiting: asyncio.Task[None] | None = None

    @property
    def progress(self) -> dict[str, Progress]:
        """Return how far each exchange's recording is."""
        return {name: venue.player.progress for name, venue in self._venues.items()}

    async def start(self) -> dict[str, str]:
        """Read the recordings and open a server for each.

        Returns:
            The URL of each server by the name of its exchange.

        Raises:
            RecordingsMissing: There is no such directory, or no such exchange.
            RecordingUnreadable: A file is no recording.
        """
        found = await asyncio.to_thread(self._read)
        self.assets, self.left_out = found.assets, found.left_out
        self._venues = {
            name: ReplayVenue(name, frames, self._speed, self._clock)
            for name, frames in found.frames.items()
        }
        self._waiting = asyncio.create_task(self._wait_for_the_end())
        return {name: await venue.open() for name, venue in self._venues.items()}

    async def stop(self) -> None:
        """Hang up on everybody and close; twice is not an error."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)
        for venue in self._venues.values():
            await venue.close()

    async def _wait_for_the_end(self) -> None:
        for venue in self._venues.values():
            await venue.player.over.wait()
        self.finished.set()

    def _read(self) -> _Found:
        feeds = [f for f in self._feeds if self._exchange in {None, f.exchange_name}]
        if not self._directory.is_dir():
            raise RecordingsMissing(reason=f"{self._directory} is no directory")
        if not feeds:
            raise RecordingsMissing(reason=f"no exchange is named {self._exchange}")
        found = _Found({}, {}, {})
        for feed in feeds:
            reason = self._take(feed, found)
            if reason:
                found.left_out[feed.exchange_name] = reason
        return found

    def _take(self, feed: FeedLike, found: _Found) -> str:
        """Add an exchange's recording; return why not, or nothing."""
        file = recording_of(self._directory, feed.exchange_name)
        if file is None:
            return f"there is no {feed.exchange_name}.jsonl or .jsonl.gz"
        frames = read_recording(file)
        assets = replay_assets(feed, raw_frames(frames), self._symbols_in)
        if not assets:
            return f"none of its trades is in a market like {feed.symbol_template}"
        taken = {asset for others in found.assets.values() for asset in others}
        own = {asset: symbol for asset, symbol in assets.items() if asset not in taken}
        if not own:
            return "all of its assets are recorded of exchanges before it"
        found.frames[feed.exchange_name] = frames
        found.assets[feed.exchange_name] = own
        return ""
