"""A live database is compared with the dictionary: exactly what differs is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from trinity_beast.features.dictionary import Difference, check_database


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Return a connection whose changes are rolled back at the end."""
    async with engine.connect() as connection:
        await connection.exec_driver_sql("SET LOCAL search_path = public")
        yield connection
        await connection.rollback()


async def test_our_own_database_has_no_differences(connection: AsyncConnection) -> None:
    assert await check_database(connection) == ()


ONE_DIFFERENCE = {
    "a column is gone": (
        "ALTER TABLE users DROP COLUMN name",
        ("users", "column name", "text", ""),
    ),
    "a column too many": (
        "ALTER TABLE users ADD nickname varchar(9) DEFAULT 'x'",
        ("users", "column nickname", "", "varchar(9) default 'x'"),
    ),
    "another type": (
        "ALTER TABLE demo_leads ALTER company TYPE varchar(80)",
        ("demo_leads", "column company", "text", "varchar(80)"),
    ),
    "another length": (
        "ALTER TABLE users ALTER preferred_lang TYPE varchar(6)",
        ("users", "column preferred_lang", "varchar(5)", "varchar(6)"),
    ),
    "NULL allowed": (
        "ALTER TABLE api_keys ALTER api_key DROP NOT NULL",
        ("api_keys", "column api_key", "text not null", "text"),
    ),
    "NULL refused": (
        "ALTER TABLE api_keys ALTER name SET NOT NULL",
        ("api_keys", "column name", "text", "text not null"),
    ),
    "another default": (
        "ALTER TABLE api_keys ALTER query_limit SET DEFAULT 1001",
        (
            "api_keys",
            "column query_limit",
            "integer not null default 1000",
            "integer not null default 1001",
        ),
    ),
    "no default": (
        "ALTER TABLE report_count ALTER reset_month DROP DEFAULT",
        (
            "report_count",
            "column reset_month",
            "integer not null default extract(month from now())",
            "integer not null",
        ),
    ),
    "a default too many": (
        "ALTER TABLE api_keys ALTER name SET DEFAULT 'x'",
        ("api_keys", "column name", "text", "text default 'x'"),
    ),
    "ids that nobody counts": (
        "ALTER TABLE exchange_feeds ALTER id DROP DEFAULT",
        (
            "exchange_feeds",
            "column id",
            "integer not null auto-increment",
            "integer not null",
        ),
    ),
    "an index is gone": (
        "DROP INDEX idx_webhook_subs_status",
        ("webhook_subscriptions", "index idx_webhook_subs_status", "(status)", ""),
    ),
    "an index too many": (
        "CREATE INDEX idx_mine ON users (tier)",
        ("users", "index idx_mine", "", "(tier)"),
    ),
    "an index on other columns": (
        (
            "DROP INDEX idx_wdl_sub_id_delivered; "
            "CREATE INDEX idx_wdl_sub_id_delivered "
            "ON webhook_delivery_log (webhook_subscription_id, delivered_at DESC)"
        ),
        (
            "webhook_delivery_log",
            "index idx_wdl_sub_id_delivered",
            "(webhook_subscription_id, delivered_at)",
            "(webhook_subscription_id, delivered_at DESC)",
        ),
    ),
    "an index of another kind": (
        (
            "DROP INDEX idx_wdl_status; "
            "CREATE INDEX idx_wdl_status ON webhook_delivery_log USING hash (status)"
        ),
        (
            "webhook_delivery_log",
            "index idx_wdl_status",
            "(status)",
            "(status) using hash",
        ),
    ),
    "an index that is not partial": (
        (
            "DROP INDEX idx_api_keys_stripe_customer_id; CREATE INDEX "
            "idx_api_keys_stripe_customer_id ON api_keys (stripe_customer_id)"
        ),
        (
            "api_keys",
            "index idx_api_keys_stripe_customer_id",
            "(stripe_customer_id) where stripe_customer_id IS NOT NULL",
            "(stripe_customer_id)",
        ),
    ),
    "no unique constraint": (
        (
            "ALTER TABLE email_translations DROP CONSTRAINT "
            "email_translations_template_name_lang_field_name_key"
        ),
        (
            "email_translations",
            "unique (template_name, lang, field_name)",
            "any name",
            "",
        ),
    ),
    "a unique constraint of another name": (
        "ALTER TABLE users RENAME CONSTRAINT users_email_key TO one_email",
        ("users", "unique (email)", "users_email_key", "one_email"),
    ),
    "no foreign key": (
        "ALTER TABLE email_drafts DROP CONSTRAINT email_drafts_sender_id_fkey",
        ("email_drafts", "foreign key (sender_id)", "email_senders (id)", ""),
    ),
    "a foreign key that does not cascade": (
        (
            "ALTER TABLE webhook_subscriptions "
            "DROP CONSTRAINT webhook_subscriptions_api_key_id_fkey, "
            "ADD FOREIGN KEY (api_key_id) REFERENCES api_keys"
        ),
        (
            "webhook_subscriptions",
            "foreign key (api_key_id)",
            "api_keys (id) on delete cascade",
            "api_keys (id)",
        ),
    ),
    "the same foreign key twice": (
        "ALTER TABLE transactions ADD FOREIGN KEY (user_id) REFERENCES users",
        ("transactions", "foreign key (user_id) again", "", "users (id)"),
    ),
    "no check": (
        "ALTER TABLE payment_links DROP CONSTRAINT payment_links_link_type_check",
        (
            "payment_links",
            "check of link_type",
            "one of donation, lrs-addon, subscription, webhook",
            "",
        ),
    ),
    "a check that allows more": (
        (
            "ALTER TABLE webhook_subscriptions "
            "DROP CONSTRAINT webhook_subscriptions_delivery_method_check, "
            "ADD CHECK (delivery_method IN ('udp', 'both', 'https', 'tcp'))"
        ),
        (
            "webhook_subscriptions",
            "check of delivery_method",
            "one of both, https, udp",
            "one of both, https, tcp, udp",
        ),
    ),
    "a check too many": (
        "ALTER TABLE users ADD CONSTRAINT short CHECK (length(name) < 9)",
        ("users", "check short", "", "CHECK ((length(name) < 9))"),
    ),
    "a table is gone": (
        "DROP TABLE demo_leads",
        ("demo_leads", "table", "present", ""),
    ),
    "a table too many": (
        "CREATE TABLE mine (id int PRIMARY KEY)",
        ("mine", "table", "", "present"),
    ),
}


