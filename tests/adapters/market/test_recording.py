from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from support.venues import Row
from trinity_beast.adapters.market import RecordingUnreadable, replay_assets
from trinity_beast.adapters.market.recording import (
    RecordedFrame,
    asset_of,
    read_recording,
    recording_of,
)


def record(raw: str | None = "x", **more: object) -> str:
    return json.dumps({"n": 1, "dir": "recv", "kind": "trade", "raw": raw, **more})


def test_pauses_are_the_recorded_ones_and_twenty_milliseconds_where_unknown(
    tmp_path: Path,
) -> None:
    file = tmp_path / "okx.jsonl"
    lines = [
        record(None, dir="connect", ts=100.0),
        record("request", dir="send", ts=100.1),
        record("first", ts=100.25),
        record("second", ts=100.5),
        "",
        record("hours later", ts=9_999.0),
        record("earlier", ts=50.0),
        record("untimed"),
        record("timed again", ts=50.5),
        record(None, ts=51.0),
    ]
    file.write_text("\n".join(lines), encoding="utf-8")

    assert read_recording(file) == [
        RecordedFrame("first", 0),
        RecordedFrame("second", 250_000_000),
        RecordedFrame("hours later", 10_000_000_000),
        RecordedFrame("earlier", 20_000_000),
        RecordedFrame("untimed", 20_000_000),
        RecordedFrame("timed again", 20_000_000),
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", b"{}\nnonsense\n", "a.jsonl .* line 2 is not JSON"),
        ("a.jsonl", b"[]\n", "a.jsonl .* line 1 is not a JSON object"),
        ("a.jsonl.gz", b"not gzip", "a.jsonl.gz cannot be played back"),
        (
            "a.jsonl.gz",
            gzip.compress(b"{}\n" * 99, mtime=0)[:-9],
            "a.jsonl.gz cannot be",
        ),
    ],
)
def test_what_is_no_recording_is_named(
    name: str,
    content: bytes,
    reason: str,
    tmp_path: Path,
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(RecordingUnreadable, match=reason):
        read_recording(tmp_path / name)


def test_a_recording_is_found_by_its_exchange_compressed_or_not(tmp_path: Path) -> None:
    for name in ("okx.jsonl", "okx.jsonl.gz", "kraken.jsonl.gz", "okx.truth.jsonl"):
        (tmp_path / name).touch()

    found = [
        recording_of(tmp_path / "deeper" if name.startswith(".") else tmp_path, name)
        for name in ("okx", "kraken", "gemini", "../okx")
    ]
    assert found == [tmp_path / "okx.jsonl", tmp_path / "kraken.jsonl.gz", None, None]


@pytest.mark.parametrize(
    ("template", "symbol", "asset"),
    [
        ("{ASSET}-USD", "BTC-USD", "BTC"),
        ("{ASSET}-USD", "BTC-EUR", None),
        ("{ASSET}-USD", "btc-USD", None),
        ("{ASSET}-USD", "-USD", None),
        ("{ASSET}/USD", "ETH/USDT", None),
        ("{asset}usd", "btcusd", "BTC"),
        ("{asset}usd", "BTCusd", None),
        ("{ASSET}USDT", "1INCHUSDT", "1INCH"),
        ("{ASSET}-USDT", "BTC-USDT-SWAP", None),
        ("t{ASSET}{asset}", "tBTCbtc", "BTC"),
        ("t{ASSET}{asset}", "tBTCbt", None),
        ("BTC-USD", "BTC-USD", None),
        ("{ASSET}-USD", "A" * 21 + "-USD", None),
        ("{ASSET}-USD", "U-S-USD", None),
        ("{ASSET}-USD", "", None),
    ],
)
def test_an_asset_is_what_the_template_makes_the_symbol_of(
    template: str,
    symbol: str,
    asset: str | None,
) -> None:
    assert asset_of(template, symbol) == asset


@given(
    asset=st.text("ABCXYZ019", min_size=1, max_size=20),
    template=st.sampled_from(["{ASSET}-USD", "{asset}usd", "x{asset}_{ASSET}y"]),
)
def test_every_symbol_that_a_template_makes_leads_back_to_its_asset(
    asset: str,
    template: str,
) -> None:
    symbol = template.replace("{ASSET}", asset).replace("{asset}", asset.lower())

    assert asset_of(template, symbol) == asset


def test_only_symbols_that_the_row_can_express_have_assets() -> None:
    def symbols_in(row: object, frames: Iterable[str]) -> Iterable[str]:
        return frames

    row = Row(1, "coinbase", "{ASSET}-USD")
    symbols = ["SKL-USD", "SKL-BTC", "BTC-USD", "SKL-USD", "BAND-GBP"]
    assert replay_assets(row, symbols, symbols_in) == {
        "SKL": "SKL-USD",
        "BTC": "BTC-USD",
    }
