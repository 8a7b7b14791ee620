"""Records as rows of ``usage_logs``; no I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from uuid import UUID

from trinity_beast.features.usage.batch import Batch
from trinity_beast.kernel.time import to_datetime

COLUMNS = (
    "id",
    "user_id",
    "api_key_id",
    "timestamp",
    "ip_address",
    "query_type",
    "duration_ms",
    "token_count",
    "latency_ms",
    "status",
    "error",
    "cached",
    "asset",
    "cache_age_seconds",
    "price",
    "source",
    "cluster_node",
    "aws_region",
)


def rows_of(batches: Iterable[Batch]) -> Iterator[tuple[object, ...]]:
    """Yield one row for each record, its values in the order of ``COLUMNS``.

    Expects clean records.
    """
    for batch in batches:
        node, region = batch.node, batch.region
        for record in batch.records:
            age_ms = record.cache_age_ms
            yield (
                UUID(bytes=record.id),
                record.user_id,
                record.key_id,
                to_datetime(record.at_ns),
                record.ip,
                record.query_type,
                record.duration_ms,
                record.token_count,
                record.latency_ms,
                record.status,
                record.error,
                record.cached,
                record.asset,
                None if age_ms is None else age_ms / 1_000,
                None if record.price is None else _number(record.price),
                record.source,
                node,
                region,
            )


def _number(price: str) -> float | None:
    """Return the price for statistics: the one place where it becomes a float.

    None for what is no number: a row without a price is better than no row.
    """
    try:
        number = float(price)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
