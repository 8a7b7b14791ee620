from __future__ import annotations

from hypothesis import given, strategies as st

from trinity_beast.kernel.ids import RANDOM_BYTES, lowest_uuid7, uuid7

INSTANTS = st.integers(0, (1 << 47) * 1_000_000)
RANDOM = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(INSTANTS, RANDOM)
def test_a_uuid7_names_its_version_variant_and_millisecond(
    at_ns: int,
    random: bytes,
) -> None:
    made = uuid7(at_ns, random)

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == at_ns // 1_000_000


@given(INSTANTS, RANDOM)
def test_the_lowest_id_of_a_millisecond_bounds_all_of_it(
    at_ns: int,
    random: bytes,
) -> None:
    later = (at_ns // 1_000_000 + 1) * 1_000_000

    assert lowest_uuid7(at_ns) <= uuid7(at_ns, random) < lowest_uuid7(later)


def test_equal_input_gives_the_equal_id() -> None:
    assert uuid7(1, bytes(10)) == uuid7(1, bytes(10))
    assert uuid7(1, bytes(10)) != uuid7(1, b"\x01" + bytes(9))
    assert uuid7(1, bytes(10)) != uuid7(1, bytes(9) + b"\x01")
