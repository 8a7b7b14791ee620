from __future__ import annotations

from uuid import UUID

import msgspec
import pytest
from hypothesis import given, strategies as st

from support.clocks import NOON_NS
from support.randomness import SeededRandomness
from support.usage import usage_record
from trinity_beast.features.usage.record import UsageIds, UsageRecord, cleaned
from trinity_beast.kernel.ids import lowest_uuid7
from trinity_beast.kernel.time import NS_PER_MS


def test_ids_are_uuids_of_the_request_time_and_sort_by_it(
    randomness: SeededRandomness,
) -> None:
    ids = UsageIds(randomness)

    made = [UUID(bytes=ids.next_id(NOON_NS + n * NS_PER_MS)) for n in range(100)]

    assert made == sorted(set(made))
    assert {(uuid.version, uuid.variant) for uuid in made} == {
        (7, "specified in RFC 4122"),
    }
    assert lowest_uuid7(NOON_NS) <= made[0] < lowest_uuid7(NOON_NS + NS_PER_MS)


def test_ids_of_one_instant_differ_within_and_between_processes() -> None:
    one, other = UsageIds(SeededRandomness(1)), UsageIds(SeededRandomness(2))

    made = [ids.next_id(NOON_NS) for ids in (one, other) for _ in range(100)]

    assert len(set(made)) == 200


def test_ids_stay_uuids_when_their_counter_begins_anew() -> None:
    class AllOnes(SeededRandomness):
        def token_bytes(self, count: int) -> bytes:
            return b"\xff" * count

    ids = UsageIds(AllOnes())

    made = UUID(bytes=ids.next_id(NOON_NS))

    assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_a_plain_record_comes_back_as_it_is() -> None:
    record = usage_record()

    assert cleaned(record) is record


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"asset": "BT\0C"}, {"asset": "BT?C"}),
        ({"asset": "🚀"}, {"asset": "🚀"}),
        ({"error": "\ud800!"}, {"error": "?!"}),
        ({"asset": "é" * 5_000}, {"asset": "é" * 1_000}),
        ({"error": "x" * 5_000}, {"error": "x" * 500}),
        ({"key_id": "k" * 5_000}, {"key_id": "k" * 200}),
        ({"ip": "\0", "user_id": None}, {"ip": "?", "user_id": None}),
        ({"at_ns": -5, "cache_age_ms": None}, {"at_ns": 0, "cache_age_ms": None}),
        ({"latency_ms": 2**70}, {"latency_ms": 2**63 - 1}),
        (
            {"duration_ms": -1, "cache_age_ms": -1},
            {"duration_ms": 0, "cache_age_ms": 0},
        ),
        ({"token_count": 2**40}, {"token_count": 2**31 - 1}),
    ],
)
def test_what_the_table_would_refuse_is_replaced_or_cut(
    changes: dict[str, object],
    expected: dict[str, object],
) -> None:
    dirty = msgspec.structs.replace(usage_record(), **changes)

    assert cleaned(dirty) == msgspec.structs.replace(usage_record(), **expected)


@given(record=st.builds(UsageRecord, id=st.binary(min_size=16, max_size=16)))
def test_cleaning_twice_is_cleaning_once(record: UsageRecord) -> None:
    assert cleaned(cleaned(record)) == cleaned(record)
