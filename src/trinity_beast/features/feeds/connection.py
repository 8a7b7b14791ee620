"""One open connection to a venue.

It lives as long as *any* frame arrives within the silence that operators allow; answers
of the WebSocket protocol itself do not count, since a venue's proxy gives them while
its feed is dead.  A quiet symbol is no reason to reconnect.

Hot path: `on_frame`, measured in bench/feeds_decode.py; budget 15 us a frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from trinity_beast.features.feeds import control
from trinity_beast.features.feeds.backoff import Backoff
from trinity_beast.features.feeds.intake import Intake
from trinity_beast.features.feeds.model import Board, Decoded
from trinity_beast.features.feeds.outliers import OutlierGuard
from trinity_beast.features.feeds.program import FeedProgram
from trinity_beast.features.feeds.status import FeedStatus
from trinity_beast.features.feeds.subscription import SubscriptionState
from trinity_beast.features.feeds.templates import render_time
from trinity_beast.kernel.errors import BeastError
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.exchanges import ExchangeClosed, Exchanges, ExchangeSocket
from trinity_beast.ports.randomness import Randomness

_log = structlog.get_logger("feeds")

HEARD_EVERY_NS: Final = 50 * NS_PER_MS
BUSY_S: Final = 0.05
IDLE_S: Final = 1.0
RECYCLE_AFTER_S: Final = (1.0, 5.0)
"""How soon to reconnect after a venue's notice; OKX closes about 60 s after it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all feeds share.

    Attributes:
        silence_s: How long a connection may be silent, in seconds; asked each time.
    """

    exchanges: Exchanges
    board: Board
    clock: Clock
    randomness: Randomness
    silence_s: Callable[[], float]


@dataclass(slots=True)
class FeedMemory:
    """What of one exchange outlives its connections.

    Attributes:
        doubtful: Symbols that the newest connection was refused.
    """

    status: FeedStatus
    backoff: Backoff
    guard: OutlierGuard = field(default_factory=OutlierGuard)
    doubtful: frozenset[str] = frozenset()


class Connection:
    """One open connection: what arrives, and what is to be sent when."""

    def __init__(
        self,
        program: FeedProgram,
        socket: ExchangeSocket,
        around: Surroundings,
        memory: FeedMemory,
    ) -> None:
        self._program = program
        self._socket = socket
        self._around = around
        self._memory = memory
        self._clock = around.clock
        self._status = memory.status
        self._intake = Intake(around.board, memory.guard, memory.status)
        now_ns = self._clock.monotonic_ns()
        self._last_frame_ns = now_ns
        self._last_ping_ns = now_ns
        self._heard_at_ns = 0
        self._recycle_at_ns: int | None = None
        self._answers: list[str] = []
        self._unseen = set(program.symbols)
        self._why = ""
        self._subscription = SubscriptionState(
            program.subscribe,
            program.ping,
            memory.doubtful,
        )
        self._subscription.add(program.symbols)
        self._status.subscription = self._subscription
        self._status.connected_at_ns = self._clock.now_ns()
        self._status.become("subscribing")

    def extend(self, program: FeedProgram) -> None:
        """Ask for more symbols."""
        self._unseen |= program.symbols.keys() - self._program.symbols.keys()
        self._program = program
        self._subscription.add(program.symbols)

    @property
    def refused(self) -> frozenset[str]:
        """Return the symbols that the venue refused on this connection."""
        return frozenset(self._subscription.refused)

    async def read(self) -> None:
        """Take frames until the connection ends.

        Raises:
            ExchangeClosed: It has; the reason is ours when we ended it.
        """
        receive = self._socket.receive
        try:
            while True:
                self.on_frame(await receive())
        except ExchangeClosed as error:
            if self._why:
                raise ExchangeClosed(reason=self._why) from error
            raise

    async def beat(self) -> None:
        """Send what is due, and close when the feed is silent or about to be closed."""
        try:
            while not self._is_over():
                await self._send_due()
                await self._clock.sleep(self._rest_s())
        finally:
            await self._socket.close()

    def on_frame(self, frame: str | bytes) -> None:
        """Take one frame."""
        now_ns = self._clock.now_ns()
        self._last_frame_ns = self._clock.monotonic_ns()
        status = self._status
        status.last_frame_at_ns = now_ns
        status.counters.frames += 1
        # A wall clock that was set back must not keep the feed unheard.
        if not 0 <= now_ns - self._heard_at_ns < HEARD_EVERY_NS:
            self._hear(now_ns)
        decoded = self._program.decoder.decode(frame, now_ns)
        if decoded.rejected:
            status.counters.rejected.update(decoded.rejected)
        if decoded.trades:
            self._on_trades(decoded, now_ns)
        elif decoded.kind == "control":
            self._on_control(decoded.document)

    def _hear(self, now_ns: int) -> None:
        self._heard_at_ns = now_ns
        try:
            self._around.board.heard(self._program.row.source_tag, now_ns)
        except BeastError as error:
            self._status.failed(error.message, now_ns)

    def _on_trades(self, decoded: Decoded, now_ns: int) -> None:
        trades = decoded.trades
        self._intake.take(self._program.row.source_tag, trades, now_ns)
        if self._unseen:
            for trade in trades:
                if trade.exchange_symbol in self._unseen:
                    self._unseen.discard(trade.exchange_symbol)
                    self._subscription.on_trade(trade.exchange_symbol)
        if self._status.state != "live":
            self._status.become("live")
            self._memory.backoff.data_flowed()

    def _on_control(self, document: object) -> None:
        words = self._subscription.on_control(document, self._clock.monotonic_ns())
        if words is not None:
            self._objected(words)
        if control.is_notice(document) and self._recycle_at_ns is None:
            after_s = self._around.randomness.uniform(*RECYCLE_AFTER_S)
            self._recycle_at_ns = self._last_frame_ns + round(after_s * NS_PER_S)
        answer = control.heartbeat_answer(document)
        if answer is not None:
            self._answers.append(answer)
        self._status.venue = control.venue_status(document) or self._status.venue
        if self._subscription.acked and self._status.state == "subscribing":
            self._status.become("live")

    def _objected(self, words: str) -> None:
        exchange = self._program.row.exchange_name
        # A venue may say the same to every ping.
        log = _log.info if words == self._status.last_error else _log.warning
        log("the exchange objects", exchange=exchange, words=words)
        self._status.failed(words, self._clock.now_ns())

    def _is_over(self) -> bool:
        now_ns = self._clock.monotonic_ns()
        silence_s = self._around.silence_s()
        if now_ns - self._last_frame_ns > silence_s * NS_PER_S:
            self._why = f"no frame for {silence_s:g} s"
            self._status.become("silent")
        elif self._recycle_at_ns is not None and now_ns >= self._recycle_at_ns:
            self._why = "it asked us to reconnect"
        return bool(self._why)

    async def _send_due(self) -> None:
        now_ns = self._clock.monotonic_ns()
        unix_s = self._clock.now_ns() // NS_PER_S
        while self._answers:
            await self._socket.send(self._answers.pop(0))
        message = self._subscription.due(now_ns, unix_s)
        if message is not None:
            await self._socket.send(message)
        if self._program.ping is not None and self._ping_due_ns() <= now_ns:
            self._last_ping_ns = now_ns
            await self._socket.send(render_time(self._program.ping, unix_s))
        if self._all_refused():
            self._status.become("broken")

    def _ping_due_ns(self) -> int:
        """Return when to ping: in the row's rhythm, and sooner when all is quiet."""
        interval_ns = self._program.ping_interval_s * NS_PER_S
        quiet_ns = round(self._around.silence_s() / 3 * NS_PER_S)
        since_ns = max(self._last_ping_ns, self._last_frame_ns)
        return min(self._last_ping_ns + interval_ns, since_ns + quiet_ns)

    def _all_refused(self) -> bool:
        asked = self._subscription
        return asked.settled and bool(asked.refused) and not asked.acked

    def _rest_s(self) -> float:
        return IDLE_S if self._subscription.settled and not self._answers else BUSY_S
