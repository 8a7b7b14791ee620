"""The seeded payment links sell everything and lead nowhere yet."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select

from trinity_beast.features.billing.tables import payment_links
from trinity_beast.toolkit.work import UnitOfWork


async def test_every_product_has_a_link_that_is_disabled(
    seeded_work: UnitOfWork,
) -> None:
    async with seeded_work.begin() as connection:
        rows = list(await connection.execute(select(payment_links)))

    assert {(it.link_type, it.tier, it.amount_usd, it.recurring) for it in rows} == {
        ("subscription", "pro", Decimal(30), True),
        ("subscription", "enterprise", Decimal(100), True),
        ("subscription", "unlimited", Decimal(300), True),
        ("subscription", "lifetime", Decimal(3000), False),
        ("lrs-addon", None, Decimal(20), True),
        ("webhook", "webhook_starter", Decimal(30), True),
        ("webhook", "webhook_standard", Decimal(90), True),
        ("webhook", "webhook_professional", Decimal(210), True),
        ("webhook", "webhook_enterprise", Decimal(540), True),
        ("donation", None, None, False),
        ("donation", None, None, True),
    }
    assert {it.enabled for it in rows} == {False}
    assert all(it.stripe_url.startswith("https://payment-link.invalid/") for it in rows)
