"""Several workers on one port: killed, cut off and restarted under load."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import text

from support.ports import free_port
from support.waiting import eventually
from trinity_beast.adapters.postgres import make_engine

KEY = re.compile(r"tb_live_[0-9A-Za-z]{38}")
COMMAND = (sys.executable, "-m", "trinity_beast.apps.cli")
WORKERS = 3
LIMIT = 500


class Home(NamedTuple):
    """A running `demo` with workers."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int
    key: str

    def workers(self) -> list[int]:
        """Return the process ids of the workers that run."""
        return [
            pid
            for pid in children(self.process.pid)
            if b"--ready-fd" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    def servers(self) -> dict[str, object]:
        return json.loads((self.folder / "servers.json").read_text(encoding="utf-8"))

    async def execute(self, statement: str) -> None:
        engine = make_engine(str(self.servers()["database_url"]), application_name="t")
        async with engine.begin() as connection:
            await connection.execute(text(statement))
        await engine.dispose()


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in found.split()]


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Start one for all tests of this module; the last one kills it."""
    folder, port = tmp_path_factory.mktemp("workers") / "home", free_port()
    places = {
        "BEAST_HOME": str(folder),
        "LPO_PORT": str(port),
        "LPO_UDP_PORT": str(free_port()),
        "LOG_LEVEL": "error",
    }
    inherited = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - the child needs a PATH
        if name not in {"DATABASE_URL", "VALKEY_URL"}
    }
    with subprocess.Popen(
        (*COMMAND, "demo", "--workers", str(WORKERS)),
        env={**inherited, **places},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        keys = (KEY.search(line.decode()) for line in process.stdout)
        key = next((found[0] for found in keys if found), None)
        assert key is not None, "it ended before it was ready"
        reading = threading.Thread(target=process.stdout.read)
        reading.start()
        yield Home(process, folder, port, key)
        process.terminate()
        process.wait(40)
        reading.join()


class Line:
    """One connection, kept open; made anew when it breaks."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body; status 0 when the connection broke."""
        try:
            async with asyncio.timeout(10):
                return await self._get(path)
        except (OSError, EOFError, ValueError):
            self.close()
            return 0, b""

    async def _get(self, path: str) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.home.port)
        reader, writer = self._streams
        head = f"GET {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer "
        writer.write(f"{head}{self.home.key}\r\n\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        body = await reader.readexactly(int(length[1]) if length else 0)
        if b"connection: close" in answer.lower():
            self.close()
        return int(answer.split(b" ", 2)[1]), body

    async def holder(self) -> str:
        """Return the name of the worker at the other end."""
        _, body = await self.get("/status")
        return json.loads(body)["limits"]["holder"]

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def line_to_each(home: Home) -> dict[str, Line]:
    """Connect until each worker is at the end of a connection."""
    lines: dict[str, Line] = {}
    async with asyncio.timeout(20):
        while len(lines) < WORKERS:
            line = Line(home)
            if lines.setdefault(await line.holder(), line) is not line:
                line.close()
    return lines


async def make_havoc(home: Home, seed: int) -> None:
    """Kill workers and Valkey, or let it hang for a while, as the seed has it."""
    rng = random.Random(seed)
    for what in rng.sample(["worker", "worker", "valkey", "hang", "worker"], 5):
        await asyncio.sleep(rng.uniform(0.1, 0.4))
        valkey = int(str(home.servers()["valkey_pid"]))
        with suppress(ProcessLookupError, IndexError):
            if what == "worker":
                os.kill(rng.choice(home.workers()), signal.SIGKILL)
            elif what == "valkey":
                os.kill(valkey, signal.SIGKILL)
            else:
                os.kill(valkey, signal.SIGSTOP)
                await asyncio.sleep(0.4)
                os.kill(valkey, signal.SIGCONT)


async def ask_on(line: Line, statuses: Counter[int], until_s: float) -> None:
    while time.monotonic() < until_s:
        status, _ = await line.get("/price?asset=BTC")
        statuses[status] += 1
        await asyncio.sleep(0.02)


async def set_limit(home: Home, limit: int) -> None:
    """Give the key so many requests a month, and wait until all workers know."""
    await home.execute(
        f"UPDATE api_keys SET tier = 'pro', query_limit = {limit},"  # noqa: S608 - a number of ours
        " rate_limit_qps = 100000, burst_limit = 100000",
    )
    for line in (await line_to_each(home)).values():

        async def knows(line: Line = line) -> bool:
            _, body = await line.get("/account/key")
            return f'"requests_per_month":{limit}}}' in body.decode()

        await eventually(knows)
        line.close()


@pytest.mark.timeout(90)
async def test_the_month_is_never_over_admitted_whatever_is_killed(home: Home) -> None:
    await set_limit(home, LIMIT)
    statuses: Counter[int] = Counter()
    until_s = time.monotonic() + 6

    lines = [Line(home) for _ in range(9)]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(make_havoc(home, seed=7))
        for line in lines:
            tasks.create_task(ask_on(line, statuses, until_s))

    async def used_up() -> bool:
        status, _ = await lines[0].get("/price?asset=BTC")
        statuses[status] += 1
        return statuses[200] > LIMIT or statuses.total() > 5_000

    with suppress(AssertionError):
        await eventually(used_up, patience_s=4)
    for line in lines:
        line.close()

    assert set(statuses) <= {0, 200, 429}
    assert 100 < statuses[200] <= LIMIT


@pytest.mark.timeout(90)
async def test_a_revoked_key_is_refused_by_every_worker_within_a_second(
    home: Home,
) -> None:
    await set_limit(home, 100_000)
    lines = await line_to_each(home)
    before = [(await line.get("/price?asset=BTC"))[0] for line in lines.values()]
    await home.execute("UPDATE api_keys SET revoked = true")
    revoked_s = time.monotonic()

    async def refused(line: Line) -> float:
        async def once() -> bool:
            return (await line.get("/price?asset=BTC"))[0] == 403

        await eventually(once)
        return time.monotonic() - revoked_s

    waited = await asyncio.gather(*map(refused, lines.values()))
    for line in lines.values():
        line.close()

    assert before == [200] * WORKERS
    assert max(waited) < 1


@pytest.mark.timeout(90)
async def test_no_worker_outlives_the_one_who_looks_after_them(home: Home) -> None:
    first = home.workers()
    os.kill(first[0], signal.SIGKILL)

    async def is_replaced() -> bool:
        workers = home.workers()
        return len(workers) == WORKERS and first[0] not in workers

    await eventually(is_replaced)
    workers = home.workers()
    servers = [int(str(home.servers()[f"{it}_pid"])) for it in ("postgres", "valkey")]
    home.process.kill()
    home.process.wait()

    async def all_gone() -> bool:
        return not any(map(is_alive, [*workers, *servers]))

    assert len(first) == WORKERS
    await eventually(all_gone, patience_s=30)
