"""Prices over HTTP beside nginx, HAProxy and granian, in one run.

    .venv/bin/python bench/price_http.py [--seconds 2] [--rounds 2] [--connections 1 64]

Ours is a real node: the role `lpo` alone on core 0, with usage records on; feeds on the
simulated market, the writer, PostgreSQL and Valkey share core 1 with the load
generator, at a lower priority.  The peers run on core 0 as well, each with one worker,
while nobody else is asked:

* nginx: `return 200` with a body of the same size; no key, no limits, no log;
* haproxy: the key looked up in a map, its rate counted in a stick table, `http-request
  return` with such a body; no month, no records;
* granian: an ASGI application that answers a constant.

All contenders take turns.  Printed are medians, their ratio to the first, CPU time a
request, memory, and p99.  At the end each answer must be a row of `usage_logs`.  The
load comes from wrk, or from a small generator of our own when wrk is not there.

The script is not called http.py, because a file of that name beside others hides
Python's own module from them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import text

from trinity_beast.adapters.embedded import EmbeddedServers, ServerUrls
from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.apps.database import database_of
from trinity_beast.apps.servers import Servers
from trinity_beast.features.keys import KeyService
from trinity_beast.toolkit.work import UnitOfWork

HERE = Path(__file__).parent
TARGET = "/price?asset=BTC"
BODY = (
    '{"status":"\\u2705 [LPO] [us-east-2] [BeastMain] [/price] [200]",'
    '"status_code":200,"endpoint":"/price","asset":"BTC","price":65000.10,'
    '"timestamp":"2026-09-21T14:13:19.500Z","source":"coinbase-ws","cached":true,'
    '"cache_age_seconds":0.3,"latency_ms":0,"duration_ms":0}'
)
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 60.0
SERVER_CORE, LOAD_CORE = 0, 1
PINNED = (os.cpu_count() or 1) > 1
KEEP_CALM = 15
"""Niceness of what shares the load generator's core."""


class Load(NamedTuple):
    """What one run of the load generator saw."""

    answers: int
    seconds: float
    p99_ms: float
    failures: int


@dataclass
class Contender:
    """A server under measurement, and what was measured of it."""

    name: str
    pid: int
    url: str
    key: str
    rates: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    cpu_us: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    p99_ms: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    answers: int = 0
    failures: int = 0

    def measure(self, connections: int, seconds: int) -> None:
        """Let the load generator loose on it once."""
        before = cpu_s(self.pid)
        load = run_load(self.url, self.key, connections, seconds)
        used_s = cpu_s(self.pid) - before
        self.answers += load.answers
        self.failures += load.failures
        self.rates.setdefault(connections, []).append(load.answers / load.seconds)
        self.cpu_us.setdefault(connections, []).append(used_s / load.answers * 1e6)
        self.p99_ms.setdefault(connections, []).append(load.p99_ms)


def family(pid: int) -> list[int]:
    """Return a process and those that it started."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def cpu_s(pid: int) -> float:
    """Return the processor time of a family so far."""
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def rss_mb(pid: int) -> float:
    """Return the resident memory of a family."""
    kilobytes = 0
    for one in family(pid):
        status = Path(f"/proc/{one}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        kilobytes += int(found[1]) if found else 0
    return kilobytes / 1024


def on_core(core: int, nice: int = 0) -> Callable[[], None]:
    """Return what a child does before it becomes its program."""

    def prepare() -> None:
        if PINNED:
            os.sched_setaffinity(0, {core})
        os.nice(nice)

    return prepare


def run_load(url: str, key: str, connections: int, seconds: int) -> Load:
    """Ask as fast as answers come, on so many connections."""
    if shutil.which("wrk") is None:
        command = [sys.executable, __file__, "--load", url, key]
        command += [str(connections), str(seconds)]
        said = _said(command)
        return Load(*json.loads(said))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency"]
    said = _said([*command, "-H", f"X-API-Key: {key}", url])
    found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", said)
    assert found, said
    took_s = float(found[2]) * (0.001 if found[3] == "ms" else 1)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    unit_ms = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    p99_ms = float(p99[1]) * unit_ms[p99[2]] if p99 else 0.0
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Load(int(found[1]), took_s, p99_ms, int(bad[1]) if bad else 0)


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=on_core(LOAD_CORE),
    )
    return done.stdout


class Asker(asyncio.Protocol):
    """One connection of our own load generator: asks, waits, asks again."""

    def __init__(self, request: bytes, took_s: list[float], bad: list[bytes]) -> None:
        self._request = request
        self._took_s = took_s
        self._bad = bad
        self._data = b""
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Ask again when the answer is whole."""
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if found and length and len(body) >= int(length[1]):
            self._took_s.append(time.perf_counter() - self._asked_at)
            if not head.startswith(b"HTTP/1.1 200 "):
                self._bad.append(head)
            self._ask()

    def _ask(self) -> None:
        self._data = b""
        self._asked_at = time.perf_counter()
        self._transport.write(self._request)


