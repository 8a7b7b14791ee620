"""Where each byte of the board stands; pure.

All numbers are little-endian.  A record carries a CRC-32 over its content instead of
relying on the order in which a processor makes stores visible, so the board is right
on every architecture, and a writer that is killed half-way leaves a record that is
seen to be broken rather than a false price.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple
from zlib import crc32

from trinity_beast.features.board.errors import BoardRefused
from trinity_beast.kernel.price_text import MAX_TEXT_LENGTH
from trinity_beast.kernel.time import NS_PER_S

MAGIC = b"TBBOARD1"
ASSETS = 1024
SOURCES = 64
ASSET_LENGTH = 20
SOURCE_LENGTH = 32
REPORT_LENGTH = 1 << 20
LATE_AFTER_NS = 5 * NS_PER_S
"""Older than this on arrival is backfill: the age of it counts from the trade."""

HEADER = Struct("<8sIII")
"""Magic, number of assets in use, number of sources in use, generation."""
HEADER_SIZE = 64
ASSETS_USED = Struct("<I")
ASSETS_USED_AT = 8
SOURCES_USED_AT = 12

GENERATION_BITS = 40
"""Sequences of a wiped board start above all earlier ones, so readers notice."""

SOURCE = Struct(f"<q{SOURCE_LENGTH}s")
SOURCE_AT = HEADER_SIZE
HEARD = Struct("<q")

SEQUENCE = Struct("<Q")
RECORD = Struct(f"<QIqqBBBB{MAX_TEXT_LENGTH}s{ASSET_LENGTH}s")
RECORD_SIZE = 128
RECORD_AT = SOURCE_AT + SOURCES * SOURCE.size

REPORT = Struct("<QII")
"""Sequence, checksum, length."""
REPORT_AT = RECORD_AT + ASSETS * RECORD_SIZE
REPORT_BODY_AT = REPORT_AT + REPORT.size
SIZE = REPORT_BODY_AT + REPORT_LENGTH

_CHECKED_FROM = 12


class Tick(NamedTuple):
    """A trade on its way to the board.

    Attributes:
        price: Plain decimal digits, as ``kernel.price_text`` passes them.
        source: The feed's source tag, such as ``coinbase-ws``.
        traded_at_ns: The exchange's trade time.
        received_at_ns: When its frame arrived here.
        snapshot: Whether it was history when it arrived, not a live trade.
    """

    price: str
    source: str
    traded_at_ns: int
    received_at_ns: int
    snapshot: bool


class Quote(NamedTuple):
    """The newest known price of an asset.

    Attributes:
        asset: Normalised name, such as ``BTC``.
        price: USD or USDT, plain decimal digits as the exchange wrote them.
        source: The feed's source tag.
        traded_at_ns: The exchange's trade time.
        received_at_ns: When its frame arrived here.
        as_of_ns: What the age counts from: the arrival, or the trade itself when the
            price was already ``LATE_AFTER_NS`` old on arrival.
        snapshot: Whether it was history when it arrived.
        sequence: Grows by one with each new price of this asset.
    """

    asset: str
    price: str
    source: str
    traded_at_ns: int
    received_at_ns: int
    as_of_ns: int
    snapshot: bool
    sequence: int


class Record(NamedTuple):
    """The content of one record, as it stands on the board."""

    sequence: int
    traded_at_ns: int
    received_at_ns: int
    snapshot: bool
    source_index: int
    price: str
    asset: str


def pack(record: Record) -> bytes:
    """Return a record's bytes."""
    price, asset = record.price.encode(), record.asset.encode()
    draft = RECORD.pack(
        record.sequence,
        0,
        record.traded_at_ns,
        record.received_at_ns,
        record.snapshot,
        record.source_index,
        len(price),
        len(asset),
        price,
        asset,
    )
    checksum = crc32(draft[_CHECKED_FROM:], record.sequence & 0xFFFFFFFF)
    return draft[:8] + ASSETS_USED.pack(checksum) + draft[_CHECKED_FROM:]


def unpack(raw: bytes) -> Record | None:
    """Return what a record's bytes say, or None if the writer was in the middle."""
    sequence, checksum, traded, received, *rest = RECORD.unpack(raw)
    if crc32(raw[_CHECKED_FROM:], sequence & 0xFFFFFFFF) != checksum:
        return None
    snapshot, source_index, price_length, asset_length, price, asset = rest
    return Record(
        sequence,
        traded,
        received,
        bool(snapshot),
        source_index,
        price[:price_length].decode(),
        asset[:asset_length].decode(),
    )


def record_at(index: int) -> int:
    """Return the offset of the record of an asset."""
    return RECORD_AT + index * RECORD_SIZE


def source_at(index: int) -> int:
    """Return the offset of the record of a source."""
    return SOURCE_AT + index * SOURCE.size


def as_of_ns(traded_at_ns: int, received_at_ns: int) -> int:
    """Return the instant that a price's age counts from."""
    if received_at_ns - traded_at_ns > LATE_AFTER_NS:
        return traded_at_ns
    return received_at_ns


def check_name(name: str, longest: int) -> None:
    """Refuse names that a record cannot hold.

    Raises:
        BoardRefused: It is empty, too long or not plain ASCII.
    """
    if not (0 < len(name) <= longest and name.isascii() and name.isprintable()):
        raise BoardRefused(name=name[:64])


def check_price(asset: str, price: str) -> None:
    """Refuse a price text that a record cannot hold.

    Raises:
        BoardRefused: It is empty, too long or not plain ASCII.
    """
    if not (0 < len(price) <= MAX_TEXT_LENGTH and price.isascii()):
        raise BoardRefused(name=f"the price of {asset}")
