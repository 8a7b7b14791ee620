"""Bringing databases up to date: fresh ones, adopted ones, twice, and at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from support.clocks import FixedClock
from support.v16 import create_v16
from trinity_beast.adapters.postgres import make_engine
from trinity_beast.apps.all_seeds import all_seeds
from trinity_beast.apps.migrating import (
    is_ours,
    migration_engine,
    script_location,
    seed,
    upgrade,
)
from trinity_beast.features.dictionary import check_database, dictionary
from trinity_beast.kernel.ids import uuid7
from trinity_beast.kernel.time import month_start_ns
from trinity_beast.toolkit.work import DatabaseAway, UnitOfWork

ROOT = Path(__file__).parents[2]
SEEDED = {
    "rate_limit_template": 11,
    "application_parameter_profiles": 8,
    "application_parameters": 25,
    "report_parameters": 7,
    "asset_categories": 7,
    "exchange_feeds": 7,
    "exchange_asset_map": 150,
    "payment_links": 11,
}
NOTHING = dict.fromkeys(SEEDED, 0)
PARTITIONS = [
    "usage_logs_202608",
    "usage_logs_202609",
    "usage_logs_202610",
    "usage_logs_202611",
    "usage_logs_202612",
    "usage_logs_default",
]
TABLES = [entry.name for entry in dictionary()]
# What a database is, beyond its rows: a change of any of these is a change.
CATALOGUE = text("""
    SELECT 'relation', c.oid::text, c.relname::text, c.relfilenode::text
    FROM pg_class c WHERE c.relnamespace::regnamespace::text IN ('public', 'beast')
    UNION ALL SELECT 'attribute', attrelid::text, attname::text, atttypid::text
    FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class
      WHERE relnamespace::regnamespace::text IN ('public', 'beast'))
    UNION ALL SELECT 'trigger', tgrelid::text, tgname::text, tgfoid::text
    FROM pg_trigger
    UNION ALL SELECT 'function', oid::text, proname::text, prosrc FROM pg_proc
    WHERE pronamespace = 'beast'::regnamespace
    ORDER BY 1, 2, 3
