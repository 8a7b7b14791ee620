"""PostgreSQL 18 as a child: on a Unix socket only, never as root.

The data directory is made beside its final name and renamed, so that a half-made one
is never taken for a database.  When the server's user cannot enter the home by its path
(a home below ``/root``), the directory is opened here and named ``/proc/self/fd/N``:
PostgreSQL changes into it once and uses relative paths from then on.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from trinity_beast.adapters.embedded.errors import HomeUnusable, ServerFailed
from trinity_beast.adapters.embedded.home import Home, write_private
from trinity_beast.adapters.embedded.identity import (
    Identity,
    can_enter,
    make_private_directory,
    unprivileged_identity,
)
from trinity_beast.adapters.embedded.installation import (
    postgres_root,
    reachable_postgres,
    shared_copy,
)
from trinity_beast.adapters.embedded.processes import (
    Ending,
    Order,
    end_marked,
    end_process,
    kill_session,
    start_process,
    tail_of,
)
from trinity_beast.adapters.postgres import connect
from trinity_beast.ports.clock import Clock

OWNER = "beast"
DATABASE = "beast"
ENDINGS = (
    Ending(signal.SIGINT, 20.0),  # fast: roll back, checkpoint, end
    Ending(signal.SIGQUIT, 5.0),  # immediate: recovery at the next start
    Ending(signal.SIGKILL, 5.0),
)
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "replica",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # In-process reads: the asynchronous workers cost memory that a laptop feels.
    "io_method": "sync",
}
_SOCKET_NAME_LENGTH = len("/.s.PGSQL.5432")
_LONGEST_SOCKET_PATH = 107  # sun_path has 108 bytes, the last one is NUL
# Not TMPDIR, which may be long, or closed to the server's user.  What we make there is
# private, and refused when somebody else made it.
_SHORT_PLACE = Path("/tmp")  # noqa: S108 - see above
_READY_WITHIN_S = 120.0  # recovery after a crash replays the log first
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class _Place:
    """What one start of the server works with."""

    identity: Identity
    programs: Path
    anchor: str
    descriptors: tuple[int, ...]


class PostgresServer:
    """PostgreSQL of one home."""

    name = "PostgreSQL"

    def __init__(
        self,
        home: Home,
        *,
        password: str,
        clock: Clock,
        progress: Callable[[str], None],
    ) -> None:
        self._home = home
        self._password = password
        self._clock = clock
        self._progress = progress
        self._process: Process | None = None
        self._mark = f"{home.mark}-postgres"
        self._log = home.log / "postgres.log"
        self._identity = unprivileged_identity(home.postgres)
        self._socket_directory = socket_directory(home, self._identity)

    @property
    def pid(self) -> int:
        """Return the id of the postmaster, 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the database; the same after each start."""
        host = quote(str(self._socket_directory), safe="/")
        login = f"{OWNER}:{self._password}"
        return f"postgresql+asyncpg://{login}@/{DATABASE}?host={host}"

    async def start(self) -> None:
        """Start the server and wait for its database, making both if need be.

        Raises:
            ServerFailed: It does not start; the message holds the end of its log.
            HomeUnusable: Something of somebody else is in its place.
        """
        if not await end_marked(self._mark, ENDINGS, self._clock):
            raise self._failure("an older server of this home does not end")
        make_private_directory(self._home.postgres, self._identity)
        make_private_directory(self._socket_directory, self._identity)
        programs = await reachable_postgres(
            postgres_root(),
            shared_copy(),
            self._identity,
            self._progress,
        )
        descriptor = os.open(self._home.postgres, os.O_RDONLY | os.O_DIRECTORY)
        try:
            place = self._place(programs, descriptor)
            if not (self._home.postgres / "main").exists():
                await self._make_cluster(place)
            self._forget_old_locks()
            self._process = await self._run(place, self._server_command(place))
        finally:
            os.close(descriptor)
        await self._until_ready(self._process)

    async def ended(self) -> int:
        """Wait until the postmaster is gone; return its exit code."""
        return await self._process.wait() if self._process else 0

    async def stop(self) -> None:
        """End the server with a checkpoint; twice is not an error."""
        if self._process is not None:
            await end_process(self._process, ENDINGS)
        if self._socket_directory != self._home.run:
            with suppress(OSError):  # not there, or not empty: nothing to tidy up
                self._socket_directory.rmdir()

    def _place(self, programs: Path, descriptor: int) -> _Place:
        data = self._home.postgres
        if self._identity.uid == os.geteuid() or can_enter(self._identity, data):
            return _Place(self._identity, programs, str(data), ())
        anchor = f"/proc/self/fd/{descriptor}"
        return _Place(self._identity, programs, anchor, (descriptor,))

    async def _make_cluster(self, place: _Place) -> None:
        self._progress("Creating the database")
        fresh = self._home.postgres / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        password_file = self._home.postgres / "password"
        write_private(password_file, self._password.encode())
        who = place.identity
        os.chown(password_file, who.uid, who.gid, follow_symlinks=False)
        try:
            code = await self._finish(
                await self._run(place, self._initdb_command(place)),
            )
        except asyncio.CancelledError:
            await end_marked(self._mark, ENDINGS, self._clock)  # what it started
            raise
        finally:
            password_file.unlink()
        if code:
            raise self._failure(f"initdb ended with {code}")
        fresh.rename(self._home.postgres / "main")

    async def _finish(self, process: Process) -> int:
        try:
            return await process.wait()
        except asyncio.CancelledError:
            await end_process(process, ENDINGS)
            kill_session(process.pid)
            raise

    def _initdb_command(self, place: _Place) -> list[str]:
        return [
            str(place.programs / "bin" / "initdb"),
            f"--pgdata={place.anchor}/fresh",
            f"--username={OWNER}",
            f"--pwfile={place.anchor}/password",
            "--auth-local=scram-sha-256",
            "--auth-host=reject",
            "--encoding=UTF8",
            # The built-in C.UTF-8 sorts and folds alike on every machine; the C
            # library's locale is only for messages.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--data-checksums",
            "--no-instructions",
            f"--set=cluster_name={self._mark}",
        ]

    def _server_command(self, place: _Place) -> list[str]:
        settings = {
            **_SETTINGS,
            "unix_socket_directories": _quoted(self._socket_directory),
            "cluster_name": self._mark,
        }
        return [
            str(place.programs / "bin" / "postgres"),
            "-D",
            f"{place.anchor}/main",
            *(f"--{name}={value}" for name, value in settings.items()),
        ]

    async def _run(self, place: _Place, command: Sequence[str]) -> Process:
        order = Order(
            command=command,
            directory=self._home.postgres,
            log=self._log,
            identity=place.identity,
            death_signal=signal.SIGINT,
            descriptors=place.descriptors,
        )
        return await start_process(order)

    def _forget_old_locks(self) -> None:
        """Remove what a killed server left: its number may be somebody else's by now.

        We hold the home and nothing with its mark runs, so the files mean nothing.
        """
        (self._home.postgres / "main" / "postmaster.pid").unlink(missing_ok=True)
        for left in self._socket_directory.glob(".s.PGSQL.*"):
            left.unlink()

    async def _until_ready(self, process: Process) -> None:
        deadline_ns = self._clock.monotonic_ns() + int(_READY_WITHIN_S * 1e9)
        while self._clock.monotonic_ns() < deadline_ns:
            if process.returncode is not None:
                raise self._failure(f"it ended with {process.returncode}")
            if await self._is_ready():
                return
            await self._clock.sleep(_POLL_S)
        raise self._failure(f"it did not answer within {_READY_WITHIN_S:.0f} s")

    async def _is_ready(self) -> bool:
        try:
            connection = await connect(self.url)
        except OSError:
            return False
        except asyncpg.InvalidCatalogNameError:
            await self._make_database()
            return True
        except asyncpg.InvalidPasswordError as error:
            reason = "embedded.json does not hold the password of its database"
            raise HomeUnusable(home=self._home.directory, reason=reason) from error
        await connection.close()
        return True

    async def _make_database(self) -> None:
        connection = await connect(self.url, database="postgres")
        try:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    def _failure(self, reason: str) -> ServerFailed:
        tail = tail_of(self._log)
        return ServerFailed(server=self.name, reason=reason, log=self._log, tail=tail)


async def postgres_answers(url: str) -> bool:
    """Tell whether the PostgreSQL of this URL lets us in."""
    try:
        connection = await connect(url)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


def socket_directory(home: Home, identity: Identity) -> Path:
    """Return a directory for the socket: short enough, and open to the server."""
    length = len(os.fsencode(home.run)) + _SOCKET_NAME_LENGTH
    reachable = identity.uid == os.geteuid() or can_enter(identity, home.directory)
    if length <= _LONGEST_SOCKET_PATH and reachable:
        return home.run
    return _SHORT_PLACE / home.mark


def _quoted(path: Path) -> str:
    """Quote an element of a setting that is a list of names."""
    return '"' + str(path).replace('"', '""') + '"'
