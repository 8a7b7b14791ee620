"""What streams cost: memory for clients that never read, and the latency of others.

    .venv/bin/python bench/streams.py [--clients 1000] [--seconds 120] [--way sse]

A server process serves prices and streams of 150 assets, each of which changes
``--changes`` times a second.  Clients open a stream of all assets and never read.
Before and after, and while it lasts, another client asks for a price again and again.
To reach: memory grows by less than 20 MB, and the latency of others stays as it was.
Pass ``--read`` for clients that read all they are sent.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import uvloop

from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.features.board import BoardReader, BoardWriter, Tick
from trinity_beast.features.catalogue import (
    AssetRow,
    Catalogue,
    CatalogueSnapshot,
    FeedRow,
)
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    ApiKey,
    KeyRing,
    Template,
    hash_of,
)
from trinity_beast.features.limits import Limiter
from trinity_beast.features.parameters import Parameters
from trinity_beast.features.prices import Identity, LpoParts, build_lpo_app
from trinity_beast.features.streams import add_streams
from trinity_beast.features.usage import UsageBuffer
from trinity_beast.toolkit.background import Background
from trinity_beast.toolkit.http.protocol import Manners
from trinity_beast.toolkit.http.request_ids import RequestIds
from trinity_beast.toolkit.http.server import HttpServer

SECRET = "bench-key-without-limits"  # noqa: S105 - it opens this bench alone
ASSETS = [f"A{number:03}" for number in range(150)]
KEY = ApiKey(
    id=UUID(int=1),
    user_id=None,
    key_hash=hash_of(SECRET),
    name=None,
    tier="partner",
    query_limit=999_999_999,
    current_usage=0,
    last_used_ns=None,
    created_at_ns=0,
    rate_limit_qps=0,
    burst_limit=0,
    minimum_wait_ms=0,
    revoked=False,
    lrs_enabled=False,
    response_format="plain",
    subscription_status="active",
    payment_failed_at_ns=None,
    tier_effective_at_ns=None,
    shown="bench",
)
FEED = FeedRow(
    id=1,
    exchange_name="bench",
    display_name="Bench",
    ws_endpoint="ws://127.0.0.1",
    symbol_template="{ASSET}",
    source_tag="bench-ws",
)
ROWS = tuple(
    AssetRow(id=number, exchange_name="bench", asset=asset, exchange_symbol=asset)
    for number, asset in enumerate(ASSETS, 1)
)
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"
)


class OneKey:
    """A source of keys that has one."""

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        """Return the key."""
        return KEY if key_hash == KEY.key_hash else None

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        """Return the key if it is asked for."""
        return {each: KEY for each in key_hashes if each == KEY.key_hash}

    async def list_hashes(self, start: str) -> list[str]:
        """Return the key's hash, if it starts so."""
        return [KEY.key_hash] if KEY.key_hash.startswith(start) else []

    async def free_template(self) -> Template:
        """Return the free tier."""
        return FREE_TEMPLATE


async def serve(board: Path) -> None:
    """Serve until killed; the port is printed."""
    clock, randomness = SystemClock(), SystemRandomness()

    async def catalogue() -> CatalogueSnapshot:
        return CatalogueSnapshot((FEED,), ROWS)

    async def texts() -> dict[str, str]:
        return {"stream_connections_per_key": "10000"}

    parts = LpoParts(
        catalogue=Catalogue(catalogue),
        board=BoardReader.open(board),
        keys=KeyRing(OneKey(), clock),
        limiter=Limiter(clock),
        parameters=Parameters(texts),
        usage=UsageBuffer(1_000),
        clock=clock,
        randomness=randomness,
        identity=Identity("Bench", "local", "0", clock.now_ns()),
    )
    await parts.catalogue.refresh()
    await parts.parameters.refresh()
    app = build_lpo_app(parts)
    Background(clock).start("streams", add_streams(app, parts).run)
    manners = Manners(RequestIds(clock, randomness))
    server = HttpServer(app, "127.0.0.1", 0, manners=manners, variable="LPO_PORT")
    await server.start()
    print(server.port, flush=True)
    await asyncio.Event().wait()


async def trade(board: BoardWriter, changes: float) -> None:
    """Change the assets one after the other, each ``changes`` times a second."""
    clock, count = SystemClock(), 0
    pause_s = 0.01
    while True:
        for _ in range(max(1, round(len(ASSETS) * changes * pause_s))):
            count += 1
            now_ns = clock.now_ns()
            tick = Tick(f"{count}.25", "bench-ws", now_ns, now_ns, snapshot=False)
            board.publish(ASSETS[count % len(ASSETS)], tick)
        board.heard("bench-ws", clock.now_ns())
        await asyncio.sleep(pause_s)


