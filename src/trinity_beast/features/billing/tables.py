"""Where buyers are sent, and what they paid.

Source: data dictionary 3.1, 3.2.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKeyConstraint,
    Numeric,
    String,
    Table,
    Text,
    Uuid,
)

from trinity_beast.toolkit.columns import (
    counted_key,
    created_at,
    optional,
    random_key,
    required,
    updated_at,
)
from trinity_beast.toolkit.tables import metadata

payment_links = Table(
    "payment_links",
    metadata,
    counted_key(),
    required("link_type", Text),
    optional("tier", Text),
    required("stripe_url", Text),
    optional("stripe_payment_link_id", Text),
    optional("amount_usd", Numeric),
    required("recurring", Boolean, "true"),
    required("enabled", Boolean, "true"),
    created_at(),
    updated_at(),
    CheckConstraint(
        "link_type IN ('subscription', 'webhook', 'lrs-addon', 'donation')",
        name="link_type",
    ),
)

transactions = Table(
    "transactions",
    metadata,
    random_key(),
    optional("user_id", Uuid),
    optional("type", Text),
    optional("stripe_session_id", Text),
    optional("stripe_charge_id", Text),
    optional("amount_usd", Numeric),
    optional("status", Text),
    optional("donor_name", Text),
    optional("donor_email", Text),
    optional("tier", Text),
    optional("api_key", Text),
    optional("recurring", Boolean),
    optional("preferred_lang", String(5)),
    created_at(),
    updated_at(),
    ForeignKeyConstraint(["user_id"], ["users.id"]),
)
