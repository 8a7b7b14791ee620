from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from trinity_beast.adapters.postgres import connect, make_engine, plain_dsn
from trinity_beast.toolkit.work import DatabaseAway, UnitOfWork

END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'engine test' AND pid <> pg_backend_pid()",
)


@pytest.fixture
async def own(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database_url, application_name="engine test", pool_size=2)
    yield engine
    await engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "postgres://ann@db/beast?sslmode=require",
        "postgresql://ann@db/beast?sslmode=require",
        "postgresql+asyncpg://ann@db/beast?sslmode=require",
    ],
)
def test_every_spelling_of_a_database_url_is_understood(url: str) -> None:
    assert plain_dsn(url) == "postgresql://ann@db/beast?sslmode=require"


def test_a_url_of_another_database_is_refused_without_showing_its_password() -> None:
    with pytest.raises(ValueError, match="not with mysql:") as caught:
        make_engine("mysql://ann:secret@db/beast", application_name="engine test")
    assert "secret" not in str(caught.value)


async def test_a_connection_knows_its_application_and_speaks_utc(
    own: AsyncEngine,
) -> None:
    async with own.connect() as connection:
        answer = await connection.execute(
            text(
                "SELECT current_setting('application_name'),"
                " current_setting('timezone')",
            ),
        )
        assert answer.one() == ("engine test", "UTC")


async def test_a_connection_that_died_while_idle_is_replaced_unseen(
    own: AsyncEngine,
    engine: AsyncEngine,
) -> None:
    async with own.connect() as connection:
        await connection.execute(text("SELECT 1"))
    await end_all(engine)

    async with own.connect() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_connection_that_dies_in_a_transaction_means_the_database_is_away(
    own: AsyncEngine,
    engine: AsyncEngine,
) -> None:
    work = UnitOfWork(own)

    with pytest.raises(DatabaseAway):
        async with work.begin() as connection:
            await ask_twice_with_an_end_between(connection, engine)

    async with work.begin() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_an_ordinary_error_is_not_taken_for_a_lost_connection(
    own: AsyncEngine,
) -> None:
    async with own.connect() as connection:
        before = await backend(connection)
        with pytest.raises(Exception, match="division by zero"):
            await connection.execute(text("SELECT 1/0"))
        await connection.rollback()

        assert await backend(connection) == before


async def test_a_server_that_is_not_there_means_the_database_is_away() -> None:
    engine = make_engine("postgresql://127.0.0.1:1/beast", application_name="nobody")

    with pytest.raises(DatabaseAway):
        async with UnitOfWork(engine).begin():
            pass


async def test_a_statement_that_takes_too_long_is_given_up(database_url: str) -> None:
    engine = make_engine(
        database_url,
        application_name="engine test",
        command_timeout_s=0.05,
    )

    with pytest.raises(DatabaseAway):
        async with UnitOfWork(engine).begin() as connection:
            await connection.execute(text("SELECT pg_sleep(5)"))
    await engine.dispose()


async def test_a_full_server_counts_as_away_and_a_wrong_database_does_not(
    engine: AsyncEngine,
    database_url: str,
) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("CREATE ROLE crowded LOGIN PASSWORD 'x' CONNECTION LIMIT 0"),
        )
    try:
        with pytest.raises(ConnectionError):
            await connect(database_url, user="crowded", password="x")
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("DROP ROLE crowded"))

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await connect(database_url, database="no such database")


async def end_all(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(END_OTHERS)


async def ask_twice_with_an_end_between(
    connection: AsyncConnection,
    other: AsyncEngine,
) -> None:
    await connection.execute(text("SELECT 1"))
    await end_all(other)
    await connection.execute(text("SELECT 2"))


async def backend(connection: AsyncConnection) -> int:
    answer = await connection.execute(text("SELECT pg_backend_pid()"))
    return int(answer.scalar_one())
