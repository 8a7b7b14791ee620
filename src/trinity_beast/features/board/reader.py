"""A reader of the board; any number of processes may have one.

Hot path: `quote`, measured in bench/feeds.py; budget 1 us for an unchanged price.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from zlib import crc32

from trinity_beast.features.board import layout
from trinity_beast.features.board.errors import BoardUnreadable
from trinity_beast.features.board.layout import Quote, Record

_TRIES = 100

# Bound once: `quote` runs for each answer, and each look-up and call counts there.
_RECORD_AT = layout.RECORD_AT
_RECORD_SIZE = layout.RECORD_SIZE
_sequence_in = layout.SEQUENCE.unpack_from


class BoardReader:
    """Reads prices without ever making the writer wait."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self._index: dict[str, int] = {}
        self._sources: list[str] = []
        self._quotes: dict[str, Quote] = {}
        self._report = b""

    @classmethod
    def open(cls, path: Path) -> BoardReader:
        """Open the board at ``path`` for reading.

        Raises:
            BoardUnreadable: There is none, or it is not one of this layout.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise BoardUnreadable(path=path) from error
        try:
            if os.fstat(descriptor).st_size != layout.SIZE:
                raise BoardUnreadable(path=path)
            memory = mmap.mmap(descriptor, layout.SIZE, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        if memory[:8] != layout.MAGIC:
            memory.close()
            raise BoardUnreadable(path=path)
        return cls(memory)

    def quote(self, asset: str) -> Quote | None:
        """Return the newest price of an asset, or None when there is none yet."""
        index = self._index.get(asset)
        if index is None:
            index = self._find(asset)
            if index is None:
                return None
        at = _RECORD_AT + index * _RECORD_SIZE
        known = self._quotes.get(asset)
        if known is not None and known.sequence == _sequence_in(self._memory, at)[0]:
            return known
        return self._read(asset, at)

    def heard_at_ns(self, source: str) -> int:
        """Return when a source last delivered anything; 0 means never."""
        if source not in self._sources:
            self._scan_sources()
            if source not in self._sources:
                return 0
        at = layout.source_at(self._sources.index(source))
        heard: int = layout.HEARD.unpack_from(self._memory, at)[0]
        return heard

    def assets(self) -> tuple[str, ...]:
        """Return the names of all assets that have a record, in order of arrival."""
        self._scan_assets()
        return tuple(self._index)

    def report(self) -> bytes:
        """Return the feed engine's newest whole report; empty when there is none."""
        for _ in range(_TRIES):
            _, checksum, length = layout.REPORT.unpack_from(
                self._memory,
                layout.REPORT_AT,
            )
            end = layout.REPORT_BODY_AT + length
            body = self._memory[layout.REPORT_BODY_AT : end]
            if crc32(body) == checksum:
                self._report = body
                break
        return self._report

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def _read(self, asset: str, at: int) -> Quote | None:
        for _ in range(_TRIES):
            record = layout.unpack(self._memory[at : at + layout.RECORD.size])
            if record is None:
                continue
            if record.asset == asset:
                return self._keep(record)
            return self._start_over(asset)
        # The writer died inside this record; what stood there before is still true
        # as of its own time, and its age is told with it.
        return self._quotes.get(asset)

    def _start_over(self, asset: str) -> Quote | None:
        # A new writer wiped the board: names stand elsewhere now, or nowhere.
        self._index.clear()
        self._quotes.clear()
        self._sources.clear()
        self._scan_assets()
        return self.quote(asset) if asset in self._index else None

    def _keep(self, record: Record) -> Quote | None:
        if not record.price:
            self._quotes.pop(record.asset, None)
            return None
        quote = Quote(
            record.asset,
            record.price,
            self._source(record.source_index),
            record.traded_at_ns,
            record.received_at_ns,
            layout.as_of_ns(record.traded_at_ns, record.received_at_ns),
            record.snapshot,
            record.sequence,
        )
        self._quotes[record.asset] = quote
        return quote

    def _source(self, index: int) -> str:
        if index >= len(self._sources):
            self._scan_sources()
        return self._sources[index]

    def _find(self, asset: str) -> int | None:
        used = layout.ASSETS_USED.unpack_from(self._memory, layout.ASSETS_USED_AT)[0]
        if used == len(self._index):
            return None
        self._scan_assets()
        return self._index.get(asset)

    def _scan_assets(self) -> None:
        used = layout.ASSETS_USED.unpack_from(self._memory, layout.ASSETS_USED_AT)[0]
        for index in range(len(self._index), used):
            at = layout.record_at(index)
            fields = layout.RECORD.unpack_from(self._memory, at)
            self._index[fields[9].rstrip(b"\0").decode()] = index

    def _scan_sources(self) -> None:
        used = layout.ASSETS_USED.unpack_from(self._memory, layout.SOURCES_USED_AT)[0]
        for index in range(len(self._sources), used):
            _, tag = layout.SOURCE.unpack_from(self._memory, layout.source_at(index))
            self._sources.append(tag.rstrip(b"\0").decode())
