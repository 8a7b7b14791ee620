from __future__ import annotations

import pytest

from support.clocks import FixedClock
from support.randomness import SeededRandomness
from support.usage import usage_record
from trinity_beast.features.usage import BatchCodec, UsageRecord
from trinity_beast.features.usage.packer import Origin, PackedBatch, Packer


@pytest.fixture
def packer(clock: FixedClock, randomness: SeededRandomness) -> Packer:
    return Packer(Origin("BeastMain", "us-east-2"), clock, randomness, 2_000)


def opened(batches: list[PackedBatch]) -> list[UsageRecord]:
    return [r for batch in batches for r in BatchCodec().decode(batch.body).records]


def test_a_batch_carries_its_id_and_where_it_comes_from(packer: Packer) -> None:
    (batch,) = packer.pack([usage_record()])

    inside = BatchCodec().decode(batch.body)
    assert (inside.batch_id, inside.node, inside.region) == (
        batch.batch_id,
        "BeastMain",
        "us-east-2",
    )
    assert (batch.batch_id.version, batch.count) == (7, 1)


def test_what_would_be_too_large_becomes_several_batches(packer: Packer) -> None:
    noise = SeededRandomness()
    records = [
        usage_record(n, asset=noise.token_bytes(100).hex()[:190]) for n in range(50)
    ]

    batches = packer.pack(records)

    assert opened(batches) == records
    assert len({batch.batch_id for batch in batches}) == len(batches) > 1
    assert all(len(batch.body) <= 2_000 for batch in batches)
    assert sum(batch.count for batch in batches) == 50


def test_one_record_that_is_too_large_is_cut_to_size(packer: Packer) -> None:
    noise = SeededRandomness().token_bytes(100_000).hex()

    batches = packer.pack([usage_record(asset=noise)])

    assert opened(batches) == [usage_record(asset=noise[:1_000])]


@pytest.mark.parametrize(
    ("bad", "good"),
    [({"asset": "\ud800"}, {"asset": "?"}), ({"latency_ms": -(2**70)}, {})],
)
def test_a_record_that_cannot_be_encoded_takes_no_other_with_it(
    packer: Packer,
    bad: dict[str, object],
    good: dict[str, object],
) -> None:
    batches = packer.pack([usage_record(0), usage_record(1, **bad)])

    assert opened(batches) == [usage_record(0), usage_record(1, **good)]


def test_a_batch_of_another_version_counts_as_none(packer: Packer) -> None:
    (batch,) = packer.pack([usage_record()])

    assert (packer.count_of(batch.body), packer.count_of(b"\x91\x09")) == (1, 0)
