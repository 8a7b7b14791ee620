"""Server processes: bound to our life, found again by a mark, ended in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from trinity_beast.adapters.embedded import launcher
from trinity_beast.adapters.embedded.identity import Identity
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.tolerating import tolerating

_log = structlog.get_logger("embedded")
_SERVER_NAMES = ("postgres", "initdb", "valkey-server")
_POLL_S = 0.02
_LARGEST_LOG = 8_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, and as whom.

    Attributes:
        command: Program and arguments; the program by its absolute path.
        directory: Where it runs.
        log: File that its output is appended to.
        identity: Who it runs as.
        death_signal: What it gets when our process dies.
        descriptors: File descriptors that it inherits.
    """

    command: Sequence[str]
    directory: Path
    log: Path
    identity: Identity
    death_signal: signal.Signals
    descriptors: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How to end a server: a signal, and how long it may take to obey."""

    signal: signal.Signals
    patience_s: float


async def start_process(order: Order) -> asyncio.subprocess.Process:
    """Start a server that dies when the thread that runs this loop does.

    It leads a session of its own: Ctrl-C in a terminal must reach us first, so that
    we can drain before the servers go.
    """
    bound = (os.getpid(), int(order.death_signal))
    who = (order.identity.uid, order.identity.gid)
    log = _open_log(order.log)
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(launcher.__file__)),
            *map(str, (*bound, *who)),
            *order.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=order.directory,
            env={"PATH": os.defpath, "TZ": "UTC"},
            start_new_session=True,
            pass_fds=tuple(order.descriptors),
        ),
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Spawning cannot be taken back half-way: what it started would have no owner.
        process = await starting
        kill_session(process.pid)
        await process.wait()
        raise
    finally:
        os.close(log)


async def end_process(
    process: asyncio.subprocess.Process,
    endings: Sequence[Ending],
) -> None:
    """End a child: each signal in turn, the next when patience is over."""
    for ending in endings:
        if process.returncode is not None:
            return
        process.send_signal(ending.signal)
        try:
            await asyncio.wait_for(process.wait(), ending.patience_s)
        except TimeoutError:
            _log.warning("server does not end", signal=ending.signal.name)


def marked_processes(mark: str) -> tuple[int, ...]:
    """Return the ids of the servers that carry ``mark`` in their command line.

    The command line is world-readable; the working directory would not be, without the
    right to trace other users' processes.
    """
    wanted = mark.encode()
    found: list[int] = []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            line = _command_line(entry.name)
            if wanted in line and _is_server(line):
                found.append(int(entry.name))
    return tuple(found)


async def end_marked(mark: str, endings: Sequence[Ending], clock: Clock) -> bool:
    """End what a killed owner left behind; True when none is left.

    Children that die with their owner by themselves are on their way out already; a
    second signal of the same kind does not hurt them.
    """
    for ending in endings:
        pids = marked_processes(mark)
        if not pids:
            return True
        _log.warning("ending servers of a dead owner", pids=pids)
        for pid in _leaders(pids):
            _signal(pid, ending.signal)
        deadline_ns = clock.monotonic_ns() + int(ending.patience_s * 1e9)
        while marked_processes(mark) and clock.monotonic_ns() < deadline_ns:
            await clock.sleep(_POLL_S)
    return not marked_processes(mark)


def kill_session(leader: int) -> None:
    """Kill all that a process of ours has started and that still is in its session.

    A program that was ended may leave a shell behind that has yet to become a server;
    asking for servers at that moment finds none.
    """
    with tolerating(ProcessLookupError, because="nothing of it is left"):
        os.killpg(leader, signal.SIGKILL)


def tail_of(log: Path, lines: int = 8) -> str:
    """Return the last lines of a log, for a message."""
    try:
        text = log.read_bytes()[-4096:].decode(errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:])


def _open_log(path: Path) -> int:
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_name(f"{path.name}.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _command_line(pid: str) -> bytes:
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""  # it ended while we looked


def _is_server(line: bytes) -> bool:
    program = line.split(b"\0", 1)[0].decode(errors="replace")
    # A server that sets its title writes "postgres: checkpointer" there.
    names = (Path(program).name, program)
    return any(name.split(" ", 1)[0].rstrip(":") in _SERVER_NAMES for name in names)


def _leaders(pids: Sequence[int]) -> list[int]:
    return [pid for pid in pids if _parent(pid) not in pids]


def _parent(pid: int) -> int:
    try:
        status = Path("/proc", str(pid), "stat").read_text(errors="replace")
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[1])


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
