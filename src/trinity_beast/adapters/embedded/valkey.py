"""Valkey 9 as a child: on 127.0.0.1, with a password and an append-only file."""

from __future__ import annotations

import asyncio
import signal
import socket
from asyncio.subprocess import Process
from contextlib import suppress
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from trinity_beast.adapters.embedded.errors import ServerFailed
from trinity_beast.adapters.embedded.home import Home, write_private
from trinity_beast.adapters.embedded.identity import (
    make_private_directory,
    own_identity,
)
from trinity_beast.adapters.embedded.installation import valkey_program
from trinity_beast.adapters.embedded.processes import (
    Ending,
    Order,
    end_marked,
    end_process,
    start_process,
    tail_of,
)
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness

HOST = "127.0.0.1"
ENDINGS = (Ending(signal.SIGTERM, 10.0), Ending(signal.SIGKILL, 5.0))
_READY_WITHIN_S = 60.0  # loading a long append-only file takes its time
_POLL_S = 0.02
_ANSWER_WITHIN_S = 2.0
_PORTS = (20_000, 32_000)
_PORT_TRIES = 100


class ValkeyServer:
    """Valkey of one home."""

    name = "Valkey"

    def __init__(self, home: Home, *, password: str, port: int, clock: Clock) -> None:
        self._home = home
        self._password = password
        self._clock = clock
        self._process: Process | None = None
        self._log = home.log / "valkey.log"
        self.port = port

    @property
    def pid(self) -> int:
        """Return the id of the process, 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def url(self) -> str:
        """Return the URL for clients; the same after each start."""
        return f"valkey://:{self._password}@{HOST}:{self.port}/0"

    async def start(self) -> None:
        """Start the server and wait until it has loaded its data.

        Raises:
            ServerFailed: It does not start; the message holds the end of its log.
        """
        if not await end_marked(f"{self._home.mark}-valkey", ENDINGS, self._clock):
            raise self._failure("an older server of this home does not end")
        make_private_directory(self._home.valkey, own_identity())
        configuration = self._home.valkey / "valkey.conf"
        write_private(configuration, self._configuration().encode())
        order = Order(
            command=[str(valkey_program()), str(configuration)],
            directory=self._home.valkey,
            log=self._log,
            identity=own_identity(),
            death_signal=signal.SIGTERM,
        )
        self._process = await start_process(order)
        await self._until_ready(self._process)

    async def ended(self) -> int:
        """Wait until the process is gone; return its exit code."""
        return await self._process.wait() if self._process else 0

    async def stop(self) -> None:
        """End the server after its file is written; twice is not an error."""
        if self._process is not None:
            await end_process(self._process, ENDINGS)

    def _configuration(self) -> str:
        """Return the configuration; the password must not show in a process list."""
        return f"""\
bind {HOST}
port {self.port}
requirepass {self._password}
dir ./
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
databases 64
proc-title-template "{{title}} {{listen-addr}} {self._home.mark}-valkey"
"""

    async def _until_ready(self, process: Process) -> None:
        deadline_ns = self._clock.monotonic_ns() + int(_READY_WITHIN_S * 1e9)
        while self._clock.monotonic_ns() < deadline_ns:
            if process.returncode is not None:
                raise self._failure(f"it ended with {process.returncode}")
            if await valkey_answers(self.url):
                return
            await self._clock.sleep(_POLL_S)
        raise self._failure(f"it did not answer within {_READY_WITHIN_S:.0f} s")

    def _failure(self, reason: str) -> ServerFailed:
        tail = tail_of(self._log)
        return ServerFailed(server=self.name, reason=reason, log=self._log, tail=tail)


async def valkey_answers(url: str) -> bool:
    """Tell whether the Valkey of this URL lets us in and has loaded its data."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                writer.write(f"AUTH {parts.password}\r\nPING\r\n".encode())
                greeting = await reader.readline() + await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return greeting == b"+OK\r\n+PONG\r\n"


def free_port(remembered: int, randomness: Randomness) -> int:
    """Return the remembered port of loopback if nobody has it, else a free one.

    Clients of the last run, and notes of people, go on working that way.  New ports
    are taken below the range that the kernel gives to outgoing connections, so that
    none of those sits on it when a crashed server wants it back.
    """
    low, high = _PORTS
    fresh = (int(randomness.uniform(low, high)) for _ in range(_PORT_TRIES))
    for port in chain((remembered,) if remembered else (), fresh):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, port))
                return port
    raise ServerFailed(server="Valkey", reason="no free port", log=Path(), tail="")
