"""How many frames a core decodes, and what a trade costs on its way to the board.

    .venv/bin/python bench/feeds_decode.py [--seconds 1.0]

One line an exchange, over simulated frames of 25 assets each (``../shared``): frames a
second of the decoder alone, over trade frames and over the whole traffic, and of the
whole way of a trade frame, outlier guard and price board included.  The goal is 60,000
trade frames a second.  Medians of five rounds; the JSON arrives as bytes, as the socket
adapter delivers it.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trinity_beast.features.board import BoardWriter
from trinity_beast.features.catalogue import FeedRow
from trinity_beast.features.feeds import FrameDecoder
from trinity_beast.features.feeds.intake import Intake
from trinity_beast.features.feeds.outliers import OutlierGuard
from trinity_beast.features.feeds.status import FeedStatus

SHARED = Path(__file__).parents[2] / "shared"
ROUNDS = 5
GOAL = 60_000


def main() -> None:
    """Measure each exchange and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round")
    seconds: float = parser.parse_args().seconds
    rows: list[dict[str, Any]] = json.loads(_read("exchange_feeds.json"))
    assets: list[dict[str, Any]] = json.loads(_read("exchange_asset_map.json"))
    print(f"{'exchange':10} {'trades':>12} {'all':>12} {'to board':>12}  frames/s")
    for number, columns in enumerate(rows, 1):
        row = FeedRow(id=number, **columns)
        name = row.exchange_name
        file = SHARED / "data" / "exchanges" / "simulated" / f"{name}.jsonl.gz"
        if file.exists():
            symbols = {
                asset["exchange_symbol"]: asset["asset"]
                for asset in assets
                if asset["exchange_name"] == name
            }
            _measure(row, symbols, _frames(file), seconds)


def _measure(
    row: FeedRow,
    symbols: dict[str, str],
    frames: list[tuple[str, bytes]],
    seconds: float,
) -> None:
    decoder = FrameDecoder(row, symbols)
    everything = [raw for _, raw in frames]
    trades = [raw for kind, raw in frames if kind == "trade"]
    now_ns = time.time_ns()

    def decode(raw: bytes) -> None:
        decoder.decode(raw, now_ns)

    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        board = BoardWriter.create(Path(folder) / "board")
        intake = Intake(board, OutlierGuard(), FeedStatus(lambda: None))

        later_ns = itertools.count(now_ns)

        def publish(raw: bytes) -> None:
            # Played again, the frames are old; the board must take them all the same.
            at_ns = next(later_ns)
            trades = decoder.decode(raw, at_ns).trades
            fresh = [trade._replace(traded_at_ns=at_ns) for trade in trades]
            intake.take(row.source_tag, fresh, at_ns)

        rates = (
            _rate(decode, trades, seconds),
            _rate(decode, everything, seconds),
            _rate(publish, trades, seconds),
        )
        board.close()
    verdict = "" if rates[0] >= GOAL else f"  below the goal of {GOAL:,}"
    print(
        f"{row.exchange_name:10} {rates[0]:12,.0f} {rates[1]:12,.0f} {rates[2]:12,.0f}"
        f"{verdict}",
    )


def _rate(
    work: Callable[[bytes], None], frames: Sequence[bytes], seconds: float
) -> float:
    return statistics.median(_one_rate(work, frames, seconds) for _ in range(ROUNDS))


def _one_rate(
    work: Callable[[bytes], None],
    frames: Sequence[bytes],
    seconds: float,
) -> float:
    done, began_s = 0, time.perf_counter()
    while (spent_s := time.perf_counter() - began_s) < seconds:
        for raw in frames:
            work(raw)
        done += len(frames)
    return done / spent_s


def _frames(file: Path) -> list[tuple[str, bytes]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [
        (record["kind"], record["raw"].encode())
        for record in records
        if record["dir"] == "recv"
    ]


def _read(name: str) -> str:
    return (SHARED / "spec" / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
