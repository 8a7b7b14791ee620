"""The tiers that a fresh installation starts with.  Source: data dictionary 1.2."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from trinity_beast.features.keys.tables import rate_limit_template
from trinity_beast.toolkit.seeds import Seed

_NO_MONTHLY_LIMIT = 999_999_999

# Tier, calls a month, calls a second, burst, shortest wait in seconds, what it is.
_TIERS: tuple[tuple[str, int, int, int, str, str], ...] = (
    ("free", 1_000, 1, 5, "1.0", "To try it out."),
    ("pro", 50_000, 5, 10, "0.2", "For one application."),
    ("enterprise", 500_000, 10, 20, "0.1", "For a company."),
    ("unlimited", _NO_MONTHLY_LIMIT, 83, 100, "0.012", "No monthly limit."),
    ("lifetime", _NO_MONTHLY_LIMIT, 83, 100, "0.012", "No monthly limit, paid once."),
    ("partner", _NO_MONTHLY_LIMIT, 0, 0, "0", "For partners: no limits at all."),
    ("webhook_starter", 999, 3, 6, "0.3", "Pushes 9 assets every 60 s."),
    ("webhook_standard", 4_998, 6, 12, "0.15", "Pushes 30 assets every 15 s."),
    ("webhook_professional", 9_999, 12, 24, "0.06", "Pushes 75 assets every 6 s."),
    ("webhook_enterprise", 49_998, 24, 48, "0.03", "Pushes 150 assets every 3 s."),
    ("webhook_partner", _NO_MONTHLY_LIMIT, 0, 0, "0", "Pushes to partners: no limits."),
)


def tier_seeds() -> tuple[Seed, ...]:
    """Return the eleven tiers; a bucket starts full."""
    rows: tuple[Mapping[str, object], ...] = tuple(
        {
            "tier": tier,
            "query_limit": query_limit,
            "rate_limit_qps": qps,
            "burst_limit": burst,
            "burst_tokens": Decimal(burst),
            "min_wait_seconds": Decimal(wait_s),
            "description": description,
        }
        for tier, query_limit, qps, burst, wait_s, description in _TIERS
    )
    return (Seed(rate_limit_template, ("tier",), rows),)
