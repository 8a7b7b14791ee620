"""One simulated exchange: a dialect, a trading floor and a local server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256

from websockets.asyncio.server import ServerConnection, broadcast

from trinity_beast.adapters.market.dialects import Closing, Conversation, Dialect
from trinity_beast.adapters.market.errors import NoticeUnknown
from trinity_beast.adapters.market.line import (
    LocalServer,
    hang_up,
    reads_too_slowly,
    say,
    text_of,
)
from trinity_beast.adapters.market.tape import Trade, TradingFloor
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.clock import Clock

_REPEATED_TRADES = 5
_ORDERS_A_TURN = 50
"""After so many, others on this loop have their turn; only a late venue gets there."""
_BROKEN = Closing(1006, "")
_UPGRADE = Closing(1001, "Service upgrade")


class Venue:
    """Trades, and tells those who subscribed; one task, however many clients."""

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        floor: TradingFloor,
        *,
        clock: Clock,
        tick_ns: int,
    ) -> None:
        """Prepare a venue.

        Args:
            name: The exchange's name.
            dialect: How it talks.
            floor: What it trades.
            clock: What it times trades by.
            tick_ns: It wakes at multiples of this on the monotonic clock only, so that
                all venues of a market wake at once.
        """
        self.name = name
        self._tick_ns = tick_ns
        self._dialect = dialect
        self._floor = floor
        self._clock = clock
        self._server = LocalServer(self._serve)
        self._talks: dict[ServerConnection, Conversation] = {}
        self._upgrades: dict[ServerConnection, int] = {}
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._opened_ns = clock.monotonic_ns()
        self._beat_ns = NS_PER_S
        self._connections = 0
        self._stalled = False

    async def open(self) -> str:
        """Listen, and return the URL; trading starts with ``trade``."""
        self._opened_ns = self._clock.monotonic_ns()
        return await self._server.open()

    async def close(self) -> None:
        """Hang up on everybody and stop listening."""
        await self._server.close()

    async def trade(self) -> None:
        """Trade for ever: send what is due, then wait for what comes next."""
        while True:
            elapsed_ns = self._clock.monotonic_ns() - self._opened_ns
            due = self._floor.due(elapsed_ns, self._clock.now_ns())
            for order, trades in enumerate(due, 1):
                self._tell(trades)
                if order % _ORDERS_A_TURN == 0:
                    await asyncio.sleep(0)
            if elapsed_ns >= self._beat_ns:
                self._beat_ns = elapsed_ns - elapsed_ns % NS_PER_S + NS_PER_S
                self._beat()
            await self._clock.sleep(self._pause_ns() / NS_PER_S)

    def _pause_ns(self) -> int:
        """Return how long to wait: to the tick at or after whatever comes next."""
        due_ns = self._floor.due_ns
        next_ns = self._beat_ns if due_ns is None else min(due_ns, self._beat_ns)
        now_ns = self._clock.monotonic_ns()
        next_ns = max(self._opened_ns + next_ns, now_ns + 1)
        return next_ns + -next_ns % self._tick_ns - now_ns

    async def disconnect(self, code: int) -> None:
        """End all connections; 1006 breaks them without a word."""
        closing = _BROKEN if code == _BROKEN.code else Closing(code, "")
        for connection in self._talks:
            self._hang_up(connection, closing)
        await asyncio.gather(*self._goodbyes)

    def stall(self) -> None:
        """Go silent: connections stay open, nothing is sent, nothing is answered."""
        self._stalled = True

    def resume(self) -> None:
        """Talk again."""
        self._stalled = False

    def notify(self, close_after_s: float) -> None:
        """Announce that connections will be closed, and close them later.

        Raises:
            NoticeUnknown: This venue never announces it.
        """
        close_at_ns = self._clock.monotonic_ns() + round(close_after_s * NS_PER_S)
        for connection, talk in self._talks.items():
            notice = self._dialect.notice(talk)
            if notice is None:
                raise NoticeUnknown(venue=self.name)
            say(connection, (notice,))
            self._upgrades[connection] = close_at_ns

    def refuse(self, symbol: str) -> None:
        """Refuse a symbol from now on, and stop trading it."""
        self._dialect.listing.refuse(symbol)

    def accept(self, symbol: str) -> None:
        """Take a refused symbol back."""
        self._dialect.listing.accept(symbol)

    def repeat(self) -> None:
        """Send the last trades of each symbol again: twice, and newest first."""
        for tape in self._floor.tapes.values():
            for trade in reversed(list(tape.history)[-_REPEATED_TRADES:]):
                self._tell((trade,))
                self._tell((trade,))

    async def _serve(self, connection: ServerConnection) -> None:
        talk = self._talks[connection] = self._new_talk()
        try:
            self._say(connection, self._dialect.hello(talk, self._clock.now_ns()))
            async for message in connection:
                self._hear(connection, talk, text_of(message))
        finally:
            del self._talks[connection]
            self._upgrades.pop(connection, None)

    def _new_talk(self) -> Conversation:
        self._connections += 1
        token = sha256(f"{self.name}:{self._connections}".encode()).hexdigest()
        now_ns = self._clock.monotonic_ns()
        return Conversation(token=token, opened_ns=now_ns, heard_ns=now_ns)

    def _hear(
        self,
        connection: ServerConnection,
        talk: Conversation,
        text: str,
    ) -> None:
        talk.heard_ns = self._clock.monotonic_ns()
        if self._stalled:
            return
        now_ns = self._clock.now_ns()
        self._say(connection, self._dialect.hear(talk, text, now_ns))
        for channel, symbol, primed in talk.take_fresh():
            tape = self._floor.tapes.get(symbol)
            if tape is None:
                continue
            if primed:
                history = tuple(tape.history)
                self._say(connection, self._dialect.primer(channel, history, now_ns))
            self._floor.hasten(symbol, talk.heard_ns - self._opened_ns)

    def _say(self, connection: ServerConnection, texts: Sequence[str]) -> None:
        if not self._stalled:
            say(connection, texts)

    def _tell(self, trades: Sequence[Trade]) -> None:
        symbol = trades[0].symbol
        if self._stalled or not self._dialect.listing.has(symbol):
            return
        talks = [item for item in self._talks.items() if item[1].follows(symbol)]
        if not talks:
            return
        for channel, frame in self._dialect.frames(trades, self._clock.now_ns()):
            broadcast([c for c, talk in talks if talk.wants(channel, symbol)], frame)

    def _beat(self) -> None:
        if self._stalled:
            return
        now_ns, monotonic_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        for connection, talk in self._talks.items():
            say(connection, self._dialect.heartbeats(talk, self._last_trade, now_ns))
            closing = self._closing(connection, talk, monotonic_ns)
            if closing is not None:
                self._hang_up(connection, closing)

    def _closing(
        self,
        connection: ServerConnection,
        talk: Conversation,
        monotonic_ns: int,
    ) -> Closing | None:
        if reads_too_slowly(connection):
            return _BROKEN
        if monotonic_ns >= self._upgrades.get(connection, monotonic_ns + 1):
            return _UPGRADE
        return self._dialect.overdue(talk, monotonic_ns)

    def _last_trade(self, symbol: str) -> Trade | None:
        tape = self._floor.tapes.get(symbol)
        return tape.history[-1] if tape is not None else None

    def _hang_up(self, connection: ServerConnection, closing: Closing) -> None:
        """Start to close; trading must not wait for a client to say goodbye."""
        goodbye = asyncio.create_task(hang_up(connection, closing))
        self._goodbyes.add(goodbye)
        goodbye.add_done_callback(self._goodbyes.discard)
