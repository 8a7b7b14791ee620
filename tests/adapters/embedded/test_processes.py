from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.until import until
from trinity_beast.adapters.embedded.identity import own_identity
from trinity_beast.adapters.embedded.processes import (
    Ending,
    Order,
    end_marked,
    end_process,
    marked_processes,
    start_process,
    tail_of,
)
from trinity_beast.adapters.system import SystemClock

STUBBORN = (
    "import signal,time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True)\n"
    "time.sleep(60)"
)
ENDINGS = (Ending(signal.SIGTERM, 0.1), Ending(signal.SIGKILL, 5.0))
MARK = f"beast-test-{os.getpid()}"
Pretend = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def pretend() -> Iterator[Pretend]:
    """Return a maker of stubborn processes that call themselves what we like."""
    made: list[subprocess.Popen[str]] = []

    def make(name: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [name, "-c", STUBBORN],
            executable=sys.executable,
            stdout=subprocess.PIPE,
            text=True,
        )
        made.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield make
    for process in made:
        process.kill()
        process.communicate()


def order(tmp_path: Path, *command: str) -> Order:
    return Order(
        command=command,
        directory=tmp_path,
        log=tmp_path / "log",
        identity=own_identity(),
        death_signal=signal.SIGTERM,
    )


async def test_a_server_says_what_it_says_into_its_log(tmp_path: Path) -> None:
    process = await start_process(order(tmp_path, "/bin/sh", "-c", "pwd; exit 7"))

    assert await process.wait() == 7
    assert (tmp_path / "log").read_text() == f"{tmp_path}\n"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


async def test_a_log_that_grew_too_long_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 8_000_001)

    process = await start_process(order(tmp_path, "/bin/echo", "fresh"))
    await process.wait()

    assert (tmp_path / "log").read_text() == "fresh\n"
    assert (tmp_path / "log.1").stat().st_size == 8_000_001


async def test_ctrl_c_of_the_terminal_does_not_reach_a_server(tmp_path: Path) -> None:
    process = await start_process(order(tmp_path, "/bin/sleep", "60"))

    assert os.getsid(process.pid) == process.pid
    await end_process(process, ENDINGS)
    await end_process(process, ENDINGS)


async def test_a_server_that_does_not_obey_is_killed(tmp_path: Path) -> None:
    process = await start_process(order(tmp_path, sys.executable, "-c", STUBBORN))
    await until(lambda: "up" in tail_of(tmp_path / "log"))

    await end_process(process, ENDINGS)

    assert process.returncode == -signal.SIGKILL


def test_only_servers_that_carry_the_mark_are_found(pretend: Pretend) -> None:
    titled = pretend(f"postgres: {MARK}: checkpointer")
    placed = pretend(f"/with a space/valkey-server {MARK}")
    pretend(f"less {MARK}")
    pretend("postgres: somebody else's")

    assert set(marked_processes(MARK)) == {titled.pid, placed.pid}


async def test_what_a_dead_owner_left_is_ended_and_nothing_else(
    pretend: Pretend,
) -> None:
    left, other = pretend(f"postgres: {MARK}: x"), pretend(f"less {MARK}")
    reaped = asyncio.create_task(asyncio.to_thread(left.wait))

    ended = await end_marked(MARK, ENDINGS, SystemClock())

    assert (ended, await reaped, other.poll()) == (True, -signal.SIGKILL, None)
    assert await end_marked(MARK, ENDINGS, SystemClock())


async def test_what_does_not_end_is_reported(pretend: Pretend) -> None:
    pretend(f"postgres: {MARK}: x")

    assert not await end_marked(MARK, ENDINGS[:1], SystemClock())


def test_the_tail_of_a_log_is_short_and_its_absence_no_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\xff\n" + b"\n".join(b"%d" % number for number in range(5_000)))

    assert tail_of(log, 2) == "4998\n4999"
    assert tail_of(tmp_path / "none") == "(no log)"
