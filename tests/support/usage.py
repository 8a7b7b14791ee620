"""Usage records for tests."""

from __future__ import annotations

from uuid import UUID

import msgspec

from support.clocks import NOON_NS
from trinity_beast.features.usage import Batch, BatchCodec, UsageRecord
from trinity_beast.kernel.ids import uuid7
from trinity_beast.kernel.time import NS_PER_MS

KEY_ID = "6f1de0a5-1111-4222-8333-abcdefabcdef"


def usage_record(number: int = 0, **changes: object) -> UsageRecord:
    """Return record number so and so, one a millisecond, with some fields changed."""
    at_ns = changes.get("at_ns", NOON_NS + number * NS_PER_MS)
    assert isinstance(at_ns, int)
    plain = UsageRecord(
        id=uuid7(max(at_ns, 0), number.to_bytes(10, "big")).bytes,
        at_ns=at_ns,
        key_id=KEY_ID,
        user_id="9f1de0a5-1111-4222-8333-abcdefabcdef",
        ip="192.0.2.7",
        query_type="price",
        status="success",
        asset="BTC",
        price="121.5800000000",
        source="coinbase-ws",
        cached=True,
        cache_age_ms=1_250,
        latency_ms=0,
        duration_ms=3,
        token_count=1,
    )
    return msgspec.structs.replace(plain, **changes)


def usage_batch(*records: UsageRecord, number: int = 1) -> Batch:
    """Return a batch whose id is made from a number."""
    return Batch(UUID(int=number), "BeastMain", "us-east-2", records)


def packed(*records: UsageRecord, number: int = 1) -> bytes:
    """Return the bytes of a batch."""
    return BatchCodec().encode(usage_batch(*records, number=number))
