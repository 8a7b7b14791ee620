"""Recorded frames: how they are read, and which assets they hold prices of."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias, cast

from trinity_beast.adapters.market.errors import RecordingUnreadable
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

UNTIMED_PAUSE_NS = 20 * NS_PER_MS
"""Between two frames when the recording does not say, or time ran backwards."""

LONGEST_PAUSE_NS = 10 * NS_PER_S
"""A recording may be several, sewn together; nobody waits for the hours between."""

_ASSET = re.compile(r"[A-Z0-9]{1,20}")
_PLACEHOLDER = re.compile(r"\{ASSET\}|\{asset\}")
_PLACEHOLDER_LENGTH = len("{ASSET}")


class FeedLike(Protocol):
    """What a replay has to know of an exchange's row."""

    @property
    def id(self) -> int:
        """Return the row's id; a lower one wins an asset that several recorded."""
        ...

    @property
    def exchange_name(self) -> str:
        """Return the exchange's name, which its recording is named for."""
        ...

    @property
    def symbol_template(self) -> str:
        """Return how a symbol is made of an asset: ``{ASSET}-USD``."""
        ...


SymbolsIn: TypeAlias = Callable[[FeedLike, Iterable[str]], Iterable[str]]
"""Returns the symbols of the trades that a row finds in frames."""


class RecordedFrame(NamedTuple):
    """One frame, verbatim, and how long after the one before it came."""

    raw: str
    pause_ns: int


def recording_of(directory: Path, exchange_name: str) -> Path | None:
    """Return the exchange's recording: ``NAME.jsonl`` or ``NAME.jsonl.gz``."""
    if Path(exchange_name).name != exchange_name:
        return None
    files = (directory / f"{exchange_name}{end}" for end in (".jsonl", ".jsonl.gz"))
    return next((file for file in files if file.is_file()), None)


def read_recording(file: Path) -> list[RecordedFrame]:
    """Return the frames that were received, in their order.

    Raises:
        RecordingUnreadable: The file cannot be read or is no recording.
    """
    frames: list[RecordedFrame] = []
    last_s: float | None = None
    for record in _records(file):
        raw, at_s = record.get("raw"), record.get("ts")
        if record.get("dir") != "recv" or not isinstance(raw, str):
            continue
        known_s = float(at_s) if isinstance(at_s, int | float) else None
        frames.append(RecordedFrame(raw, _pause_ns(last_s, known_s) if frames else 0))
        last_s = known_s
    return frames


def asset_of(symbol_template: str, symbol: str) -> str | None:
    """Return the asset that a template makes this symbol of, or None if none does.

    An asset is 1 to 20 capital letters or digits.
    """
    places = list(_PLACEHOLDER.finditer(symbol_template))
    fixed = len(symbol_template) - len(places) * _PLACEHOLDER_LENGTH
    if not places or (len(symbol) - fixed) % len(places):
        return None
    start = places[0].start()
    asset = symbol[start : start + (len(symbol) - fixed) // len(places)].upper()
    if not _ASSET.fullmatch(asset):
        return None
    return asset if _rendered(symbol_template, asset) == symbol else None


def replay_assets(
    row: FeedLike,
    frames: Iterable[str],
    symbols_in: SymbolsIn,
) -> dict[str, str]:
    """Return symbols by asset: the recorded ones that the row can express.

    Args:
        row: The exchange's row.
        frames: Frames as they were received.
        symbols_in: Finds the symbols of the trades in frames.
    """
    assets: dict[str, str] = {}
    for symbol in symbols_in(row, frames):
        asset = asset_of(row.symbol_template, symbol)
        if asset is not None:
            assets.setdefault(asset, symbol)
    return assets


def raw_frames(frames: Sequence[RecordedFrame]) -> Iterator[str]:
    """Yield the frames as they were received."""
    return (frame.raw for frame in frames)


def _records(file: Path) -> Iterator[dict[str, object]]:
    try:
        stored = file.read_bytes()
        lines = gzip.decompress(stored) if file.suffix == ".gz" else stored
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingUnreadable(file=file.name, reason=str(error)) from error
    for number, line in enumerate(lines.splitlines(), 1):
        if line.strip():
            yield _record(file, number, line)


def _record(file: Path, number: int, line: bytes) -> dict[str, object]:
    try:
        record: object = json.loads(line)
    except ValueError as error:
        reason = f"line {number} is not JSON"
        raise RecordingUnreadable(file=file.name, reason=reason) from error
    if not isinstance(record, dict):
        reason = f"line {number} is not a JSON object"
        raise RecordingUnreadable(file=file.name, reason=reason)
    return cast("dict[str, object]", record)


def _pause_ns(last_s: float | None, now_s: float | None) -> int:
    if last_s is None or now_s is None or now_s < last_s:
        return UNTIMED_PAUSE_NS
    return min(round((now_s - last_s) * NS_PER_S), LONGEST_PAUSE_NS)


def _rendered(symbol_template: str, asset: str) -> str:
    return symbol_template.replace("{ASSET}", asset).replace("{asset}", asset.lower())
