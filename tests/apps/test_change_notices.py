"""The triggers of the baseline: who hears of which row."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from trinity_beast.adapters.postgres import connect
from trinity_beast.toolkit.work import UnitOfWork

KEY_ID = "6f1f3c63-6fd2-4b55-a0c8-3a5d6f0b8f10"
ONE_HASH = hashlib.sha256(b"ak_live_one").hexdigest()
TWO_HASH = hashlib.sha256("ak_live_zwö".encode()).hexdigest()
INSERT_KEY = (
    "INSERT INTO api_keys (id, api_key) "
    "VALUES ('6f1f3c63-6fd2-4b55-a0c8-3a5d6f0b8f10', 'ak_live_one')"
)
END = "the end"

WATCHED = {
    "rate_limit_template": "INSERT INTO rate_limit_template "
    "VALUES (DEFAULT, 'x', 1, 1, 1, 1, 1)",
    "application_parameters": "INSERT INTO application_parameters (key, value) "
    "VALUES ('x', 'y')",
    "application_parameter_profiles": "INSERT INTO application_parameter_profiles "
    "(profile_name) VALUES ('x')",
    "report_parameters": "INSERT INTO report_parameters (key, value) VALUES ('x', 'y')",
    "exchange_feeds": "INSERT INTO exchange_feeds (exchange_name, display_name, "
    "ws_endpoint, symbol_template, source_tag) VALUES ('x', 'x', 'x', 'x', 'x')",
    "exchange_asset_map": "INSERT INTO exchange_asset_map "
    "(exchange_name, asset, exchange_symbol) VALUES ('x', 'x', 'x')",
    "asset_categories": "INSERT INTO asset_categories (category_name) VALUES ('x')",
    "webhook_subscriptions": "INSERT INTO webhook_subscriptions (api_key_id) "
    "SELECT id FROM api_keys",
    "payment_links": "INSERT INTO payment_links (link_type, stripe_url) "
    "VALUES ('donation', 'x')",
}


class Notices:
    """Collects the payloads of the channel, in order."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue()

    def hear(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        self._queue.put_nowait(payload)

    async def until_the_end(self, work: UnitOfWork) -> list[dict[str, object]]:
        """Return what was heard before a notice that is sent now."""
        async with work.begin() as connection:
            await execute(connection, f"NOTIFY beast_changes, '{END}'")
        heard: list[dict[str, object]] = []
        while (payload := await asyncio.wait_for(self._queue.get(), 10)) != END:
            heard.append(json.loads(payload))
        return heard


@pytest.fixture
async def notices(work: UnitOfWork, database_url: str) -> AsyncIterator[Notices]:
    heard = Notices()
    connection = await connect(database_url)
    await connection.add_listener("beast_changes", heard.hear)
    yield heard
    await connection.close()


async def execute(connection: AsyncConnection, *statements: str) -> None:
    for statement in statements:
        await connection.execute(text(statement))


async def run(work: UnitOfWork, *statements: str) -> None:
    """Run each statement in a transaction of its own."""
    for statement in statements:
        async with work.begin() as connection:
            await execute(connection, statement)


def notice(
    operation: str, key_hash: str, *, lowered: bool = False
) -> dict[str, object]:
    return {
        "table": "api_keys",
        "op": operation,
        "id": KEY_ID,
        "key_hash": key_hash,
        "usage_lowered": lowered,
    }


@pytest.mark.parametrize("table", WATCHED)
async def test_each_change_of_a_watched_table_is_told(
    work: UnitOfWork, notices: Notices, table: str
) -> None:
    await run(work, INSERT_KEY)
    await notices.until_the_end(work)

    await run(work, WATCHED[table])
    async with work.begin() as connection:
        row_id = await connection.scalar(text(f"SELECT id::text FROM {table}"))  # noqa: S608 - a watched table
    await run(work, f"UPDATE {table} SET id = id", f"DELETE FROM {table}")  # noqa: S608 - a watched table

    assert await notices.until_the_end(work) == [
        {"table": table, "op": operation, "id": row_id}
        for operation in ("INSERT", "UPDATE", "DELETE")
    ]


async def test_a_key_is_told_with_the_hash_that_requests_find_it_by(
    work: UnitOfWork, notices: Notices
) -> None:
    """Rows of an older database have no hash, or something else where it belongs."""
    await run(
        work,
        INSERT_KEY,
        "UPDATE api_keys SET key_hash = 'something else'",
        "UPDATE api_keys SET api_key = 'shown', key_hash = repeat('ab', 32)",
    )

    assert await notices.until_the_end(work) == [
        notice("INSERT", ONE_HASH),
        notice("UPDATE", ONE_HASH),
        notice("UPDATE", ONE_HASH),
        notice("UPDATE", "ab" * 32),
    ]


async def test_a_key_that_gets_another_secret_is_told_by_both_hashes(
    work: UnitOfWork, notices: Notices
) -> None:
    await run(work, INSERT_KEY, "UPDATE api_keys SET api_key = 'ak_live_zwö'")

    assert await notices.until_the_end(work) == [
        notice("INSERT", ONE_HASH),
        notice("UPDATE", ONE_HASH),
        notice("UPDATE", TWO_HASH),
    ]


async def test_only_usage_that_goes_down_is_told_as_lowered(
    work: UnitOfWork, notices: Notices
) -> None:
    await run(
        work,
        INSERT_KEY,
        "UPDATE api_keys SET current_usage = 5",
        "UPDATE api_keys SET current_usage = 5",
        "UPDATE api_keys SET current_usage = 0",
        "DELETE FROM api_keys",
    )

    assert await notices.until_the_end(work) == [
        notice("INSERT", ONE_HASH),
        notice("UPDATE", ONE_HASH),
        notice("UPDATE", ONE_HASH),
        notice("UPDATE", ONE_HASH, lowered=True),
        notice("DELETE", ONE_HASH),
    ]


async def test_a_quiet_transaction_tells_nothing_and_the_next_one_does(
    work: UnitOfWork, engine: AsyncEngine, notices: Notices
) -> None:
    async with engine.connect() as connection:
        await execute(
            connection,
            "SET LOCAL beast.quiet = 'on'",
            INSERT_KEY,
            "UPDATE api_keys SET current_usage = 5",
            WATCHED["exchange_feeds"],
        )
        await connection.commit()
        await execute(connection, "UPDATE api_keys SET current_usage = 6")
        await connection.commit()

    assert await notices.until_the_end(work) == [notice("UPDATE", ONE_HASH)]


async def test_a_change_that_is_rolled_back_is_not_told(
    work: UnitOfWork, notices: Notices
) -> None:
    async with work.begin() as connection:
        await execute(connection, INSERT_KEY)
        await connection.rollback()

    assert await notices.until_the_end(work) == []


async def test_plain_keys_are_found_by_an_index(work: UnitOfWork) -> None:
    async with work.begin() as connection:
        await execute(connection, "SET LOCAL enable_seqscan = off")
        plan = await connection.scalars(
            text(
                "EXPLAIN SELECT id FROM api_keys "
                "WHERE key_hash = 'x' OR beast.key_hash_of(api_key) = 'x'"
            )
        )
        lines = "\n".join(plan)

    assert "idx_api_keys_plain_key_hash" in lines
    assert "idx_api_keys_key_hash" in lines
