from __future__ import annotations

from uuid import UUID

import pytest

from support.clocks import NOON_NS
from support.usage import KEY_ID, usage_batch, usage_record
from trinity_beast.features.usage import UsageRecord
from trinity_beast.features.usage.rows import COLUMNS, rows_of
from trinity_beast.features.usage.tables import usage_logs
from trinity_beast.kernel.time import to_datetime


def row_of(record: UsageRecord) -> dict[str, object]:
    (row,) = rows_of([usage_batch(record)])
    return dict(zip(COLUMNS, row, strict=True))


def test_rows_name_every_column_of_the_table() -> None:
    assert sorted(COLUMNS) == sorted(usage_logs.columns.keys())


def test_a_record_becomes_a_row() -> None:
    record = usage_record()

    assert row_of(record) == {
        "id": UUID(bytes=record.id),
        "user_id": "9f1de0a5-1111-4222-8333-abcdefabcdef",
        "api_key_id": KEY_ID,
        "timestamp": to_datetime(NOON_NS),
        "ip_address": "192.0.2.7",
        "query_type": "price",
        "duration_ms": 3,
        "token_count": 1,
        "latency_ms": 0,
        "status": "success",
        "error": None,
        "cached": True,
        "asset": "BTC",
        "cache_age_seconds": 1.25,
        "price": 121.58,
        "source": "coinbase-ws",
        "cluster_node": "BeastMain",
        "aws_region": "us-east-2",
    }


@pytest.mark.parametrize(
    ("text", "price"),
    [("0.1", 0.1), (None, None), ("dear", None), ("1e999", None), ("nan", None)],
)
def test_a_price_is_a_number_or_nothing(text: str | None, price: float | None) -> None:
    assert row_of(usage_record(price=text))["price"] == price


def test_an_answer_that_was_not_cached_has_no_age() -> None:
    assert row_of(usage_record(cache_age_ms=None))["cache_age_seconds"] is None
