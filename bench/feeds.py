"""From a frame to an answer: decoding per core, and frame-to-visible latency.

    .venv/bin/python bench/feeds.py [--speed 10] [--samples 2000]

1. Frames a second that one core decodes, row by row (bench/feeds_decode.py).
2. A demo at ``speed`` times live traffic runs in a process of its own.  An exchange is
   added to it by INSERT, whose venue is this script: it sends a trade with a new price
   and asks ``GET /price`` over one kept-open connection until that price is
   in the answer.  The figure is the time from handing the frame to the socket until the
   answer with it has arrived here, the asking included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text
from websockets.asyncio.server import ServerConnection, serve

from trinity_beast.adapters.postgres import make_engine

ROOT = Path(__file__).parents[1]
ROW = """
INSERT INTO exchange_feeds (exchange_name, display_name, ws_endpoint, symbol_template,
  source_tag, subscribe_template, trade_channel_match, price_path, symbol_path,
  timestamp_path, timestamp_format)
VALUES ('bench', 'Bench', :url, '{ASSET}-USD', 'bench-ws',
  '{"op":"subscribe","args":{SYMBOLS}}', 'channel=trade', 'price', 'symbol', 'time',
  'unix_ns')
ON CONFLICT (exchange_name) DO UPDATE SET ws_endpoint = excluded.ws_endpoint
"""
ASSET = """
INSERT INTO exchange_asset_map (exchange_name, asset, exchange_symbol)
VALUES ('bench', 'BENCHCOIN', 'BENCHCOIN-USD') ON CONFLICT DO NOTHING
"""
UNLIMITED = """
UPDATE api_keys SET tier = 'partner', rate_limit_qps = 0, burst_limit = 0,
  query_limit = 999999999
"""


class Venue:
    """One exchange with one client."""

    def __init__(self) -> None:
        self.client: asyncio.Future[ServerConnection] = asyncio.Future()

    async def serve(self, connection: ServerConnection) -> None:
        """Keep the client's connection and read what it sends."""
        await connection.recv()
        self.client.set_result(connection)
        async for _ in connection:
            pass

    async def trade(self, price: str) -> None:
        """Send one trade at this moment."""
        frame = {
            "channel": "trade",
            "symbol": "BENCHCOIN-USD",
            "price": price,
            "time": time.time_ns(),
        }
        await (await self.client).send(json.dumps(frame))


class Asker:
    """Asks for one price over one connection, as fast as answers come."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._request = (
            f"GET /price?asset=BENCHCOIN&format=plain HTTP/1.1\r\nHost: b\r\n"
            f"Authorization: Bearer {key}\r\n\r\n"
        ).encode()

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1",
            self._port,
        )

    async def ask(self) -> bytes:
        """Return the body of one answer."""
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        assert length is not None
        return await self._reader.readexactly(int(length[1]))

    async def until(self, price: str) -> int:
        """Ask until the price is there; return how often."""
        wanted = f'"price":{price},'.encode()
        asked = 1
        while wanted not in await self.ask():
            asked += 1
        return asked


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start_demo(home: Path, port: int, speed: float) -> subprocess.Popen[str]:
    """Start the demo on the first core; this script keeps the second."""
    environment = {**os.environ, "BEAST_HOME": str(home), "LPO_PORT": str(port)}
    command = [sys.executable, "-m", "trinity_beast.apps.cli", "demo"]
    return subprocess.Popen(
        ["taskset", "-c", "0", *command, "--speed", str(speed)],
        env={**environment, "LOG_LEVEL": "error"},
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def key_of(demo: subprocess.Popen[str]) -> str:
    """Read the demo's output up to its key."""
    assert demo.stdout is not None
    for line in demo.stdout:
        found = re.search(r"tb_live_\w{38}", line)
        if found:
            return found[0]
    raise SystemExit("the demo ended before it printed a key")


async def add_exchange(home: Path, url: str) -> None:
    """Make the venue known, as an operator would, and lift the demo key's limits."""
    running = json.loads((home / "servers.json").read_text())
    engine = make_engine(running["database_url"], application_name="bench")
    async with engine.begin() as database:
        await database.execute(text(ROW), {"url": url})
        await database.execute(text(ASSET))
        await database.execute(text(UNLIMITED))
    await engine.dispose()


async def measure(port: int, home: Path, key: str, samples: int) -> list[float]:
    """Return the latency of each sample in milliseconds."""
    venue, asker = Venue(), Asker(port, key)
    async with serve(venue.serve, "127.0.0.1", 0) as server:
        address = next(iter(server.sockets)).getsockname()
        await add_exchange(home, f"ws://127.0.0.1:{address[1]}")
        await asyncio.wait_for(venue.client, 10)
        await asker.open()
        await venue.trade("1")
        await asker.until("1")
        taken: list[float] = []
        for number in range(samples):
            price = f"{number + 2}.5"
            start = time.perf_counter()
            await venue.trade(price)
            await asker.until(price)
            taken.append((time.perf_counter() - start) * 1_000)
            await asyncio.sleep(0.003)
        return taken


def main() -> None:
    """Run both benches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--samples", type=int, default=2_000)
    options = parser.parse_args()
    subprocess.run([sys.executable, ROOT / "bench" / "feeds_decode.py"], check=True)
    with tempfile.TemporaryDirectory(prefix="beast-bench-") as folder:
        home, port = Path(folder), free_port()
        demo = start_demo(home, port, options.speed)
        try:
            os.sched_setaffinity(0, {1})
            key = key_of(demo)
            taken = asyncio.run(measure(port, home, key, options.samples))
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(20)
    cuts = statistics.quantiles(taken, n=100)
    print(
        f"frame to visible at {options.speed:g} x live traffic, "
        f"{len(taken)} samples: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms, "
        f"max {max(taken):.2f} ms (goal: p99 < 5 ms)",
    )


if __name__ == "__main__":
    main()
