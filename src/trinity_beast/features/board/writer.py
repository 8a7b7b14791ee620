"""The one writer of a board.

Hot path: `publish`, measured in bench/feeds.py; budget 5 us a trade.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path
from zlib import crc32

from trinity_beast.features.board import layout
from trinity_beast.features.board.errors import BoardFull, BoardInUse
from trinity_beast.features.board.layout import Record, Tick


class BoardWriter:
    """Publishes prices; there is one writer a board, and a lock that sees to it."""

    def __init__(self, descriptor: int, memory: mmap.mmap) -> None:
        self._descriptor = descriptor
        self._memory = memory
        self._assets: dict[str, tuple[int, Record]] = {}
        self._sources: dict[str, int] = {}
        self._report_sequence = 0
        self._first_sequence = 0
        self._load()

    @classmethod
    def create(cls, path: Path, *, keep_prices: bool = False) -> BoardWriter:
        """Open the board at ``path`` for writing, making it when it is missing.

        Args:
            path: A file; best in a memory file system.
            keep_prices: Whether prices of an earlier run stay on the board, with
                their true ages.  A market that plays the past wants them gone.

        Raises:
            BoardInUse: Another process writes it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise BoardInUse(path=path) from error
        os.ftruncate(descriptor, layout.SIZE)
        memory = mmap.mmap(descriptor, layout.SIZE)
        if not keep_prices or memory[:8] != layout.MAGIC:
            _wipe(memory)
        return cls(descriptor, memory)

    def publish(self, asset: str, tick: Tick) -> bool:
        """Put a price on the board unless a newer trade stands there.

        Of two trades of the same instant the later arrival wins.

        Returns:
            Whether the board shows this tick now.

        Raises:
            BoardFull: There is no room for a new asset or source.
            BoardRefused: The asset's name, the source or the price does not fit.
        """
        index, last = self._assets.get(asset) or self._add_asset(asset)
        if tick.traded_at_ns < last.traded_at_ns:
            return False
        layout.check_price(asset, tick.price)
        record = Record(
            last.sequence + 1,
            tick.traded_at_ns,
            tick.received_at_ns,
            tick.snapshot,
            self._source(tick.source),
            tick.price,
            asset,
        )
        self._assets[asset] = (index, record)
        self._write(layout.record_at(index), layout.pack(record))
        return True

    def heard(self, source: str, at_ns: int) -> None:
        """Note that a source's connection delivered something at ``at_ns``.

        Raises:
            BoardFull: There is no room for a new source.
            BoardRefused: The source's tag does not fit.
        """
        at = layout.source_at(self._source(source))
        layout.HEARD.pack_into(self._memory, at, at_ns)

    def write_report(self, report: bytes) -> None:
        """Put the feed engine's report on the board; one that is too long is cut off.

        A cut report is replaced by an empty one, so that readers see no half JSON.
        """
        body = report if len(report) <= layout.REPORT_LENGTH else b""
        self._report_sequence += 1
        self._write(layout.REPORT_BODY_AT, body)
        header = layout.REPORT.pack(self._report_sequence, crc32(body), len(body))
        self._write(layout.REPORT_AT, header)

    def close(self) -> None:
        """Let go of the board; the prices stay for its readers."""
        self._memory.close()
        os.close(self._descriptor)

    def _write(self, at: int, raw: bytes) -> None:
        self._memory[at : at + len(raw)] = raw

    def _add_asset(self, asset: str) -> tuple[int, Record]:
        layout.check_name(asset, layout.ASSET_LENGTH)
        index = len(self._assets)
        if index >= layout.ASSETS:
            raise BoardFull(name=asset)
        empty = _empty(asset, self._first_sequence)
        self._write(layout.record_at(index), layout.pack(empty))
        self._assets[asset] = (index, empty)
        count = len(self._assets)
        layout.ASSETS_USED.pack_into(self._memory, layout.ASSETS_USED_AT, count)
        return index, empty

    def _source(self, source: str) -> int:
        known = self._sources.get(source)
        if known is not None:
            return known
        layout.check_name(source, layout.SOURCE_LENGTH)
        index = len(self._sources)
        if index >= layout.SOURCES:
            raise BoardFull(name=source)
        raw = layout.SOURCE.pack(0, source.encode())
        self._write(layout.source_at(index), raw)
        self._sources[source] = index
        count = len(self._sources)
        layout.ASSETS_USED.pack_into(self._memory, layout.SOURCES_USED_AT, count)
        return index

    def _load(self) -> None:
        _, assets, sources, generation = layout.HEADER.unpack_from(self._memory)
        self._first_sequence = generation << layout.GENERATION_BITS
        for index in range(sources):
            _, tag = layout.SOURCE.unpack_from(self._memory, layout.source_at(index))
            self._sources[tag.rstrip(b"\0").decode()] = index
        for index in range(assets):
            at = layout.record_at(index)
            raw = self._memory[at : at + layout.RECORD.size]
            record = layout.unpack(raw)
            if record is None:
                # The last writer was killed inside this record: its name is whole,
                # since names are written once, and its price must not be believed.
                record = _repaired(raw)
                self._write(at, layout.pack(record))
            self._assets[record.asset] = (index, record)
        self._report_sequence = layout.REPORT.unpack_from(
            self._memory,
            layout.REPORT_AT,
        )[0]


def _repaired(raw: bytes) -> Record:
    fields = layout.RECORD.unpack(raw)
    asset: bytes = fields[9]
    return _empty(asset.rstrip(b"\0").decode(), fields[0] + 1)


def _empty(asset: str, sequence: int) -> Record:
    return Record(
        sequence,
        traded_at_ns=0,
        received_at_ns=0,
        snapshot=False,
        source_index=0,
        price="",
        asset=asset,
    )


def _wipe(memory: mmap.mmap) -> None:
    generation = 0
    if memory[:8] == layout.MAGIC:
        generation = layout.HEADER.unpack_from(memory)[3] + 1
    memory[: layout.SIZE] = bytes(layout.SIZE)
    layout.HEADER.pack_into(memory, 0, layout.MAGIC, 0, 0, generation)
