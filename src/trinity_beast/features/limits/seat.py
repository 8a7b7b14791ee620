"""A process's place among those of its home, by which it is known to the others.

The name outlives the process: whoever takes the seat of a process that was killed is
known by the same name and so takes over the shares that were kept for it.  But when it
died owing, having used places of a share that the count does not know of, its name is
given up, and what was kept for it stays kept until it expires.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from trinity_beast.ports.randomness import Randomness

_RANDOM_BYTES = 4
_OWING = "owing"


class HomeSeat:
    """A seat, held by a lock on a file for as long as the process lives.

    Attributes:
        holder: Name of this process, unique among those that share keys.
    """

    def __init__(self, descriptor: int, holder: str) -> None:
        self._descriptor = descriptor
        self.holder = holder
        self._write("")

    @classmethod
    def take(cls, folder: Path, node: str, randomness: Randomness) -> HomeSeat:
        """Take the first seat of the home that nobody holds.

        Args:
            folder: Where the home keeps its seats; made when it is not there.
            node: Name of the node, the beginning of the holder's name.
            randomness: For the rest of the name, so that two nodes of one name differ.
        """
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while (descriptor := _locked(folder / f"seat-{number}")) is None:
            number += 1
        name, _, state = os.pread(descriptor, 200, 0).decode().partition(" ")
        if not name.startswith(f"{node}-") or state:
            name = f"{node}-{randomness.token_bytes(_RANDOM_BYTES).hex()}"
        return cls(descriptor, name)

    def owe(self) -> None:
        """Note that places were used that the count does not know of."""
        self._write(_OWING)

    def settle(self) -> None:
        """Note that the count knows of all places."""
        self._write("")

    def leave(self) -> None:
        """Let somebody else take the seat."""
        os.close(self._descriptor)

    def _write(self, state: str) -> None:
        text = f"{self.holder} {state}".encode()
        # Longer first, then cut: a process that dies in between still owes.
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))


def _locked(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
