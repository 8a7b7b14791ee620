"""Exchanges that do what a test says, boards that remember, rows to begin with."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from trinity_beast.features.board import Tick
from trinity_beast.features.catalogue import AssetRow, CatalogueSnapshot, FeedRow
from trinity_beast.ports.exchanges import (
    ExchangeClosed,
    ExchangeSocket,
    ExchangeUnreachable,
)

SHARED = Path(__file__).parents[3] / "shared"
FRAMES = SHARED / "data" / "exchanges"

PLAIN = FeedRow(
    id=1,
    exchange_name="plain",
    display_name="Plain",
    ws_endpoint="wss://plain.example/feed",
    symbol_template="{ASSET}-USD",
    source_tag="plain-ws",
    subscribe_template='{"op":"subscribe","args":{SYMBOLS}}',
    trade_channel_match="type=trade",
    price_path="price",
    symbol_path="symbol",
    timestamp_path="time",
)
"""A row of no exchange in particular."""


def trade_frame(symbol: str, price: str, time: object = "2026-09-21T14:13:20Z") -> str:
    """Return a trade as the plain exchange writes it."""
    frame = {"type": "trade", "symbol": symbol, "price": price, "time": time}
    return json.dumps(frame)


def asset_rows(exchange: str, assets: Iterable[str]) -> tuple[AssetRow, ...]:
    """Return the mapping of assets to the symbols of the plain exchange."""
    return tuple(
        AssetRow(
            id=number,
            exchange_name=exchange,
            asset=asset,
            exchange_symbol=f"{asset}-USD",
        )
        for number, asset in enumerate(assets, 1)
    )


def snapshot_of(row: FeedRow, *assets: str) -> CatalogueSnapshot:
    """Return a catalogue of one exchange."""
    return CatalogueSnapshot((row,), asset_rows(row.exchange_name, assets))


def shared(path: Path) -> Path:
    """Return a file beside the repository, or skip the test that needs it."""
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository: {path}")
    return path


@cache
def seeded_rows() -> dict[str, FeedRow]:
    """Return the rows of the known exchanges by name."""
    text = shared(SHARED / "spec" / "exchange_feeds.json").read_text()
    rows = [FeedRow(id=number, **row) for number, row in enumerate(json.loads(text), 1)]
    return {row.exchange_name: row for row in rows}


@cache
def seeded_symbols(exchange: str) -> dict[str, str]:
    """Return the assets of a known exchange by symbol."""
    text = shared(SHARED / "spec" / "exchange_asset_map.json").read_text()
    return {
        row["exchange_symbol"]: row["asset"]
        for row in json.loads(text)
        if row["exchange_name"] == exchange
    }


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a compressed file of JSON lines."""
    with gzip.open(shared(path), "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


class RecordingBoard:
    """Remembers what it was told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.ticks: list[tuple[str, Tick]] = []
        self.heards: list[tuple[str, int]] = []
        self.reports: list[dict[str, Any]] = []
        self._changed = asyncio.Event()

    def publish(self, asset: str, tick: Tick) -> bool:
        self.ticks.append((asset, tick))
        self._changed.set()
        return True

    def heard(self, source: str, at_ns: int) -> None:
        self.heards.append((source, at_ns))

    def write_report(self, report: bytes) -> None:
        self.reports.append(json.loads(report))
        self._changed.set()

    @property
    def prices(self) -> dict[str, str]:
        """Return the last price of each asset."""
        return {asset: tick.price for asset, tick in self.ticks}

    async def until(self, fulfilled: Callable[[], bool]) -> None:
        """Wait until something holds; it is asked after each price and report."""
        async with asyncio.timeout(10):
            while not fulfilled():
                self._changed.clear()
                await self._changed.wait()


Answer = Callable[[str], Iterable[str]]


class ScriptedSocket:
    """One connection to a scripted exchange, seen from both ends."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._reason = "1000 closed by us"
        self.sent: list[str] = []
        self.closed = False

    async def send(self, text: str) -> None:
        if self.closed:
            raise ExchangeClosed(reason=self._reason)
        self.sent.append(text)
        for frame in self._answer(text):
            self._frames.put_nowait(frame)

    async def receive(self) -> str | bytes:
        frame = await self._frames.get()
        if frame is None:
            raise ExchangeClosed(reason=self._reason)
        return frame

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._frames.put_nowait(None)

    def say(self, *frames: str | bytes) -> None:
        """Let the exchange send."""
        for frame in frames:
            self._frames.put_nowait(frame)

    def hang_up(self, reason: str = "1006 the connection broke") -> None:
        """Let the exchange close."""
        self._reason = reason
        self.closed = True
        self._frames.put_nowait(None)


class ScriptedExchanges:
    """Opens connections to an exchange that lives in the test."""

    def __init__(self, answer: Answer = lambda _: ()) -> None:
        self.answer = answer
        self.sockets: list[ScriptedSocket] = []
        self.urls: list[str] = []
        self.unreachable: str | None = None

    async def connect(self, url: str) -> ExchangeSocket:
        self.urls.append(url)
        if self.unreachable is not None:
            raise ExchangeUnreachable(reason=self.unreachable)
        socket = ScriptedSocket(self.answer)
        self.sockets.append(socket)
        return socket

    @property
    def socket(self) -> ScriptedSocket:
        """Return the newest connection."""
        return self.sockets[-1]


def row_with(**changes: Any) -> FeedRow:  # noqa: ANN401 - columns have many types
    """Return the plain row with some columns changed."""
    return replace(PLAIN, **changes)
