"""Keys as rows and as values, with whatever a test cares about."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import insert, select, update

from support.clocks import NOON_NS
from trinity_beast.features.keys import ApiKey
from trinity_beast.features.keys.tables import api_keys, rate_limit_template
from trinity_beast.toolkit.work import UnitOfWork

A_KEY = ApiKey(
    id=UUID(int=7),
    user_id=None,
    key_hash="a" * 64,
    name=None,
    tier="pro",
    query_limit=50_000,
    current_usage=0,
    last_used_ns=None,
    created_at_ns=NOON_NS,
    rate_limit_qps=5,
    burst_limit=10,
    minimum_wait_ms=200,
    revoked=False,
    lrs_enabled=False,
    response_format="tbc",
    subscription_status="active",
    payment_failed_at_ns=None,
    tier_effective_at_ns=None,
    shown="tb_live_ABCD…wxyz",
)


def a_key(**changes: object) -> ApiKey:
    """Return a key of tier pro with some things changed."""
    return replace(A_KEY, **changes)


async def insert_key(work: UnitOfWork, **values: object) -> UUID:
    """Insert a row as psql would, and return its id."""
    async with work.begin() as connection:
        statement = insert(api_keys).values(**values).returning(api_keys.c.id)
        return (await connection.execute(statement)).scalar_one()


async def change_key(work: UnitOfWork, key_id: UUID, **values: object) -> None:
    """Change a row as psql would."""
    async with work.begin() as connection:
        changed = update(api_keys).where(api_keys.c.id == key_id)
        await connection.execute(changed.values(**values))


async def stored_key(work: UnitOfWork, key_id: UUID) -> dict[str, object]:
    """Return what the row holds of the key itself."""
    columns = (api_keys.c.api_key, api_keys.c.key_hash)
    async with work.begin() as connection:
        row = await connection.execute(select(*columns).where(api_keys.c.id == key_id))
        return dict(row.mappings().one())


async def insert_tier(work: UnitOfWork, tier: str, **changes: object) -> None:
    """Insert a tier as psql would: that of the free one unless changed."""
    values: dict[str, object] = {
        "query_limit": 1000,
        "rate_limit_qps": 1,
        "burst_limit": 5,
        "burst_tokens": 5,
        "min_wait_seconds": 1,
    }
    async with work.begin() as connection:
        row = values | {"tier": tier} | changes
        await connection.execute(insert(rate_limit_template).values(**row))
