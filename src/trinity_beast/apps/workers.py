"""Several price servers on one port: worker processes, and who looks after them.

Each worker is a process of its own that plays the role ``lpo`` on the servers and the
price board of this home; the kernel spreads connections and datagrams over them
(``SO_REUSEPORT``).  One that dies is started again, a bit later each time; none of them
outlives this process.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import structlog

from trinity_beast.adapters.embedded import launcher
from trinity_beast.apps.market import MarketChoice
from trinity_beast.apps.settings import environment_with
from trinity_beast.apps.shared import Shared
from trinity_beast.kernel.errors import Unavailable
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.toolkit.http.listening import Address, addresses_of
from trinity_beast.toolkit.http.server import CannotListen, PortInUse

_log = structlog.get_logger("workers")
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_READY = b"\n"


class WorkerFailed(Unavailable):
    """A worker ended before it served anything; its own output says why."""

    code = "worker_failed"
    template = "A worker process ended with code {status} before it was ready."


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers that are wanted.

    Attributes:
        count: How many.
        market: Where the feeds listen; workers need it for what is in the catalogue.
        drain_s: How long they may take to end.
    """

    count: int
    market: MarketChoice
    drain_s: float = 25.0


class WorkersRole:
    """Plays the role ``lpo`` by workers."""

    def __init__(self, shared: Shared, crew: Crew) -> None:
        self._shared = shared
        self._crew = crew
        self._ends = AsyncExitStack()
        self._ending = asyncio.Event()
        self._running: set[asyncio.subprocess.Process] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._port = 0

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run."""
        return tuple(process.pid for process in self._running)

    async def start(self) -> None:
        """Claim the port, start all workers, and wait until each one serves.

        Raises:
            PortInUse: Somebody else listens on the port.
            WorkerFailed: One of them ended instead.
        """
        listen = self._shared.settings.listen
        self._port = listen.lpo_port
        for address in await addresses_of(listen.host, listen.lpo_port):
            claim = self._claim(address)
            self._ends.callback(claim.close)
            self._port = claim.getsockname()[1]
        ready = [asyncio.Event() for _ in range(self._crew.count)]
        self._keepers = [asyncio.create_task(self._keep(it)) for it in ready]
        all_ready = asyncio.ensure_future(asyncio.gather(*(it.wait() for it in ready)))
        await asyncio.wait(
            [all_ready, *self._keepers],
            return_when=asyncio.FIRST_COMPLETED,
        )
        all_ready.cancel()
        failed = [keeper for keeper in self._keepers if keeper.done()]
        if failed:
            await self.stop()
            failed[0].result()

    async def stop(self) -> None:
        """Let all workers drain and end; cut off those that do not."""
        self._ending.set()
        self._tell_all(signal.SIGTERM)
        if self._keepers:
            _, late = await asyncio.wait(self._keepers, timeout=self._crew.drain_s)
            if late:
                _log.warning("workers do not end", pids=self.pids)
                self._tell_all(signal.SIGKILL)
            await asyncio.gather(*self._keepers, return_exceptions=True)
        await self._ends.aclose()

    def _claim(self, address: Address) -> socket.socket:
        """Hold the port, so that it stays ours while no worker listens."""
        claim = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if address.family == socket.AF_INET6:
                claim.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            claim.bind((address.host, self._port))
        except OSError as error:
            claim.close()
            kind = PortInUse if error.errno == errno.EADDRINUSE else CannotListen
            raise kind(
                host=address.host,
                port=self._port,
                variable="LPO_PORT",
                reason=error.strerror or type(error).__name__,
            ) from error
        return claim

    async def _keep(self, ready: asyncio.Event) -> None:
        """Keep one worker running until the role ends."""
        clock, pause_s = self._shared.clock, _FIRST_PAUSE_S
        while not self._ending.is_set():
            started_ns = clock.monotonic_ns()
            status = await self._run(ready)
            if self._ending.is_set():
                return
            if not ready.is_set():
                raise WorkerFailed(status=status)
            if clock.monotonic_ns() - started_ns > _LONGEST_PAUSE_S * NS_PER_S:
                pause_s = _FIRST_PAUSE_S
            _log.warning("a worker ended, starting another", status=status)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _run(self, ready: asyncio.Event) -> int:
        """Run one worker to its end and return its exit status."""
        reader, writer = os.pipe()
        try:
            process = await self._spawn(writer)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self._running.add(process)
        if self._ending.is_set():
            # The order to end went out while it was being started.
            process.terminate()
        said = asyncio.ensure_future(_first_byte(reader))
        said.add_done_callback(lambda done: done.result() and ready.set())
        status = await process.wait()
        await said
        self._running.discard(process)
        return status

    async def _spawn(self, ready_fd: int) -> asyncio.subprocess.Process:
        # Bound to our life: it is told to drain when we die, however we die.
        bound = (os.getpid(), int(signal.SIGTERM), os.getuid(), os.getgid())
        servers = self._shared.servers
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(launcher.__file__), *map(str, bound)),
            *(sys.executable, "-m", "trinity_beast.apps.cli", "run", "lpo"),
            *self._crew.market.as_options(),
            *("--ready-fd", str(ready_fd)),
            env=environment_with(
                DATABASE_URL=servers.database_url,
                VALKEY_URL=servers.valkey_url,
                LPO_PORT=str(self._port),
                SHARE_PORTS="true",
            ),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(ready_fd,),
            # Ctrl-C in a terminal must reach us first.
            start_new_session=True,
        )

    def _tell_all(self, number: signal.Signals) -> None:
        for process in self._running:
            if process.returncode is None:
                process.send_signal(number)


def say_ready(ready_fd: int) -> None:
    """Tell whoever started this worker that it serves."""
    os.write(ready_fd, _READY)
    os.close(ready_fd)


async def _first_byte(descriptor: int) -> bytes:
    """Return the first byte that comes through a pipe, or nothing; close our end."""
    stream = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream),
        pipe,
    )
    try:
        return await stream.read(1)
    finally:
        transport.close()
