"""Who owns a directory of the spool: whoever holds its lock.

A process that died holds no lock, so that its directory is free for the next one; two
processes with one name (each is process 1 of its container) get two directories.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

LOCK_NAME = "lock"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Claim:
    """A directory that is ours until ``release``."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def release(self) -> None:
        """Let go; a directory with nothing in it but the lock is removed."""
        if [entry.name for entry in self.path.iterdir()] == [LOCK_NAME]:
            # Removed while locked, so that nobody can be claiming it.
            (self.path / LOCK_NAME).unlink()
            self.path.rmdir()
        os.close(self._lock)


def claim(path: Path) -> Claim | None:
    """Return the directory as ours, or None if another process holds it."""
    path.mkdir(parents=True, exist_ok=True)
    lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its former owner may have removed the file between our opening and locking it.
        ours = os.path.samestat((path / LOCK_NAME).stat(), os.fstat(lock))
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if ours:
        return Claim(path, lock)
    os.close(lock)
    return None


def claim_named(root: Path, owner: str) -> Claim:
    """Return a directory under ``root`` named for its owner, as ours.

    A second process of the same name gets ``name-2``, and so on.
    """
    name = _UNSAFE.sub("_", owner) or "spool"
    for number in count(1):
        path = root / (name if number == 1 else f"{name}-{number}")
        claimed = claim(path)
        if claimed is not None:
            return claimed
    raise AssertionError  # pragma: no cover - counting never ends


def claim_abandoned(root: Path, ours: Path) -> Iterator[Claim]:
    """Yield the directories beside ours that nobody holds, each as ours."""
    for path in sorted(root.iterdir()):
        if path == ours or not (path / LOCK_NAME).is_file():
            continue
        claimed = claim(path)
        if claimed is not None:
            yield claimed
