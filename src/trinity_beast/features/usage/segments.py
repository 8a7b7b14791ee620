"""The spool's files as bytes: frames of length, checksum and body."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

_FRAME = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Segment:
    """What a segment file holds.

    Attributes:
        bodies: The whole ones, oldest first.
        fault: What is wrong with the rest, or empty: ``torn`` when the last write was
            cut off (a crash: it was never reported as safe), ``damaged`` when bytes
            that had been written are no longer what they were.
    """

    bodies: tuple[bytes, ...]
    fault: str = ""


def framed(bodies: Iterable[bytes]) -> bytes:
    """Return the bodies as frames, one after the other."""
    return b"".join(_FRAME.pack(len(body), zlib.crc32(body)) + body for body in bodies)


def parse_segment(data: bytes) -> Segment:
    """Return the bodies of a segment up to the first that is not whole."""
    bodies: list[bytes] = []
    start = 0
    while start < len(data):
        if len(data) - start < _FRAME.size:
            return Segment(tuple(bodies), "torn")
        length, checksum = _FRAME.unpack_from(data, start)
        body = data[start + _FRAME.size : start + _FRAME.size + length]
        # No batch is empty: a length of 0 is a tail that the disk never wrote.
        if len(body) < max(length, 1):
            return Segment(tuple(bodies), "torn")
        if zlib.crc32(body) != checksum:
            return Segment(tuple(bodies), "damaged")
        bodies.append(body)
        start += _FRAME.size + length
    return Segment(tuple(bodies))
