"""UDP prices beside a bare echo in C and one of uvloop, on one core each.

    .venv/bin/python bench/udp.py [--rounds 3] [--seconds 1.0]

The servers run on core 0 and the load on core 1; they take turns.  Ours does all that
it does in production: price board, key slots, bucket, month, and usage records, which
are packed and handed to a Valkey stream meanwhile.  Printed are the medians of the
rounds: answers a second, processor time of the server for each, and the ratios to the
peers.  At the end the records in the stream are counted: as many as answers.

The C parts are compiled on the spot; without a C compiler there is nothing to compare.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import NamedTuple

import uvloop
from udp_server import ASSETS, SECRET, serve_echo, serve_prices

from trinity_beast.adapters.embedded.installation import valkey_program
from trinity_beast.features.board import BoardWriter, Tick
from trinity_beast.features.keys import hash_of
from trinity_beast.features.prices.udp_wire import mac_of

HERE = Path(__file__).parent
SERVER_CORE, LOAD_CORE = 0, 1
SOCKETS, WINDOW = 8, 32
TRADES_PER_S = 200
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SIGNED = 120_000


class Figures(NamedTuple):
    """What one round of load on one server came to."""

    per_second: float
    cpu_us: float
    answered: int
    errors: int
    lost: int


@dataclass
class Peer:
    """A server that is measured, with the requests that it is sent."""

    name: str
    process: subprocess.Popen[str]
    port: int
    requests: str
    rounds: list[Figures]

    def median(self) -> Figures:
        """Return the medians of its rounds, and the sums of its counts."""
        return Figures(
            statistics.median(each.per_second for each in self.rounds),
            statistics.median(each.cpu_us for each in self.rounds),
            sum(each.answered for each in self.rounds),
            sum(each.errors for each in self.rounds),
            sum(each.lost for each in self.rounds),
        )


def pinned(
    core: int,
    command: Sequence[str | Path],
    *,
    told: bool = True,
) -> subprocess.Popen[str]:
    """Start a program on one core."""
    text = [str(word) for word in command]
    cores = min(os.cpu_count() or 1, core + 1) - 1
    process = subprocess.Popen(text, stdout=PIPE if told else DEVNULL, text=True)
    os.sched_setaffinity(process.pid, {cores})
    return process


def compiled(folder: Path) -> bool:
    """Compile the C parts; tell whether there is a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return False
    for name in ("udp_echo", "udp_load"):
        source = str(HERE / f"{name}.c")
        subprocess.run(
            [compiler, "-O2", "-o", str(folder / name), source],
            check=True,
        )
    return True


@contextmanager
def valkey(folder: Path) -> Generator[str]:
    """Run a Valkey beside the load, and give its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    options = ["--port", str(port), "--save", "", "--dir", str(folder)]
    command = [valkey_program(), "--bind", "127.0.0.1", *options]
    process = pinned(LOAD_CORE, command, told=False)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"valkey://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def trading(board: Path) -> Generator[None]:
    """Put trades on a price board for the length of the block."""
    writer = BoardWriter.create(board)
    ended = threading.Event()

    def trade() -> None:
        os.sched_setaffinity(0, {min(os.cpu_count() or 1, LOAD_CORE + 1) - 1})
        number = len(ASSETS)
        while not ended.wait(1 / TRADES_PER_S):
            number += 1
            publish(writer, ASSETS[number % len(ASSETS)], f"{number}.50")

    for asset in ASSETS:
        publish(writer, asset, "65000.25")
    thread = threading.Thread(target=trade)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        writer.close()


def publish(writer: BoardWriter, asset: str, price: str) -> None:
    """Put one trade on the board."""
    now_ns = time.time_ns()
    writer.publish(asset, Tick(price, "coinbase-ws", now_ns, now_ns, snapshot=False))
    writer.heard("coinbase-ws", now_ns)


def signed_requests() -> str:
    """Return signed datagrams, each with a number of its own."""
    key_hash, now_ms = hash_of(SECRET), time.time_ns() // 1_000_000
    lines: list[str] = []
    for number in range(SIGNED):
        asset = ASSETS[number % len(ASSETS)]
        line = f"TB1 {key_hash[:16]} {now_ms} {number:016x} {asset}"
        lines.append(f"{line} {mac_of(line.encode(), key_hash).decode()}")
    return "\n".join(lines)


def cpu_s(pid: int) -> float:
    """Return how long a process and its threads have used a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def load(folder: Path, peer: Peer, seconds: float) -> Figures:
    """Ask a server as fast as it answers."""
    before_s = cpu_s(peer.process.pid)
    command = ["taskset", "-c", LOAD_CORE, folder / "udp_load"]
    done = subprocess.run(
        [str(it) for it in [*command, peer.port, seconds, SOCKETS, WINDOW]],
        input=peer.requests,
        stdout=PIPE,
        check=True,
        text=True,
    )
    counted: dict[str, float] = json.loads(done.stdout)
    used_s = cpu_s(peer.process.pid) - before_s
    answered = int(counted["answered"])
    return Figures(
        answered / counted["seconds"],
        used_s / max(answered, 1) * 1e6,
        answered,
        int(counted["errors"]),
        int(counted["lost"]),
    )


