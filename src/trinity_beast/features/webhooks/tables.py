"""Who gets prices pushed, and how each attempt went.

Source: data dictionary 10.1, 10.2.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from trinity_beast.toolkit.columns import (
    MOMENT,
    created_at,
    long_counted_key,
    optional,
    random_key,
    required,
    updated_at,
)
from trinity_beast.toolkit.tables import metadata

webhook_subscriptions = Table(
    "webhook_subscriptions",
    metadata,
    random_key(),
    required("api_key_id", Uuid),
    required("tier", Text, "'webhook_starter'"),
    required("delivery_method", Text, "'both'"),
    optional("udp_host", Text),
    optional("udp_port", Integer),
    optional("https_url", Text),
    required("interval_seconds", Integer, "60"),
    required("max_assets", Integer, "9"),
    optional("selected_assets", Text),
    required("status", Text, "'pending_verification'"),
    optional("verification_token", Text),
    optional("verified_at", MOMENT),
    optional("stripe_customer_id", Text),
    optional("stripe_subscription_id", Text),
    required("subscription_status", Text, "'active'"),
    required("monthly_push_count", Integer, "0"),
    optional("last_delivered_at", MOMENT),
    created_at(),
    updated_at(),
    ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], ondelete="CASCADE"),
    Index("idx_webhook_subs_api_key_id", "api_key_id"),
    Index("idx_webhook_subs_status", "status"),
    CheckConstraint(
        "tier IN ('webhook_starter', 'webhook_standard', 'webhook_professional', "
        "'webhook_enterprise', 'webhook_partner')",
        name="tier",
    ),
    CheckConstraint(
        "delivery_method IN ('udp', 'https', 'both')", name="delivery_method"
    ),
    CheckConstraint(
        "status IN ('pending_verification', 'active', 'suspended')", name="status"
    ),
    CheckConstraint(
        "subscription_status IN ('active', 'past_due', 'canceled')",
        name="subscription_status",
    ),
)

webhook_delivery_log = Table(
    "webhook_delivery_log",
    metadata,
    long_counted_key(),
    required("webhook_subscription_id", Uuid),
    required("delivery_id", Text),
    required("protocol", Text),
    required("status", Text),
    required("latency_ms", BigInteger),
    optional("error_message", Text),
    required("delivered_at", MOMENT, "now()"),
    ForeignKeyConstraint(
        ["webhook_subscription_id"], ["webhook_subscriptions.id"], ondelete="CASCADE"
    ),
    Index("idx_wdl_sub_id_delivered", "webhook_subscription_id", "delivered_at"),
    Index("idx_wdl_status", "status"),
)
