"""Both servers of a home, as one thing that is started, watched and stopped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from trinity_beast.adapters.embedded.home import Home, Running
from trinity_beast.adapters.embedded.postgres import PostgresServer, postgres_answers
from trinity_beast.adapters.embedded.server import Server
from trinity_beast.adapters.embedded.valkey import (
    ValkeyServer,
    free_port,
    valkey_answers,
)
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness

_log = structlog.get_logger("embedded")
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0
_CALM_NS = 30_000_000_000
_PATIENCE_S = 15.0
_ATTACH_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """Where the servers of a home are found; both URLs hold a password, so none shows.

    Attributes:
        database_url: PostgreSQL, for SQLAlchemy (``postgresql+asyncpg://…``).
        valkey_url: Valkey (``valkey://:password@127.0.0.1:port/0``).
    """

    database_url: str = field(repr=False)
    valkey_url: str = field(repr=False)


class EmbeddedServers:
    """PostgreSQL and Valkey as children of this process, with all data in one home.

    They die with this process, however it dies.  The clock must be a real one: the
    servers start in real time.
    """

    def __init__(
        self,
        home: Path,
        *,
        clock: Clock,
        randomness: Randomness,
        progress: Callable[[str], None],
    ) -> None:
        self._home = Home(home)
        self._clock = clock
        self._randomness = randomness
        self._progress = progress
        self._servers: tuple[Server, ...] = ()
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> ServerUrls:
        """Take the home and start both servers at once; return when both answer.

        Raises:
            HomeInUse: A live process runs the servers of this home.
            HomeUnusable: The home cannot be used; the message says why.
            ServerFailed: A server does not start; nothing is left running.
        """
        await self._home.lock(self._clock)
        try:
            self._servers = self._built()
            self._progress("Starting PostgreSQL and Valkey")
            await self._start_all()
            return self._publish()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop both servers in order and give the home back; twice is not an error."""
        await self._dismiss_keepers()
        if not self._home.is_ours:
            return  # what stands there is somebody else's
        self._home.withdraw()
        await asyncio.gather(*(server.stop() for server in self._servers))
        self._servers = ()
        self._home.unlock()

    async def watch(self) -> None:
        """Start a server again whenever it ends by itself, until ``stop``.

        It comes back on the same socket or port, so clients only need to reconnect.
        """
        self._keepers = [
            asyncio.create_task(self._keep(server), name=f"keep {server.name}")
            for server in self._servers
        ]
        try:
            await asyncio.wait(self._keepers)
        finally:
            await self._dismiss_keepers()

    async def _dismiss_keepers(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers = []

    def _built(self) -> tuple[PostgresServer, ValkeyServer]:
        kept = self._home.kept(self._randomness)
        port = free_port(kept.valkey_port, self._randomness)
        self._home.keep(msgspec.structs.replace(kept, valkey_port=port))
        postgres = PostgresServer(
            self._home,
            password=kept.database_password,
            clock=self._clock,
            progress=self._progress,
        )
        valkey = ValkeyServer(
            self._home,
            password=kept.valkey_password,
            port=port,
            clock=self._clock,
        )
        return postgres, valkey

    async def _start_all(self) -> None:
        """Wait for both even when one fails, so that ``stop`` finds them settled."""
        outcomes = await asyncio.gather(
            *(server.start() for server in self._servers),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    def _publish(self) -> ServerUrls:
        postgres, valkey = self._servers
        self._home.publish(
            Running(
                owner_pid=os.getpid(),
                postgres_pid=postgres.pid,
                valkey_pid=valkey.pid,
                database_url=postgres.url,
                valkey_url=valkey.url,
            ),
        )
        return ServerUrls(postgres.url, valkey.url)

    async def _keep(self, server: Server) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            started_ns = self._clock.monotonic_ns()
            code = await server.ended()
            if self._clock.monotonic_ns() - started_ns > _CALM_NS:
                pause_s = _FIRST_PAUSE_S
            _log.error("server ended, starting it again", server=server.name, code=code)
            await self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            await self._start_again(server)

    async def _start_again(self, server: Server) -> None:
        try:
            await server.start()
        except Exception as error:  # noqa: BLE001 - the watch must outlive anything
            _log.error("server did not come back", server=server.name, error=str(error))
            return
        self._publish()
        _log.info("server is back", server=server.name, pid=server.pid)


async def attach(
    home: Path,
    *,
    clock: Clock,
    patience_s: float = _PATIENCE_S,
) -> ServerUrls | None:
    """Return how to reach the running servers of a home, or None if nobody runs any.

    While a live owner is still starting them, or starting one again, this waits for up
    to ``patience_s``.  Both servers are really asked before the answer is given.
    """
    place = Home(home)
    deadline_ns = clock.monotonic_ns() + int(patience_s * 1e9)
    while place.is_locked():
        running = place.running()
        if running is not None and await _reachable(running):
            return ServerUrls(running.database_url, running.valkey_url)
        if clock.monotonic_ns() >= deadline_ns:
            break
        await clock.sleep(_ATTACH_POLL_S)
    return None


async def _reachable(running: Running) -> bool:
    return await postgres_answers(running.database_url) and await valkey_answers(
        running.valkey_url,
    )
