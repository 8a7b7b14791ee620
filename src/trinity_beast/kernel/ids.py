"""Identifiers that sort by time.

UUIDv7 puts the milliseconds first, so rows of one month lie in one range of ids and a
table can be partitioned by its primary key.  Source: RFC 9562, section 5.7.
"""

from __future__ import annotations

from uuid import UUID

RANDOM_BYTES = 10
_NS_PER_MS = 1_000_000
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = (1 << 12) - 1
_RANDOM_B = (1 << 62) - 1


def uuid7(at_ns: int, random: bytes) -> UUID:
    """Return the UUIDv7 of an instant.

    Args:
        at_ns: Nanoseconds since the Unix epoch, UTC.
        random: ``RANDOM_BYTES`` random bytes; equal input gives the equal id.
    """
    bits = int.from_bytes(random[:RANDOM_BYTES], "big")
    return UUID(int=_prefix(at_ns) | ((bits >> 62) & _RANDOM_A) << 64 | _low(bits))


def lowest_uuid7(at_ns: int) -> UUID:
    """Return the smallest UUIDv7 of the millisecond of ``at_ns``: a range's bound."""
    return UUID(int=_prefix(at_ns) | _VARIANT)


def _prefix(at_ns: int) -> int:
    return (at_ns // _NS_PER_MS) << 80 | _VERSION


def _low(bits: int) -> int:
    return _VARIANT | (bits & _RANDOM_B)
