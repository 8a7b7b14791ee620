"""Changes of rows, by LISTEN on a connection of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import structlog

from trinity_beast.adapters.postgres.connection import Connection, connect
from trinity_beast.ports.changes import EVERYTHING, Change
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness

CHANNEL = "beast_changes"
_log = structlog.get_logger("changes")
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_LOG_EVERY_NS = 1_000_000_000
_MOST_WAITING = 10_000


class _Notice(msgspec.Struct):
    """A payload as the triggers send it."""

    table: str
    op: str
    id: str | int | None = None
    key_hash: str | None = None
    usage_lowered: bool | None = None


class _Lost(Exception):
    """The connection has ended."""


class PostgresChanges:
    """Listens to the row triggers of one database.

    Args:
        url: The database, in any form of ``make_engine``.
        clock: Paces the attempts to reconnect.
        randomness: Spreads them.
        keepalive_s: How often a silent connection is asked whether it is alive, and how
            long it may take to say so; a pulled cable says nothing by itself.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        randomness: Randomness,
        *,
        keepalive_s: float = 5.0,
    ) -> None:
        self._url = url
        self._clock = clock
        self._randomness = randomness
        self._keepalive_s = keepalive_s
        self._logged_ns: int | None = None

    async def listen(self) -> AsyncIterator[Change]:
        """Yield changes for ever; the first after each connect is ``EVERYTHING``."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with self._connected() as inbox:
                    pause_s = _FIRST_PAUSE_S
                    yield Change(EVERYTHING)
                    while True:
                        yield await inbox.next(self._keepalive_s)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._complain(error)
            except _Lost:
                self._complain(ConnectionError("the connection ended"))
            await self._clock.sleep(self._randomness.uniform(pause_s / 2, pause_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[_Inbox]:
        connection = await connect(
            self._url,
            server_settings={"application_name": "beast changes"},
        )
        try:
            inbox = _Inbox(connection)
            connection.add_termination_listener(inbox.end)
            await connection.add_listener(CHANNEL, inbox.put)
            yield inbox
        finally:
            connection.terminate()

    def _complain(self, error: Exception) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._logged_ns is None or now_ns - self._logged_ns >= _LOG_EVERY_NS:
            self._logged_ns = now_ns
            _log.warning("no changes from the database, trying again", error=str(error))


class _Inbox:
    """Notices between the driver's callback and their reader.

    A reader that is too slow gets one ``EVERYTHING`` in place of thousands of rows.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: deque[Change] = deque()
        self._arrived = asyncio.Event()
        self._ended = False

    def put(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        """Take a notice."""
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.clear()
            self._waiting.append(Change(EVERYTHING))
        else:
            self._waiting.append(parse_notice(payload))
        self._arrived.set()

    def end(self, _connection: object) -> None:
        """Take note of the end of the connection."""
        self._ended = True
        self._arrived.set()

    async def next(self, keepalive_s: float) -> Change:
        """Return the next change; ask a silent server whether it is alive."""
        while not self._waiting:
            if self._ended:
                raise _Lost
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), keepalive_s)
            except TimeoutError:
                await self._connection.execute("SELECT 1", timeout=keepalive_s)
        return self._waiting.popleft()


def parse_notice(payload: str) -> Change:
    """Return the change that a payload tells of; a broken one means everything."""
    try:
        notice = msgspec.json.decode(payload, type=_Notice)
    except msgspec.MsgspecError as error:
        _log.warning("notice not understood, reading everything", error=str(error))
        return Change(EVERYTHING)
    return Change(
        table=notice.table,
        operation=notice.op,
        row_id="" if notice.id is None else str(notice.id),
        key_hash=notice.key_hash or "",
        usage_lowered=bool(notice.usage_lowered),
    )
