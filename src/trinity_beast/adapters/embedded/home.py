"""The home: one directory with everything that the embedded servers keep.

::

    home/lock           held (flock) by the process that runs the servers
    home/embedded.json  passwords and the port, kept between runs (0600)
    home/servers.json   how to reach the running servers (0600)
    home/postgres/      PostgreSQL's data
    home/valkey/        Valkey's append-only file
    home/run/           PostgreSQL's socket (elsewhere if the path is too long)
    home/log/           what the servers say
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

import msgspec

from trinity_beast.adapters.embedded.errors import HomeInUse, HomeUnusable
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness

_SECRET_BYTES = 24
_LOCK_TRIES = 4
_LOCK_PAUSE_S = 0.05


class Kept(msgspec.Struct, frozen=True):
    """What a home remembers between runs.

    Attributes:
        database_password: Password of the database's owner.
        valkey_password: Password of Valkey's default user.
        valkey_port: Port of the last run, 0 before the first.
    """

    database_password: str
    valkey_password: str
    valkey_port: int = 0


class Running(msgspec.Struct, frozen=True):
    """How to reach the running servers, for other processes."""

    owner_pid: int
    postgres_pid: int
    valkey_pid: int
    database_url: str
    valkey_url: str


class Home:
    """Paths, the lock and the small files of one home."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()
        self.mark = f"trinity-beast-{digest[:16]}"
        self.postgres = self.directory / "postgres"
        self.valkey = self.directory / "valkey"
        self.log = self.directory / "log"
        self.run = self.directory / "run"
        self._kept = self.directory / "embedded.json"
        self._running = self.directory / "servers.json"
        self._lock_path = self.directory / "lock"
        self._lock: int | None = None

    @property
    def is_ours(self) -> bool:
        """Tell whether this object holds the home."""
        return self._lock is not None

    async def lock(self, clock: Clock) -> None:
        """Take the home for this process; the kernel gives it back when we die.

        Raises:
            HomeInUse: Another process has it.
            HomeUnusable: It cannot be made or written.
        """
        for left in reversed(range(_LOCK_TRIES)):
            if self._try_lock():
                return
            if left:  # somebody may only be asking whether it is taken
                await clock.sleep(_LOCK_PAUSE_S)
        raise HomeInUse(home=self.directory, pid=self._holder())

    def unlock(self) -> None:
        """Give the home back; twice is not an error."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def is_locked(self) -> bool:
        """Tell whether a live process has this home."""
        try:
            descriptor = os.open(self._lock_path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def kept(self, randomness: Randomness) -> Kept:
        """Return what the home remembers; a new home gets new passwords.

        Raises:
            HomeUnusable: The file is damaged, or is gone while its database is there.
        """
        try:
            return msgspec.json.decode(self._kept.read_bytes(), type=Kept)
        except FileNotFoundError:
            if (self.postgres / "main").exists():
                reason = f"{self._kept.name} is gone, and with it the passwords"
                raise HomeUnusable(home=self.directory, reason=reason) from None
            kept = Kept(_password(randomness), _password(randomness))
        except msgspec.MsgspecError as error:
            reason = f"{self._kept.name} is damaged ({error})"
            raise HomeUnusable(home=self.directory, reason=reason) from error
        self.keep(kept)
        return kept

    def keep(self, kept: Kept) -> None:
        """Remember this between runs."""
        write_private(self._kept, msgspec.json.encode(kept))

    def publish(self, running: Running) -> None:
        """Tell other processes how to reach the servers."""
        write_private(self._running, msgspec.json.encode(running))

    def withdraw(self) -> None:
        """Tell other processes that there are no servers."""
        self._running.unlink(missing_ok=True)

    def running(self) -> Running | None:
        """Return what the owner published, or None if there is nothing readable."""
        try:
            return msgspec.json.decode(self._running.read_bytes(), type=Running)
        except (OSError, msgspec.MsgspecError):
            return None

    def _try_lock(self) -> bool:
        try:
            self.log.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}"
            raise HomeUnusable(home=self.directory, reason=reason) from error
        try:
            self._check_owner(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except HomeUnusable:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor
        return True

    def _check_owner(self, descriptor: int) -> None:
        """Refuse another user's home: root would leave files closed to its user."""
        owner = os.fstat(descriptor).st_uid
        if owner != os.geteuid():
            reason = f"user {owner} made it; start as that user"
            raise HomeUnusable(home=self.directory, reason=reason)

    def _holder(self) -> str:
        try:
            return self._lock_path.read_text(encoding="ascii").strip() or "?"
        except OSError:
            return "?"


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at once, readable by its owner only."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)


def _password(randomness: Randomness) -> str:
    return randomness.token_bytes(_SECRET_BYTES).hex()
