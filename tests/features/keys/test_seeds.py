"""The seeded tiers are the dictionary's."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select

from trinity_beast.features.keys.tables import rate_limit_template
from trinity_beast.toolkit.work import UnitOfWork


async def test_a_fresh_installation_has_the_eleven_tiers(
    seeded_work: UnitOfWork,
) -> None:
    """Source: data dictionary 1.2."""
    tier = rate_limit_template.c
    async with seeded_work.begin() as connection:
        rows = await connection.execute(
            select(
                tier.tier,
                tier.query_limit,
                tier.rate_limit_qps,
                tier.burst_limit,
                tier.burst_tokens,
                tier.min_wait_seconds,
            )
        )
        found = {row.tier: tuple(row)[1:] for row in rows}

    assert found == {
        "free": (1_000, 1, 5, 5, Decimal("1.0")),
        "pro": (50_000, 5, 10, 10, Decimal("0.2")),
        "enterprise": (500_000, 10, 20, 20, Decimal("0.1")),
        "unlimited": (999_999_999, 83, 100, 100, Decimal("0.012")),
        "lifetime": (999_999_999, 83, 100, 100, Decimal("0.012")),
        "partner": (999_999_999, 0, 0, 0, Decimal(0)),
        "webhook_starter": (999, 3, 6, 6, Decimal("0.3")),
        "webhook_standard": (4_998, 6, 12, 12, Decimal("0.15")),
        "webhook_professional": (9_999, 12, 24, 24, Decimal("0.06")),
        "webhook_enterprise": (49_998, 24, 48, 48, Decimal("0.03")),
        "webhook_partner": (999_999_999, 0, 0, 0, Decimal(0)),
    }
