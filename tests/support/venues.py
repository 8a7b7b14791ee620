"""What a client of an exchange says, and what was recorded of exchanges."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[3] / "shared"
RECORDINGS = SHARED / "data" / "exchanges"
EXCHANGES = ("coinbase", "gemini", "kraken", "gateio", "bybit", "okx")
TEMPLATES = {
    "coinbase": "{ASSET}-USD",
    "gemini": "{asset}usd",
    "kraken": "{ASSET}/USD",
    "gateio": "{ASSET}_USDT",
    "bybit": "{ASSET}USDT",
    "okx": "{ASSET}-USDT",
}
PINGS = {
    "gemini": '{"id":"ping","method":"ping"}',
    "kraken": '{"method":"ping"}',
    "gateio": '{"time":1790000000,"channel":"spot.ping"}',
    "bybit": '{"op":"ping"}',
    "okx": "ping",
}


@dataclass(frozen=True)
class Row:
    """As much of an exchange's row as a replay needs."""

    id: int
    exchange_name: str
    symbol_template: str


def rows() -> list[Row]:
    """Return the rows of the six exchanges."""
    return [
        Row(number, name, TEMPLATES[name]) for number, name in enumerate(EXCHANGES, 1)
    ]


def symbol(exchange: str, asset: str) -> str:
    """Return how an exchange writes an asset's market."""
    template = TEMPLATES[exchange]
    return template.replace("{ASSET}", asset).replace("{asset}", asset.lower())


def subscribe(exchange: str, symbols: Sequence[str]) -> str:
    """Return a request for the trades of symbols, as the catalogue's rows make it."""
    match exchange:
        case "coinbase":
            channels = ["matches", "heartbeat"]
            request: object = {
                "type": "subscribe",
                "product_ids": list(symbols),
                "channels": channels,
            }
        case "gemini":
            streams = [f"{name}@trade" for name in symbols]
            request = {"id": "1", "method": "subscribe", "params": streams}
        case "kraken":
            params = {"channel": "trade", "symbol": list(symbols), "snapshot": True}
            request = {"method": "subscribe", "params": params}
        case "gateio":
            request = {
                "time": 1_790_000_000,
                "channel": "spot.trades",
                "event": "subscribe",
                "payload": list(symbols),
            }
        case "bybit":
            topics = [f"publicTrade.{name}" for name in symbols]
            request = {"op": "subscribe", "args": topics}
        case _:
            args = [{"channel": "trades", "instId": name} for name in symbols]
            request = {"op": "subscribe", "args": args}
    return json.dumps(request)


def recorded(file: str) -> list[dict[str, Any]]:
    """Return the records of a file below ``RECORDINGS``, or skip the test."""
    if not (RECORDINGS / file).is_file():
        pytest.skip(f"the recordings are not beside the repository: {RECORDINGS}")
    return _records(RECORDINGS / file)


@cache
def _records(path: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()
    ]


def received(records: Iterable[dict[str, Any]]) -> list[str]:
    """Return the frames that were received, in their order."""
    return [r["raw"] for r in records if r["dir"] == "recv" and r.get("raw")]


def catalogue() -> dict[str, dict[str, str]]:
    """Return the symbols of the catalogue by exchange and asset, or skip the test."""
    file = SHARED / "spec" / "exchange_asset_map.json"
    if not file.is_file():
        pytest.skip(f"the catalogue's rows are not beside the repository: {file}")
    symbols: dict[str, dict[str, str]] = {}
    for row in json.loads(file.read_text(encoding="utf-8")):
        assets = symbols.setdefault(row["exchange_name"], {})
        assets[row["asset"]] = row["exchange_symbol"]
    return symbols
