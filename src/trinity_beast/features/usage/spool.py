"""Batches on disk while the queue is away, replayed in order when it is back.

A directory of numbered segment files for each process.  What ``append`` returned for is
on the disk itself, not in a cache.  A segment goes when each of its batches was
published; after a crash in the middle it is published again from its start, which the
batch ids make harmless.

The methods block on the disk: call them in a thread.  They may run in several at once.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from trinity_beast.features.usage.claims import Claim, claim_abandoned, claim_named
from trinity_beast.features.usage.errors import SpoolFull
from trinity_beast.features.usage.segments import Segment, framed, parse_segment
from trinity_beast.toolkit.tolerating import tolerating

DEFAULT_LIMIT_BYTES = 1 << 30
SEGMENT_BYTES = 8 << 20
SEGMENT = ".segment"

_log = structlog.get_logger("usage.spool")
_DIGITS = 16


@dataclass(frozen=True, slots=True, eq=False)
class SpooledBatch:
    """A batch as it was read from the spool."""

    body: bytes


class Spool:
    """The batches of one process, and those that dead processes left behind."""

    def __init__(
        self,
        root: Path,
        owner: str,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Claim a directory under ``root`` and take over the abandoned ones.

        Args:
            root: Where the directories of all processes are.
            owner: Name of this process, its node and process id for instance.
            limit_bytes: Most bytes on disk, those taken over included.
            segment_bytes: A file that is larger gets no more batches.
        """
        self._root = root
        self._limit_bytes = limit_bytes
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._claim: Claim = claim_named(root, owner)
        self._sizes: dict[Path, int] = {}
        self._batches: deque[SpooledBatch] = deque()
        self._writing: Path | None = None
        self._number = 0
        for path in _numbered(self._claim.path):
            self._number = int(path.stem)
            self._count(path)
        self.adopt()

    @property
    def directory(self) -> Path:
        """Return where the batches of this process are."""
        return self._claim.path

    @property
    def is_empty(self) -> bool:
        """Return whether nothing waits to be published."""
        return not self._sizes

    @property
    def waiting_bytes(self) -> int:
        """Return how many bytes wait on disk."""
        return sum(tuple(self._sizes.values()))

    def adopt(self) -> None:
        """Take over what processes that are gone left behind."""
        with self._lock:
            for abandoned in claim_abandoned(self._root, self._claim.path):
                for path in _numbered(abandoned.path):
                    ours = self._next_path().with_suffix(path.suffix)
                    self._count(path.rename(ours))
                    _log.info("took over a segment", directory=path.parent.name)
                abandoned.release()

    def append(self, bodies: Sequence[bytes]) -> None:
        """Put batches on the disk, all or none of them.

        Raises:
            SpoolFull: The limit is reached, or the disk did not take the bytes.
        """
        data = framed(bodies)
        with self._lock:
            if self.waiting_bytes + len(data) > self._limit_bytes:
                raise SpoolFull(reason=f"{self._limit_bytes} bytes are its limit")
            try:
                self._write(data)
            except OSError as error:
                raise SpoolFull(reason=os.strerror(error.errno or 0)) from error

    def oldest(self) -> SpooledBatch | None:
        """Return the batch to publish next, or None; it stays until forgotten."""
        with self._lock:
            while not self._batches and self._sizes:
                self._load(next(iter(self._sizes)))
            return self._batches[0] if self._batches else None

    def forget(self, batch: SpooledBatch) -> None:
        """Remove a batch that was published; twice is not an error."""
        with self._lock:
            if self._batches and self._batches[0] is batch:
                self._batches.popleft()
                if not self._batches:
                    self._remove(next(iter(self._sizes)))

    def close(self) -> None:
        """Give the directory up; what is in it waits for the next process."""
        with self._lock:
            self._claim.release()

    def _write(self, data: bytes) -> None:
        path = self._writing or self._next_path()
        size = self._sizes.get(path, 0)
        # Whatever fails below, this file gets nothing more.
        self._writing = None
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _write_safely(descriptor, data, size)
            if not size:
                _sync_directory(path.parent)
        except OSError:
            if not size:
                path.unlink()
            raise
        finally:
            os.close(descriptor)
        self._sizes[path] = size + len(data)
        self._writing = path if self._sizes[path] < self._segment_bytes else None

    def _load(self, path: Path) -> None:
        """Read a whole segment; one that has nothing to give goes at once."""
        if path == self._writing:
            self._writing = None
        try:
            segment = parse_segment(path.read_bytes())
        except OSError as error:
            segment = Segment((), f"unreadable: {error}")
        if segment.fault:
            whole = len(segment.bodies)
            _log.warning(
                "spool segment is not whole",
                segment=path.name,
                fault=segment.fault,
                whole_batches=whole,
            )
            _keep_a_copy(path)
        self._batches.extend(SpooledBatch(body) for body in segment.bodies)
        if not self._batches:
            self._remove(path)

    def _remove(self, path: Path) -> None:
        del self._sizes[path]
        with tolerating(OSError, because="publishing its batches again does no harm"):
            path.unlink()

    def _count(self, path: Path) -> None:
        if path.suffix == SEGMENT:
            self._sizes[path] = path.stat().st_size

    def _next_path(self) -> Path:
        self._number += 1
        return self._claim.path / f"{self._number:0{_DIGITS}d}{SEGMENT}"


def _numbered(directory: Path) -> list[Path]:
    """Return the segments of a directory, kept copies included, oldest first."""
    return sorted(directory.glob("[0-9]" * _DIGITS + ".*"))


def _keep_a_copy(path: Path) -> None:
    """Keep a segment that is not whole under another name, for somebody to look at.

    A second name for the same bytes: it works on a full disk too.
    """
    with tolerating(OSError, because="the copy is for curiosity only"):
        path.with_suffix(".damaged").hardlink_to(path)


def _write_safely(descriptor: int, data: bytes, size: int) -> None:
    """Append and wait for the disk; on failure leave the file as long as it was."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        with tolerating(OSError, because="a torn tail is known for what it is"):
            os.ftruncate(descriptor, size)
        raise


def _sync_directory(path: Path) -> None:
    """Wait until the disk knows a new file's name too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
