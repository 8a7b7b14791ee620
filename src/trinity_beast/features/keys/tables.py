"""Issued keys and the limits that each tier starts with.

``api_key`` holds a sealed key's display form, or the plain key in rows that came from
an older database.  Those are found by ``beast.key_hash_of(api_key)``, a function of the
baseline migration; only an expression written exactly so uses the index.

Source: data dictionary 1.1, 1.2.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from trinity_beast.toolkit.columns import (
    MOMENT,
    created_at,
    optional,
    random_key,
    required,
)
from trinity_beast.toolkit.tables import metadata

api_keys = Table(
    "api_keys",
    metadata,
    random_key(),
    optional("user_id", Uuid),
    optional("key_hash", Text),
    optional("name", Text),
    required("tier", Text, "'free'"),
    required("query_limit", Integer, "1000"),
    required("current_usage", Integer, "0"),
    optional("last_used", MOMENT),
    created_at(),
    required("revoked", Boolean, "false"),
    required("rate_limit_qps", Integer, "10"),
    required("burst_limit", Integer, "20"),
    required("burst_tokens", Numeric, "20.0"),
    required("api_key", Text),
    optional("last_success", MOMENT),
    required("minimum_wait_seconds", Numeric, "0.1"),
    required("lrs_enabled", Boolean, "false"),
    required("response_format", Text, "'tbc'"),
    optional("stripe_customer_id", Text),
    optional("stripe_subscription_id", Text),
    optional("stripe_lrs_subscription_id", Text),
    required("subscription_status", Text, "'active'"),
    optional("tier_effective_date", MOMENT),
    optional("payment_failed_at", MOMENT),
    ForeignKeyConstraint(["user_id"], ["users.id"]),
    Index(
        "idx_api_keys_stripe_customer_id",
        "stripe_customer_id",
        postgresql_where=text("stripe_customer_id IS NOT NULL"),
    ),
    Index(
        "idx_api_keys_stripe_subscription_id",
        "stripe_subscription_id",
        postgresql_where=text("stripe_subscription_id IS NOT NULL"),
    ),
    Index("idx_api_keys_key_hash", "key_hash"),
    Index("idx_api_keys_plain_key_hash", text("beast.key_hash_of(api_key)")),
)

rate_limit_template = Table(
    "rate_limit_template",
    metadata,
    random_key(),
    required("tier", String),
    required("query_limit", Integer),
    required("rate_limit_qps", Integer),
    required("burst_limit", Integer),
    required("burst_tokens", Numeric),
    required("min_wait_seconds", Numeric),
    optional("description", Text),
    UniqueConstraint("tier"),
)