async def open_clients(port: int, count: int, way: str) -> list[socket.socket]:
    """Open streams and read nothing but, in the kernel, what fits there."""
    loop = asyncio.get_running_loop()
    head = f"Host: x\r\nAuthorization: Bearer {SECRET}\r\n"
    opened: list[socket.socket] = []
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)  # noqa: FBT003 - the socket module's own word
        await loop.sock_connect(client, ("127.0.0.1", port))
        if way == "sse":
            path = f"/stream/prices?assets={','.join(ASSETS)}"
            asked = f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
        else:
            asked = f"GET /ws/prices HTTP/1.1\r\n{head}{UPGRADE}\r\n".encode()
        await loop.sock_sendall(client, asked)
        if way == "websocket":
            first = await loop.sock_recv(client, 4_096)
            assert first.startswith(b"HTTP/1.1 101"), first
            asked = masked(f'{{"op":"subscribe","assets":"{",".join(ASSETS)}"}}')
            await loop.sock_sendall(client, asked)
        opened.append(client)
    return opened


def masked(text: str) -> bytes:
    """Return a client's frame; its mask is zero, so the text stays as it is."""
    return b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text.encode()


async def answered(clients: Sequence[socket.socket]) -> None:
    """Wait until each client has been answered, and check that it has a stream."""
    for client in clients:
        while True:
            try:
                first = client.recv(12, socket.MSG_PEEK)
                break
            except BlockingIOError:
                await asyncio.sleep(0.01)
        assert first.endswith(b" 200") or first.startswith(b"\x81"), first


async def read_all(clients: Sequence[socket.socket]) -> None:
    """Read what the clients are sent, without looking at it."""
    loop = asyncio.get_running_loop()

    async def read(client: socket.socket) -> None:
        while await loop.sock_recv(client, 65_536):
            pass

    await asyncio.gather(*(read(client) for client in clients))


async def latencies_ms(port: int, seconds: float) -> tuple[float, float]:
    """Ask for a price every 5 ms; return the median and the 99th percentile."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = f"GET /price?asset=A000 HTTP/1.1\r\nHost: x\r\nX-API-Key: {SECRET}\r\n\r\n"
    took: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.perf_counter()
        writer.write(asked.encode())
        await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"}")
        took.append((time.perf_counter() - started) * 1e3)
        await asyncio.sleep(0.005)
    writer.close()
    took.sort()
    return statistics.median(took), took[len(took) * 99 // 100]


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    user, system = stat.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def measure(options: argparse.Namespace, board: BoardWriter, port: int) -> None:
    """Print latencies and memory without clients, with them, and after them."""
    pid: int = options.pid
    trading = asyncio.create_task(trade(board, options.changes))
    print("latency before     p50 %.2f ms, p99 %.2f ms" % await latencies_ms(port, 3))
    empty_mb = memory_mb(pid)
    clients = await open_clients(port, options.clients, options.way)
    await answered(clients)
    reading = [asyncio.create_task(read_all(clients))] if options.read else []
    await asyncio.sleep(1)
    opened_mb, opened_s = memory_mb(pid), cpu_s(pid)
    print("latency meanwhile  p50 %.2f ms, p99 %.2f ms" % await latencies_ms(port, 3))
    peak_mb, until = opened_mb, time.monotonic() + options.seconds
    while time.monotonic() < until:
        await asyncio.sleep(0.5)
        peak_mb = max(peak_mb, memory_mb(pid))
    took_s = cpu_s(pid) - opened_s
    print(f"memory             {empty_mb:.1f} MB empty, {opened_mb:.1f} MB opened")
    print(f"most               {peak_mb:.1f} MB: {peak_mb - empty_mb:+.1f} MB in all")
    print(f"cpu                {took_s / (options.seconds + 3):.0%} of a core")
    for task in [*reading, trading]:
        task.cancel()
    for client in clients:
        client.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--changes", type=float, default=2)
    parser.add_argument("--way", choices=["sse", "websocket"], default="sse")
    parser.add_argument("--read", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve(options.serve))
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "board"
        board = BoardWriter.create(path)
        server = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(path)],
            stdout=subprocess.PIPE,
        )
        try:
            assert server.stdout is not None
            options.pid = server.pid
            uvloop.run(measure(options, board, int(server.stdout.readline())))
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
