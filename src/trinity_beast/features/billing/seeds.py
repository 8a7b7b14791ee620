"""Places for the payment links, disabled until an operator puts the real ones in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from trinity_beast.features.billing.tables import payment_links
from trinity_beast.toolkit.seeds import Seed

# The domain exists nowhere, by definition.  Source: RFC 2606, section 2.
_NOWHERE = "https://payment-link.invalid"

# Kind, tier, dollars (None: any amount), every month or once.
_LINKS: tuple[tuple[str, str | None, int | None, bool], ...] = (
    ("subscription", "pro", 30, True),
    ("subscription", "enterprise", 100, True),
    ("subscription", "unlimited", 300, True),
    ("subscription", "lifetime", 3000, False),
    ("lrs-addon", None, 20, True),
    ("webhook", "webhook_starter", 30, True),
    ("webhook", "webhook_standard", 90, True),
    ("webhook", "webhook_professional", 210, True),
    ("webhook", "webhook_enterprise", 540, True),
    ("donation", None, None, False),
    ("donation", None, None, True),
)


def payment_link_seeds() -> tuple[Seed, ...]:
    """Return one disabled link for each thing that can be paid for."""
    rows: tuple[Mapping[str, object], ...] = tuple(
        {
            "link_type": link_type,
            "tier": tier,
            "stripe_url": f"{_NOWHERE}/{tier or link_type}",
            "amount_usd": None if dollars is None else Decimal(dollars),
            "recurring": recurring,
            "enabled": False,
        }
        for link_type, tier, dollars, recurring in _LINKS
    )
    return (Seed(payment_links, ("link_type", "tier", "recurring"), rows),)
