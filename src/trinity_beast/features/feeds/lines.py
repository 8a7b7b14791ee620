"""Trying a row on captured frames before it is stored.

``ROWS.json`` is a list of objects with the column names of ``exchange_feeds``; columns
that are left out take the table's defaults.  Frames are lines of JSON objects: ``raw``
the frame, ``n`` its number (else the line's, from 0), ``ts`` when it was received in
seconds; objects whose ``dir`` is there and not ``recv`` are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Final, cast

import msgspec

from trinity_beast.features.catalogue import FeedRow
from trinity_beast.features.feeds.decoder import FrameDecoder
from trinity_beast.features.feeds.errors import (
    ExchangeNotChosen,
    FrameLineInvalid,
    RowsInvalid,
)
from trinity_beast.features.feeds.json_frames import decode_again, decode_json
from trinity_beast.features.feeds.model import Trade
from trinity_beast.features.feeds.stamps import LATEST_NS
from trinity_beast.kernel.time import NS_PER_S

_COLUMNS: Final = frozenset(column.name for column in fields(FeedRow))
_UNREAD: Final = ("created_at", "updated_at")


def read_rows(text: str | bytes) -> tuple[FeedRow, ...]:
    """Return the rows of a file; only decoding needs to be possible with them.

    Raises:
        RowsInvalid: It is no list of objects, or a column is unknown or of a wrong
            type; the reason names the row and the column.
    """
    try:
        found = msgspec.json.decode(text, type=list[dict[str, object]])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RowsInvalid(f"they are no JSON list of objects ({error})") from error
    rows = tuple(_row_of(index, columns) for index, columns in enumerate(found, 1))
    if not rows:
        raise RowsInvalid("the list is empty")
    if len({row.exchange_name for row in rows}) != len(rows):
        raise RowsInvalid("two rows have the same exchange_name")
    return rows


def decode_recording(
    rows: str | bytes,
    frames: Iterable[str | bytes],
    exchange: str | None = None,
) -> Iterator[dict[str, object] | str]:
    """Yield each trade of captured frames, and a text for each line that is no record.

    Args:
        rows: The content of ``ROWS.json``.
        frames: Lines of frames.
        exchange: As for `choose_row`.

    Raises:
        RowsInvalid: The rows cannot be read.
        ExchangeNotChosen: No row has this name.
        FeedRowInvalid: The row cannot work.
    """
    row = choose_row(read_rows(rows), exchange)
    complaints: list[FrameLineInvalid] = []
    for trade in decode_lines(row, frames, complaints.append):
        yield from (error.message for error in complaints)
        complaints.clear()
        yield trade
    yield from (error.message for error in complaints)


def decode_lines(
    row: FeedRow,
    frames: Iterable[str | bytes],
    complain: Callable[[FrameLineInvalid], None] | None = None,
) -> Iterator[dict[str, object]]:
    """Yield each trade of the frames, of whatever symbol, ready for JSON.

    ``timestamp_ns`` is what the frame says, however old or far in the future; without
    a usable trade time it is the record's ``ts``, or null.

    Args:
        row: The exchange that sent the frames.
        frames: Lines; empty ones are passed over.
        complain: Told of each line that is no record, and the others still count;
            without it the first such line ends the reading.

    Raises:
        FeedRowInvalid: The row cannot work.
        FrameLineInvalid: A line is no record, and there is nobody to tell.
    """
    decoder = FrameDecoder(row, None)
    for index, line in enumerate(frames):
        try:
            record = _record_of(line, index)
        except FrameLineInvalid as error:
            if complain is None:
                raise
            complain(error)
            continue
        if record is not None:
            yield from _trades_of(decoder, record)


def choose_row(rows: Sequence[FeedRow], exchange: str | None) -> FeedRow:
    """Return the only row, or the one of this name.

    Args:
        rows: At least one.
        exchange: An ``exchange_name``, or the name of a file that begins with one:
            ``coinbase.jsonl.gz`` means ``coinbase``.  With one row it is not read.

    Raises:
        ExchangeNotChosen: There are several, and none has this name.
    """
    if len(rows) == 1:
        return rows[0]
    name = (exchange or "").rpartition("/")[2]
    for row in rows:
        if row.exchange_name in {name, name.partition(".")[0]}:
            return row
    raise ExchangeNotChosen(", ".join(row.exchange_name for row in rows))


def _row_of(index: int, columns: dict[str, object]) -> FeedRow:
    unknown = sorted(columns.keys() - _COLUMNS)
    if unknown:
        raise RowsInvalid(f"row {index} has no column {', '.join(unknown)}")
    name = columns.get("exchange_name") or f"row {index}"
    # A row that is being tried out may lack what decoding does not need.
    whole: dict[str, object] = {
        "id": index,
        "exchange_name": name,
        "display_name": name,
        "ws_endpoint": "",
        "symbol_template": "{ASSET}",
        "source_tag": f"{name}-ws",
        **{key: value for key, value in columns.items() if key not in _UNREAD},
    }
    try:
        return msgspec.convert(whole, FeedRow)
    except msgspec.ValidationError as error:
        raise RowsInvalid(f"row {index}: {error}") from error


class _Record(msgspec.Struct):
    number: object
    raw: str
    received_at_ns: int | None


def _record_of(line: str | bytes, index: int) -> _Record | None:
    if not line.strip():
        return None
    try:
        found = _read(line)
    except (ValueError, RecursionError) as error:
        raise FrameLineInvalid(index + 1, f"it is no JSON ({error})") from error
    if type(found) is not dict:
        raise FrameLineInvalid(index + 1, "it is no object")
    record = cast("Mapping[str, object]", found)
    if record.get("dir", "recv") != "recv":
        return None
    raw = record.get("raw")
    if not isinstance(raw, str):
        raise FrameLineInvalid(index + 1, "it has no text raw")
    return _Record(record.get("n", index), raw, _received(record.get("ts")))


def _read(line: str | bytes) -> object:
    try:
        return decode_json(line)
    except ValueError as refusal:
        return decode_again(line, refusal)


def _received(ts: object) -> int | None:
    try:
        return int(Decimal(str(ts)) * NS_PER_S)
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _trades_of(decoder: FrameDecoder, record: _Record) -> Iterator[dict[str, object]]:
    # Nothing lies in the future of the last instant, so times stay what they are.
    for trade in decoder.decode(record.raw, LATEST_NS).trades:
        yield {
            "n": record.number,
            "k": trade.place,
            "exchange_symbol": trade.exchange_symbol,
            "price": trade.price,
            "timestamp_ns": _shown_time(trade, record),
        }


def _shown_time(trade: Trade, record: _Record) -> int | None:
    return trade.traded_at_ns if trade.stamped else record.received_at_ns