""")


@pytest.fixture
async def empty_url(server_urls: tuple[str, str]) -> AsyncIterator[str]:
    """Return the URL of a database without any table."""
    name = f"beast_test_{uuid4().hex}"
    server = make_engine(server_urls[0], application_name="tests").execution_options(
        isolation_level="AUTOCOMMIT"
    )
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield (
        make_url(server_urls[0])
        .set(database=name)
        .render_as_string(hide_password=False)
    )
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[AsyncEngine]:
    """Connect to that database, names without a schema being of ``public``."""
    engine = migration_engine(empty_url)
    yield engine
    await engine.dispose()


async def run(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def texts(engine: AsyncEngine, query: str) -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text(query)))


async def differences(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return [str(difference) for difference in await check_database(connection)]


async def every_row(engine: AsyncEngine) -> dict[str, list[str]]:
    """Return all rows as text, with the transaction and the place of each."""
    async with engine.connect() as connection:
        return {name: await rows_of(connection, name) for name in TABLES}


async def rows_of(connection: AsyncConnection, table: str) -> list[str]:
    query = f"SELECT t::text || t.xmin || t.ctid FROM {table} t ORDER BY 1"  # noqa: S608 - our own names
    return list(await connection.scalars(text(query)))


async def shape(engine: AsyncEngine) -> list[tuple[str, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(CATALOGUE)]


async def test_a_fresh_database_is_the_dictionarys(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    planted = await upgrade(empty_url, clock)

    tables = await texts(
        empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    assert planted == SEEDED
    assert sorted(tables) == sorted([*TABLES, *PARTITIONS])
    assert await differences(empty) == []


async def test_a_second_upgrade_changes_nothing(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    await upgrade(empty_url, clock)
    rows, shaped = await every_row(empty), await shape(empty)

    assert await upgrade(empty_url, clock) == NOTHING

    assert await every_row(empty) == rows
    assert await shape(empty) == shaped


async def test_two_processes_may_upgrade_at_once(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    planted = await asyncio.gather(
        upgrade(empty_url, clock), upgrade(empty_url, clock), upgrade(empty_url, clock)
    )

    assert sorted(sum(counts.values()) for counts in planted) == [0, 0, 226]
    assert await differences(empty) == []


async def test_a_failed_upgrade_leaves_nothing_behind(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    await run(empty, "CREATE TABLE api_keys (id uuid)")

    with pytest.raises(Exception, match="stripe_customer_id"):
        await upgrade(empty_url, clock)

    tables = await texts(
        empty,
        "SELECT schemaname || '.' || tablename FROM pg_tables "
        "WHERE schemaname IN ('public', 'beast')",
    )
    assert tables == ["public.api_keys"]


async def test_the_tables_are_public_even_for_a_user_called_beast(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    database = make_url(empty_url).database
    await run(
        empty,
        "CREATE SCHEMA beast",
        f"ALTER DATABASE {database} SET search_path = beast, public",
    )

    await upgrade(empty_url, clock)

    assert await differences(empty) == []


async def test_alembic_finds_nothing_to_migrate(
    empty_url: str, clock: FixedClock
) -> None:
    """The models and the SQL of the baseline say the same, partitions or not."""
    await upgrade(empty_url, clock)

    found = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "alembic", "-x", f"url={empty_url}", "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout) == (
        0,
        "No new upgrade operations detected.\n",
    ), found.stderr


async def test_a_database_that_is_away_is_said_to_be_away(clock: FixedClock) -> None:
    with pytest.raises(DatabaseAway):
        await upgrade("postgresql://nobody@127.0.0.1:1/nothing", clock)


V16_ROWS = (
    "INSERT INTO users (email, name, preferred_lang) VALUES ('a@b.test', 'Añe', 'de')",
    """INSERT INTO api_keys (api_key, name, current_usage, burst_tokens, key_hash)
    VALUES ('ak_live_one', 'one', 7, 12.500, NULL),
    ('ak_live_two', '2', 0, 20.0, 'x')""",
    (
        "INSERT INTO rate_limit_template VALUES "
        "(DEFAULT, 'free', 1000, 1, 5, 5, 1.0, 'ours')"
    ),
    "INSERT INTO application_parameters VALUES (7, 'cache_ttl_seconds', '11')",
    (
        "INSERT INTO exchange_feeds (exchange_name, display_name, ws_endpoint, "
        "symbol_template, source_tag, enabled) "
        "VALUES ('kraken', 'K', 'wss://k.test', '{ASSET}/USD', 'kraken-ws', false)"
    ),
    (
        "INSERT INTO exchange_asset_map (exchange_name, asset, exchange_symbol) "
        "VALUES ('kraken', 'BTC', 'BTC/USD')"
    ),
    (
        "INSERT INTO usage_logs (api_key_id, asset, price) "
        "VALUES ('k', 'BTC', 0.1), ('k', 'ETH', 1e-7)"
    ),
    (
        "INSERT INTO page_events (page_path, event_type, event_data) "
        """VALUES ('/', 'click', '{"b": 1, "a": [1.50]}')"""
    ),
)


async def test_a_v16_database_is_adopted_without_touching_a_row(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    async with empty.begin() as connection:
        await create_v16(connection)
    await run(empty, *V16_ROWS)
    before = await every_row(empty)

    planted = await upgrade(empty_url, clock)

    after = await every_row(empty)
    kept = {name: rows for name, rows in before.items() if rows}
    assert len(kept) == 8
    assert {name: after[name] for name in kept} == kept
    assert planted == {
        **SEEDED,
        "rate_limit_template": 0,
        "application_parameters": 0,
        "exchange_feeds": 0,
        "exchange_asset_map": 0,
    }
    assert await differences(empty) == []
    assert await texts(
        empty, "SELECT relkind::text FROM pg_class WHERE relname = 'usage_logs'"
    ) == ["r"]


async def test_adopting_twice_changes_nothing(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    async with empty.begin() as connection:
        await create_v16(connection)
    await run(empty, *V16_ROWS)
    await upgrade(empty_url, clock)
    rows, shaped = await every_row(empty), await shape(empty)

    await upgrade(empty_url, clock)

    assert (await every_row(empty), await shape(empty)) == (rows, shaped)


async def test_what_is_missing_in_an_adopted_database_is_created(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    async with empty.begin() as connection:
        await create_v16(connection)
    await run(
        empty,
        "DROP TABLE webhook_delivery_log, usage_logs",
        "DROP INDEX idx_exchange_feeds_enabled",
    )

    await upgrade(empty_url, clock)

    assert await differences(empty) == []
    assert (
        sorted(
            await texts(
                empty,
                "SELECT inhrelid::regclass::text FROM pg_inherits "
                "WHERE inhparent = 'usage_logs'::regclass",
            )
        )
        == PARTITIONS
    )


async def test_a_month_later_there_are_more_partitions(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    await upgrade(empty_url, clock)
    clock.advance(31 * 86_400)

    await upgrade(empty_url, clock)

    assert await texts(
        empty,
        "SELECT relname FROM pg_class WHERE relname ~ '^usage_logs_[0-9]{6}$'"
        " ORDER BY 1 DESC LIMIT 1",
    ) == ["usage_logs_202701"]


async def test_a_record_lies_in_the_partition_of_its_month(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    await upgrade(empty_url, clock)
    first_ns = month_start_ns(202610)
    ids = {
        "usage_logs_202609": uuid7(first_ns - 1_000_000, b"\xff" * 10),
        "usage_logs_202610": uuid7(first_ns, bytes(10)),
        "usage_logs_default": UUID("f81d4fae-7dec-41d0-8765-00a0c91e6bf6"),
    }

    await run(
        empty,
        *(f"INSERT INTO usage_logs (id) VALUES ('{it}')" for it in ids.values()),  # noqa: S608 - ids only
    )

    async with empty.connect() as connection:
        rows = await connection.execute(
            text("SELECT tableoid::regclass::text AS part, id FROM usage_logs")
        )
        assert {row.part: row.id for row in rows} == ids


async def test_records_that_came_before_their_partition_move_into_it(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    await upgrade(empty_url, clock)
    early = uuid7(month_start_ns(202701), bytes(10))
    await run(empty, f"INSERT INTO usage_logs (id, asset) VALUES ('{early}', 'BTC')")  # noqa: S608 - an id

    clock.advance(31 * 86_400)
    await upgrade(empty_url, clock)

    assert await texts(
        empty, "SELECT tableoid::regclass || asset || id FROM usage_logs"
    ) == [f"usage_logs_202701BTC{early}"]


async def test_seeds_stay_as_an_operator_left_them(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    await upgrade(empty_url, clock)
    await run(
        empty,
        "DELETE FROM exchange_asset_map WHERE asset = 'BTC'",
        "DELETE FROM exchange_feeds",
        "UPDATE rate_limit_template SET query_limit = 1 WHERE tier = 'free'",
    )

    assert await upgrade(empty_url, clock) == NOTHING

    assert await texts(empty, "SELECT count(*) FROM exchange_feeds") == [0]


async def test_seeding_by_force_puts_back_what_is_missing_and_no_more(
    empty_url: str, empty: AsyncEngine, clock: FixedClock
) -> None:
    await upgrade(empty_url, clock)
    await run(
        empty,
        "DELETE FROM exchange_asset_map WHERE asset = 'BTC'",
        "UPDATE exchange_asset_map SET exchange_name = 'okx' WHERE asset = 'ETH'",
        "DELETE FROM exchange_feeds WHERE exchange_name = 'gemini'",
        "UPDATE rate_limit_template SET query_limit = 1 WHERE tier = 'free'",
    )
    work = UnitOfWork(empty)

    assert await seed(work) == NOTHING
    assert await seed(work, force=True) == {
        **NOTHING,
        "exchange_asset_map": 1,
        "exchange_feeds": 1,
    }

    assert await texts(
        empty, "SELECT query_limit FROM rate_limit_template WHERE tier = 'free'"
    ) == [1]
    assert await texts(
        empty, "SELECT exchange_name FROM exchange_asset_map WHERE asset = 'ETH'"
    ) == ["okx"]


def test_all_seeds_have_their_natural_keys_once() -> None:
    for it in all_seeds():
        keys = [tuple(row[name] for name in it.natural_key) for row in it.rows]
        assert len(keys) == len(set(keys)) == SEEDED[it.name]


@pytest.mark.parametrize(
    ("name", "kind", "ours"),
    [
        (None, "schema", True),
        ("beast", "schema", True),
        ("somebody_elses", "schema", False),
        ("api_keys", "table", True),
        ("alembic_version", "table", False),
        ("usage_logs", "table", True),
        ("usage_logs_202609", "table", False),
        ("usage_logs_default", "table", False),
        ("usage_logs_2026", "table", True),
        ("anything", "column", True),
    ],
)
def test_alembic_looks_at_our_tables_and_not_at_partitions(
    name: str | None,
    kind: str,
    ours: bool,  # noqa: FBT001 - a value of the table above
) -> None:
    assert is_ours(name, kind, {}) is ours


def test_migrations_are_found_in_a_checkout_and_in_an_installation(
    tmp_path: Path,
) -> None:
    package = tmp_path / "src" / "trinity_beast"
    package.mkdir(parents=True)
    beside = script_location(package)

    (package / "migrations").mkdir()

    assert beside == tmp_path / "migrations"
    assert script_location(package) == package / "migrations"