@pytest.mark.parametrize("case", ONE_DIFFERENCE)
async def test_one_difference_is_told_as_exactly_that(
    connection: AsyncConnection, case: str
) -> None:
    statements, expected = ONE_DIFFERENCE[case]
    for statement in statements.split("; "):
        await connection.exec_driver_sql(statement)

    assert await check_database(connection) == (Difference(*expected),)


SAME = [
    "ALTER TABLE users ADD extra int; ALTER TABLE users DROP extra",
    "ALTER TABLE api_keys ALTER created_at SET DEFAULT current_timestamp",
    "ALTER TABLE api_keys ALTER burst_tokens SET DEFAULT '20'::numeric",
    "ALTER TABLE users ALTER preferred_lang SET DEFAULT NULL::varchar",
    (
        "ALTER TABLE report_count ALTER reset_month "
        "SET DEFAULT date_part('month', now())::integer"
    ),
    (
        "ALTER TABLE users DROP CONSTRAINT users_email_key; "
        "CREATE UNIQUE INDEX users_email_key ON users (email)"
    ),
    (
        "ALTER TABLE exchange_feeds ALTER id DROP DEFAULT; "
        "ALTER TABLE exchange_feeds ALTER id ADD GENERATED BY DEFAULT AS IDENTITY"
    ),
    "ALTER TABLE transactions RENAME CONSTRAINT transactions_user_id_fkey TO mine",
    (
        "ALTER TABLE payment_links DROP CONSTRAINT payment_links_link_type_check; "
        "ALTER TABLE payment_links ADD CONSTRAINT mine CHECK (link_type "
        "IN ('webhook', 'donation', 'subscription', 'lrs-addon'))"
    ),
    "DROP INDEX idx_usage_logs_api_key_id",
    "CREATE VIEW of_mine AS SELECT 1 AS one",
    (
        "CREATE TABLE usage_logs_203001 PARTITION OF usage_logs FOR VALUES "
        "FROM ('fffffff0-0000-0000-0000-000000000000') "
        "TO ('fffffff1-0000-0000-0000-000000000000')"
    ),
]


@pytest.mark.parametrize("statements", SAME)
async def test_what_means_the_same_is_no_difference(
    connection: AsyncConnection, statements: str
) -> None:
    for statement in statements.split("; "):
        await connection.exec_driver_sql(statement)

    assert await check_database(connection) == ()


async def test_a_lost_primary_key_is_told_with_what_hung_on_it(
    connection: AsyncConnection,
) -> None:
    await connection.exec_driver_sql(
        "ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE"
    )

    assert [str(difference) for difference in await check_database(connection)] == [
        "api_keys: foreign key (user_id) is missing; expected users (id)",
        "users: primary key (id) is missing; expected users_pkey",
        "transactions: foreign key (user_id) is missing; expected users (id)",
    ]


async def test_differences_come_in_the_dictionarys_order(
    connection: AsyncConnection,
) -> None:
    for statement in (
        "CREATE TABLE mine (id int)",
        "DROP TABLE webhook_delivery_log",
        "ALTER TABLE users DROP tier",
        "ALTER TABLE users ADD age int",
        "ALTER TABLE api_keys ALTER tier SET DEFAULT 'pro'",
    ):
        await connection.exec_driver_sql(statement)

    assert [str(difference) for difference in await check_database(connection)] == [
        (
            "api_keys: column tier: expected text not null default 'free', "
            "found text not null default 'pro'"
        ),
        "users: column tier is missing; expected text",
        "users: column age is not in the dictionary: integer",
        "webhook_delivery_log: table is missing",
        "mine: table is not in the dictionary",
    ]