def first_line(process: subprocess.Popen[str]) -> int:
    """Return the port that a server prints."""
    assert process.stdout is not None
    return int(process.stdout.readline())


@contextmanager
def serving(folder: Path, url: str) -> Generator[list[subprocess.Popen[str]]]:
    """Run the servers: the C echo, that of uvloop, and ours."""
    me = [sys.executable, __file__, "--serve"]
    commands: list[list[str | Path]] = [
        [folder / "udp_echo"],
        [*me, "echo"],
        [*me, "prices", f"{folder / 'board'} {url}"],
    ]
    processes = [pinned(SERVER_CORE, command) for command in commands]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure(folder: Path, rounds: int, seconds: float) -> None:
    """Start all servers, let them take turns, and print what came out."""
    with (
        valkey(folder) as url,
        trading(folder / "board"),
        serving(folder, url) as (echo, plain, ours),
    ):
        ports = {each.pid: first_line(each) for each in (echo, plain, ours)}
        one = f"{SECRET} BTC"
        mixed = "\n".join(f"{SECRET} {ASSETS[n % 150]} r{n}" for n in range(4096))
        eight = f"{SECRET} {','.join(ASSETS[:8])}"
        kinds = [
            ("C echo", echo, one),
            ("uvloop echo", plain, one),
            ("prices", ours, one),
            ("prices, 150 assets, ids", ours, mixed),
            ("prices, 8 assets", ours, eight),
        ]
        peers = [Peer(name, it, ports[it.pid], text, []) for name, it, text in kinds]
        for _ in range(rounds):
            for peer in peers:
                peer.rounds.append(load(folder, peer, seconds))
        signed = Peer("prices, signed", ours, ports[ours.pid], signed_requests(), [])
        signed.rounds.append(load(folder, signed, min(seconds, 1.0)))
        report([*peers, signed])
        ours.send_signal(signal.SIGTERM)
        assert ours.stdout is not None
        told: dict[str, int] = json.loads(ours.stdout.read())
        answers = sum(it.median().answered for it in [*peers[2:], signed])
        print(f"{answers} answers;", *(f"{told[it]} {it}" for it in told))


def report(peers: list[Peer]) -> None:
    """Print the medians, and the ratios to the peers."""
    c_echo, uvloop_echo = (peer.median().per_second for peer in peers[:2])
    head = f"{'answers/s':>10}{'CPU us':>8}{'x C':>7}{'x uvloop':>9}  errors lost"
    print(" " * 26 + head)
    for peer in peers:
        it = peer.median()
        print(
            f"{peer.name:26}{it.per_second:10.0f}{it.cpu_us:8.2f}"
            f"{it.per_second / c_echo:7.2f}{it.per_second / uvloop_echo:9.2f}"
            f"  {it.errors:6} {it.lost:4}",
        )


def main() -> None:
    """Measure and print; or be one of the servers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        kind, *where = arguments.serve
        server = serve_echo() if kind == "echo" else serve_prices(*where[0].split())
        uvloop.run(server)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not compiled(folder):
            print("There is no C compiler (cc): nothing to compare with.")
            return
        measure(folder, arguments.rounds, arguments.seconds)


if __name__ == "__main__":
    main()
