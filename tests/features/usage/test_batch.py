from __future__ import annotations

import itertools
from uuid import UUID

import msgspec
import pytest
import zstandard
from hypothesis import given, strategies as st

from support.usage import packed, usage_batch, usage_record
from trinity_beast.features.usage import (
    Batch,
    BatchCodec,
    BatchUnreadable,
    UsageRecord,
)
from trinity_beast.features.usage.record import cleaned

RECORDS = st.builds(UsageRecord, id=st.binary(min_size=16, max_size=16)).map(cleaned)
BATCHES = st.builds(
    Batch,
    st.uuids(),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace").decode()),
    st.just("us-east-2"),
    st.lists(RECORDS, max_size=20).map(tuple),
)


def message(
    *,
    version: object = 1,
    batch_id: bytes = bytes(16),
    count: object = 0,
    frame: bytes = zstandard.compress(msgspec.msgpack.encode([])),
) -> bytes:
    return msgspec.msgpack.encode([version, batch_id, "node", "region", count, frame])


def bomb() -> bytes:
    """Return a frame that claims to unfold to 100 MB, in a few thousand bytes."""
    return zstandard.compress(bytes(100_000_000))


def of_unknown_size() -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(b"\x90")


@given(batch=BATCHES)
def test_a_batch_comes_back_as_it_went(batch: Batch) -> None:
    codec = BatchCodec()

    assert codec.decode(codec.encode(batch)) == batch


def test_an_empty_batch_is_a_batch() -> None:
    assert BatchCodec().decode(packed(number=7)) == usage_batch(number=7)


def test_the_same_batch_gives_the_same_bytes() -> None:
    assert packed(usage_record(), number=7) == packed(usage_record(), number=7)


def test_a_batch_says_how_many_records_it_holds_without_being_unfolded() -> None:
    assert BatchCodec().count_of(message(count=41, frame=b"not even zstd")) == 41


def test_fields_that_a_newer_writer_added_at_the_end_do_not_matter() -> None:
    record = [*msgspec.structs.astuple(usage_record()), "new", 7]
    frame = zstandard.compress(msgspec.msgpack.encode([record]))
    head = msgspec.msgpack.decode(message(count=1, frame=frame))

    batch = BatchCodec().decode(msgspec.msgpack.encode([*head, "new"]))

    assert batch == Batch(UUID(int=0), "node", "region", (usage_record(),))


def test_fields_that_an_older_writer_did_not_know_have_their_defaults() -> None:
    record = msgspec.structs.astuple(usage_record())[:7]
    frame = zstandard.compress(msgspec.msgpack.encode([record]))

    batch = BatchCodec().decode(message(count=1, frame=frame))

    assert batch.records == (UsageRecord(*record),)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Input data was truncated"),
        (b"\xff", "Expected `array`, got `int`"),
        (b"hello", "Expected `array`, got `int`"),
        (message(version=2), "format 2 is not known here"),
        (msgspec.msgpack.encode([9, "all", "else"]), "format 9 is not known here"),
        (message(version="1"), "Expected `int`, got `str` - at `$[0]`"),
        (message(batch_id=b"short"), "Expected `bytes` of length >= 16 - at `$[1]`"),
        (message(count=3), "3 records announced, 0 found"),
        (message(frame=b""), "error when determining content size"),
        (message(frame=bomb()), "it would unfold to 100000000 bytes"),
        (message(frame=of_unknown_size()), "it would unfold to -1 bytes"),
        (
            message(frame=zstandard.compress(b"\x90")[:-1]),
            "decompression error: did not decompress full frame",
        ),
        (
            message(frame=zstandard.compress(b"\x90") + b"more"),
            "compressed input contains 4 bytes of unused data, which is disallowed",
        ),
        (message(frame=zstandard.compress(b"")), "Input data was truncated"),
        (
            message(frame=zstandard.compress(b"\x91\x01")),
            "Expected `array`, got `int` - at `$[0]`",
        ),
        (packed(usage_record())[:-1], "Input data was truncated"),
        (
            packed(usage_record()) + b"x",
            "MessagePack data is malformed: trailing characters (byte 183)",
        ),
        (
            b"\x97" + message()[1:] + b"\x91" * 100_000,
            "maximum recursion depth exceeded while deserializing an object",
        ),
    ],
    ids=itertools.count(),
)
def test_what_is_no_batch_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(BatchUnreadable) as refused:
        BatchCodec().decode(body)

    expected = f"The usage batch cannot be read: {reason}."
    assert refused.value.message == expected


@given(body=st.binary(max_size=200), cut=st.integers(0, 200), flip=st.integers(0, 200))
def test_bytes_of_any_kind_are_a_batch_or_refused(
    body: bytes,
    cut: int,
    flip: int,
) -> None:
    whole = bytearray(packed(usage_record()))
    whole[flip % len(whole)] ^= 1 + cut % 255
    for garbled in (body, bytes(whole), bytes(whole[:cut])):
        try:
            batch = BatchCodec().decode(garbled)
        except BatchUnreadable:
            continue
        assert isinstance(batch, Batch)
