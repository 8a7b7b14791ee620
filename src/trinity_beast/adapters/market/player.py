"""Plays one recording to whoever listens, and knows how far it got."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from websockets.asyncio.server import ServerConnection

from trinity_beast.adapters.market.recording import RecordedFrame
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S
from trinity_beast.ports.clock import Clock

MARK_EVERY = 32
"""Frames between two marks: what a broken connection may cost, twice."""

_MOST_TRIES = 3
_WORTH_SLEEPING_NS = NS_PER_MS


class Progress(NamedTuple):
    """How far a replay is: frames sent at least once, of all frames."""

    sent: int
    total: int


class Player:
    """Sends frames verbatim, in order, at the recorded pace.

    A WebSocket ping after some frames marks the place: its pong says that the client
    has read so far.  After a break the replay goes on one mark before the last one
    that came back, since a client may hang up on frames that it read and never looked
    at.  So nothing is lost, and a few frames come twice.  If clients hang up on the
    same few frames again and again, the replay goes on behind them.

    Attributes:
        over: Set when the client has read the last frame.
    """

    def __init__(
        self,
        frames: Sequence[RecordedFrame],
        speed: float,
        clock: Clock,
    ) -> None:
        self.over = asyncio.Event()
        self._frames = frames
        self._speed = speed
        self._clock = clock
        self._sent = 0
        self._older_mark = 0
        self._newest_mark = 0
        self._tries = 0

    @property
    def progress(self) -> Progress:
        """Return how far the replay is."""
        return Progress(self._sent, len(self._frames))

    async def play(self, connection: ServerConnection) -> None:
        """Send what this client has not been sent for sure; return after the last.

        Raises:
            ConnectionClosed: The client is gone.
        """
        first = self._first()
        due_ns = float(self._clock.monotonic_ns())
        for index, frame in enumerate(self._frames[first:], first):
            due_ns += frame.pause_ns / self._speed
            await self._wait(due_ns)
            await connection.send(frame.raw)
            self._sent = max(self._sent, index + 1)
            if (index + 1) % MARK_EVERY == 0:
                await self._mark(connection, index + 1)
                # However late we are, others on this loop want their turn.
                await asyncio.sleep(0)
        await (await self._mark(connection, len(self._frames)))
        self.over.set()

    def _first(self) -> int:
        self._tries += 1
        return self._older_mark if self._tries <= _MOST_TRIES else self._sent

    async def _wait(self, due_ns: float) -> None:
        early_ns = due_ns - self._clock.monotonic_ns()
        if early_ns > _WORTH_SLEEPING_NS:
            await self._clock.sleep(early_ns / NS_PER_S)

    async def _mark(
        self,
        connection: ServerConnection,
        place: int,
    ) -> asyncio.Future[float]:
        pong = asyncio.ensure_future(await connection.ping())

        def came_back(pong: asyncio.Future[float]) -> None:
            if not pong.cancelled() and pong.exception() is None:
                self._confirm(place)

        pong.add_done_callback(came_back)
        return pong

    def _confirm(self, place: int) -> None:
        if place > self._newest_mark:
            self._older_mark, self._newest_mark = self._newest_mark, place
            self._tries = 0
