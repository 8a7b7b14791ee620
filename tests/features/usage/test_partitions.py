"""Which partitions there must be, and what their bounds are."""

from __future__ import annotations

import pytest

from trinity_beast.features.usage.partitions import (
    ensure_partitions,
    months_around,
    partition_of,
)
from trinity_beast.kernel.time import month_start_ns


@pytest.mark.parametrize(
    ("month", "months"),
    [
        (202609, (202608, 202609, 202610, 202611, 202612)),
        (202612, (202611, 202612, 202701, 202702, 202703)),
        (202701, (202612, 202701, 202702, 202703, 202704)),
    ],
)
def test_there_is_a_partition_for_the_last_month_to_three_ahead(
    month: int, months: tuple[int, ...]
) -> None:
    assert months_around(month_start_ns(month)) == months


def test_a_partition_is_named_for_its_month() -> None:
    assert partition_of(202609) == "usage_logs_202609"


def test_the_ranges_of_months_meet_without_a_gap() -> None:
    statements = ensure_partitions(month_start_ns(202609))

    bounds = [
        line.split("'")[1::2]
        for statement in statements
        for line in statement.splitlines()
        if "FOR VALUES" in line
    ]
    assert len(statements) == 6
    assert len(bounds) == 5
    assert bounds[1][0] == "01a05a43-fc00-7000-8000-000000000000"
    assert [low for low, _ in bounds[1:]] == [high for _, high in bounds[:-1]]