async def generate(url: str, key: str, connections: int, seconds: int) -> Load:
    """Be the load generator."""
    host, _, port = url.split("/")[2].partition(":")
    lines = [f"GET {TARGET} HTTP/1.1", f"Host: {host}", f"X-API-Key: {key}", "", ""]
    request = "\r\n".join(lines).encode("ascii")
    took_s: list[float] = []
    bad: list[bytes] = []
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(
            lambda: Asker(request, took_s, bad), host, int(port)
        )
    await asyncio.sleep(seconds)
    passed_s = time.perf_counter() - started
    p99_ms = statistics.quantiles(took_s, n=100)[98] * 1000
    return Load(len(took_s), passed_s, p99_ms, len(bad))


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


NGINX = """worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; default_type application/json;
client_body_temp_path {folder}/1; proxy_temp_path {folder}/2;
fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{body}'; }} }} }}
"""
HAPROXY = """global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
frontend prices
    bind 127.0.0.1:{port}
    http-request set-var(req.tier) req.hdr(x-api-key),map_str({folder}/keys.map)
    http-request deny deny_status 401 unless {{ var(req.tier) -m found }}
    http-request track-sc0 req.hdr(x-api-key) table limits
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 100000000 }}
    http-request return status 200 content-type application/json file {folder}/body
backend limits
    stick-table type string len 64 size 1m expire 10m store http_req_rate(1s)
"""


def peers(folder: Path, key: str) -> dict[str, tuple[list[str], int]]:
    """Return the commands and ports of the peers that this machine has."""
    ports = {name: free_port() for name in ("nginx", "haproxy", "granian")}
    (folder / "nginx.conf").write_text(
        NGINX.format(folder=folder, port=ports["nginx"], body=BODY),
    )
    (folder / "haproxy.cfg").write_text(
        HAPROXY.format(folder=folder, port=ports["haproxy"]),
    )
    (folder / "body").write_text(BODY)
    (folder / "keys.map").write_text(f"{key} unlimited\n")
    (folder / "constant.py").write_text(
        f"BODY = {BODY.encode()!r}\n"
        "START = {'type': 'http.response.start', 'status': 200, 'headers':"
        " [(b'content-type', b'application/json'),"
        " (b'content-length', b'%d' % len(BODY))]}\n"
        "async def app(scope, receive, send):\n"
        "    await send(START)\n"
        "    await send({'type': 'http.response.body', 'body': BODY})\n",
    )
    granian = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1"]
    granian += ["--host", "127.0.0.1", "--port", str(ports["granian"]), "--no-ws"]
    granian += ["--loop", "uvloop", "--log-level", "error"]
    granian += ["--working-dir", str(folder), "constant:app"]
    there = {
        "nginx": shutil.which("nginx"),
        "haproxy": shutil.which("haproxy"),
        "granian": find_spec("granian"),
    }
    commands = {
        "nginx": ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")],
        "haproxy": ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")],
        "granian": granian,
    }
    for name in [name for name, found in there.items() if not found]:
        print(f"{name} is not on this machine: left out")
        del commands[name]
    return {name: (command, ports[name]) for name, command in commands.items()}


