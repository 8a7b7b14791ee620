"""One exchange's feed: connect, read, connect again, for ever."""

from __future__ import annotations

import asyncio

import structlog

from trinity_beast.features.feeds.connection import (
    Connection,
    FeedMemory,
    Surroundings,
)
from trinity_beast.features.feeds.program import FeedProgram
from trinity_beast.ports.exchanges import ExchangeClosed, ExchangeUnreachable

_log = structlog.get_logger("feeds")


class FeedSession:
    """Runs one program; what it learns goes to the memory, which outlives it."""

    def __init__(
        self,
        program: FeedProgram,
        around: Surroundings,
        memory: FeedMemory,
    ) -> None:
        self.program = program
        self._around = around
        self._memory = memory
        self._connection: Connection | None = None
        self._introduce(program)

    def extend(self, program: FeedProgram) -> None:
        """Go on with a program that only adds symbols to the one that runs."""
        self.program = program
        self._introduce(program)
        if self._connection is not None:
            self._connection.extend(program)

    async def run(self) -> None:
        """Connect, read, reconnect, until cancelled."""
        clock, backoff = self._around.clock, self._memory.backoff
        while True:
            await clock.sleep(backoff.pause_s(clock.monotonic_ns()))
            backoff.attempted(clock.monotonic_ns())
            try:
                await self._connect_and_read()
            except (ExchangeUnreachable, ExchangeClosed) as error:
                self._failed(str(error.context.get("reason", error.message)))
            except Exception as error:  # noqa: BLE001 - one feed's bug must not end it
                exchange = self.program.row.exchange_name
                _log.exception("feed failed", exchange=exchange)
                self._failed(repr(error))

    async def _connect_and_read(self) -> None:
        status = self._memory.status
        socket = await self._around.exchanges.connect(self.program.row.ws_endpoint)
        if status.connected_at_ns is not None:
            status.reconnects += 1
        connection = Connection(self.program, socket, self._around, self._memory)
        self._connection = connection
        beat = asyncio.create_task(connection.beat(), name="feed beat")
        try:
            await connection.read()
        finally:
            self._connection = None
            self._memory.doubtful = connection.refused
            beat.cancel()
            (outcome,) = await asyncio.gather(beat, return_exceptions=True)
            if isinstance(outcome, Exception) and not isinstance(
                outcome, ExchangeClosed
            ):
                _log.error("feed beat failed", error=repr(outcome))
            await socket.close()

    def _failed(self, reason: str) -> None:
        status = self._memory.status
        exchange = self.program.row.exchange_name
        # A venue that is away for a day is not news each minute.
        log = _log.info if reason == status.last_error else _log.warning
        log("feed interrupted", exchange=exchange, reason=reason)
        status.failed(reason, self._around.clock.now_ns())
        if status.state not in {"silent", "broken"}:
            status.become("connecting")

    def _introduce(self, program: FeedProgram) -> None:
        status = self._memory.status
        status.url = program.row.ws_endpoint
        status.refused = program.refused