@asynccontextmanager
async def running(
    command: Sequence[str],
    core: int,
    nice: int = 0,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> AsyncGenerator[int]:
    """Run a program for the length of the block and yield its process id."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        preexec_fn=on_core(core, nice),
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()
            await process.wait()


def answered(url: str, key: str) -> str | None:
    """Return the body of an answer with 200, or None."""
    asked = urllib.request.Request(url, headers={"X-API-Key": key})  # noqa: S310 - our own address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=2) as answer:
            return str(answer.read().decode())
    except OSError:
        return None


async def until_answered(url: str, key: str) -> None:
    """Wait until a server gives its answer."""
    deadline = time.monotonic() + PATIENCE_S
    while await asyncio.to_thread(answered, url, key) is None:
        assert time.monotonic() < deadline, f"no answer from {url}"
        await asyncio.sleep(0.1)


async def make_keys(work: UnitOfWork) -> dict[str, str]:
    """Issue a key without limits, and one whose limits are too high to be met."""
    service = KeyService(work, SystemClock(), SystemRandomness(), "sealed")
    secrets: dict[str, str] = {}
    for tier in ("partner", "unlimited"):
        issued = await service.create("bench@example.org", tier)
        secrets[tier] = issued.secret
    async with work.begin() as connection:
        await connection.execute(
            text(
                "UPDATE api_keys SET rate_limit_qps = 1000000, burst_limit = 1000000"
                " WHERE tier = 'unlimited'",
            ),
        )
    return secrets


class Ours(NamedTuple):
    """Our node: where it answers, and its database."""

    pid: int
    url: str
    work: UnitOfWork

    async def usage(self) -> dict[str, int]:
        """Return what the node says of its usage records."""
        status = await asyncio.to_thread(answered, f"{self.url}/status", "")
        return dict(json.loads(status or "{}")["usage"])

    async def rows(self) -> int:
        """Return how many usage records have become rows."""
        async with self.work.begin() as connection:
            return await connection.scalar(text("SELECT count(*) FROM usage_logs")) or 0

    async def settled(self, patience_s: float) -> tuple[int, int]:
        """Return records and rows, once they are equal or patience has ended."""
        deadline = time.monotonic() + patience_s
        while True:
            usage, rows = await self.usage(), await self.rows()
            made = usage["published"] + usage["buffered"] + usage["dropped"]
            if made == rows or time.monotonic() > deadline:
                return made, rows
            await asyncio.sleep(0.5)


@asynccontextmanager
async def our_node(home: Path, urls: ServerUrls) -> AsyncGenerator[Ours]:
    """Run our node's processes for the length of the block."""
    command = [sys.executable, "-m", "trinity_beast.apps.cli", "run"]
    port = free_port()
    variables = {
        "BEAST_HOME": str(home),
        "DATABASE_URL": urls.database_url,
        "VALKEY_URL": urls.valkey_url,
        "LPO_PORT": str(port),
        "LPO_UDP_PORT": "0",
        "LOG_LEVEL": "warn",
    }
    others = [*command, "feeds", "writer", "--market", "simulated"]
    servers = Servers(urls.database_url, urls.valkey_url)
    async with (
        database_of(servers, SystemClock()) as work,
        running(others, LOAD_CORE, KEEP_CALM, variables),
        running([*command, "lpo"], SERVER_CORE, variables=variables) as pid,
    ):
        yield Ours(pid, f"http://127.0.0.1:{port}", work)


async def compare(contenders: list[Contender], options: argparse.Namespace) -> None:
    """Let all take turns, then print what was measured."""
    for contender in contenders:
        await asyncio.to_thread(run_load, contender.url, contender.key, 64, 1)
    for connections in options.connections:
        for _ in range(options.rounds):
            for contender in contenders:
                await asyncio.to_thread(
                    contender.measure,
                    connections,
                    options.seconds,
                )
        report(contenders, connections)


def report(contenders: list[Contender], connections: int) -> None:
    """Print the medians of one number of connections."""
    print(f"\n{connections} connections")
    first = statistics.median(contenders[0].rates[connections])
    for each in contenders:
        rate = statistics.median(each.rates[connections])
        print(
            f"  {each.name:16} {rate:9,.0f}/s  {rate / first:5.2f} x"
            f" {contenders[0].name}"
            f"  {statistics.median(each.cpu_us[connections]):7.2f} us CPU"
            f"  p99 {statistics.median(each.p99_ms[connections]):7.2f} ms"
            f"  {rss_mb(each.pid):6.1f} MB"
            + (f"  {each.failures} FAILED" if each.failures else ""),
        )


async def bench(options: argparse.Namespace) -> bool:
    """Run everything; tell whether all answers became rows."""
    if PINNED:
        os.sched_setaffinity(0, {LOAD_CORE})
    async with AsyncExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        servers = EmbeddedServers(
            folder / "home",
            clock=SystemClock(),
            randomness=SystemRandomness(),
            progress=print,
        )
        urls = await servers.start()
        ends.push_async_callback(servers.stop)
        ours = await ends.enter_async_context(our_node(folder / "home", urls))
        keys = await make_keys(ours.work)
        contenders: list[Contender] = []
        for name, (command, port) in peers(folder, keys["unlimited"]).items():
            pid = await ends.enter_async_context(running(command, SERVER_CORE))
            url = f"http://127.0.0.1:{port}{TARGET}"
            contenders.append(Contender(name, pid, url, keys["unlimited"]))
        for tier, key in keys.items():
            url = ours.url + TARGET
            contenders.append(Contender(f"ours, {tier}", ours.pid, url, key))
        for contender in contenders:
            await until_answered(contender.url, contender.key)
        await compare(contenders, options)
        return await books_agree(ours, contenders, options.drain)


async def books_agree(
    ours: Ours,
    contenders: list[Contender],
    patience_s: float,
) -> bool:
    """Compare what was answered with the rows that it left."""
    seen = sum(each.answers for each in contenders if each.name.startswith("ours"))
    waiting_since = time.monotonic()
    made, rows = await ours.settled(patience_s)
    usage = await ours.usage()
    print(
        f"\nusage records: {made:,} made, {rows:,} rows after"
        f" {time.monotonic() - waiting_since:.0f} s more, {usage['dropped']} dropped;"
        f" the load generator saw {seen:,} of the answers",
    )
    agree = made == rows and not usage["dropped"] and rows >= seen
    print("every answer is a row" if agree else "ANSWERS AND ROWS DIFFER")
    return agree


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="length of one run")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each contender")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64, 512])
    parser.add_argument("--drain", type=float, default=60.0, help="patience with rows")
    parser.add_argument("--load", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        url, key, connections, seconds = options.load
        load = asyncio.run(generate(url, key, int(connections), int(seconds)))
        print(json.dumps(load))
        return 0
    return 0 if asyncio.run(bench(options)) else 1


if __name__ == "__main__":
    sys.exit(main())
