from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from support.clocks import FixedClock
from support.randomness import SeededRandomness
from support.relay import Relay
from trinity_beast.adapters.postgres import PostgresChanges
from trinity_beast.adapters.postgres.changes import parse_notice
from trinity_beast.adapters.system import SystemClock
from trinity_beast.ports.changes import EVERYTHING, Change

ALL = Change(EVERYTHING)


@pytest.fixture
def changes(database_url: str) -> PostgresChanges:
    return PostgresChanges(database_url, SystemClock(), SeededRandomness())


@pytest.fixture
async def heard(changes: PostgresChanges) -> AsyncIterator[AsyncIterator[Change]]:
    """Return what is heard after the first ``EVERYTHING``."""
    stream = changes.listen()
    assert await anext(stream) == ALL
    yield stream
    await close(stream)


async def test_a_notice_of_a_row_arrives_as_a_change(
    heard: AsyncIterator[Change],
    engine: AsyncEngine,
) -> None:
    await notify(
        engine,
        '{"table":"api_keys","op":"UPDATE","id":"k1","key_hash":"h","usage_lowered":true}',
    )

    assert await soon(heard) == Change("api_keys", "UPDATE", "k1", "h", True)  # noqa: FBT003 - as the trigger says it


async def test_notices_arrive_in_order(
    heard: AsyncIterator[Change],
    engine: AsyncEngine,
) -> None:
    for number in range(3):
        await notify(
            engine,
            f'{{"table":"exchange_feeds","op":"INSERT","id":{number}}}',
        )

    assert [await soon(heard) for _ in range(3)] == [
        Change("exchange_feeds", "INSERT", str(number)) for number in range(3)
    ]


async def test_a_broken_notice_means_everything_and_is_logged(
    heard: AsyncIterator[Change],
    engine: AsyncEngine,
) -> None:
    with capture_logs() as logs:
        await notify(engine, "{not json")
        change = await soon(heard)

    assert change == ALL
    assert [line["event"] for line in logs] == [
        "notice not understood, reading everything",
    ]


@pytest.mark.parametrize("payload", ["", "[]", "{}", '{"table":1,"op":"x"}', "null"])
def test_no_payload_breaks_the_listener(payload: str) -> None:
    assert parse_notice(payload) == ALL


async def test_after_a_lost_connection_everything_is_read_again(
    heard: AsyncIterator[Change],
    engine: AsyncEngine,
) -> None:
    await end_listeners(engine)

    assert await soon(heard) == ALL
    await notify(engine, '{"table":"api_keys","op":"DELETE"}')
    assert await soon(heard) == Change("api_keys", "DELETE")


async def test_a_wire_that_went_dead_without_a_word_is_noticed(
    database_url: str,
) -> None:
    relay = relay_to(database_url)
    await relay.mend()
    url = make_url(database_url).set(host="127.0.0.1", port=relay.port, query={})
    stream = PostgresChanges(
        url.render_as_string(hide_password=False),
        SystemClock(),
        SeededRandomness(),
        keepalive_s=0.1,
    ).listen()
    assert await anext(stream) == ALL
    listening = asyncio.ensure_future(anext(stream))
    await asyncio.wait([listening], timeout=0.25)  # alive, with two questions answered
    assert not listening.done()

    relay.freeze()

    assert await asyncio.wait_for(listening, 5) == ALL
    await close(stream)
    await relay.cut()


async def test_a_reader_that_is_far_behind_gets_everything_instead_of_each_row(
    heard: AsyncIterator[Change],
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_notify('beast_changes',"
                ' \'{"table":"api_keys","op":"UPDATE","id":\' || n || \'}\')'
                " FROM generate_series(1, 10050) AS n",
            ),
        )
    await until_delivered(engine)

    assert await soon(heard) == ALL
    assert await soon(heard) == Change("api_keys", "UPDATE", "10002")


async def test_while_the_database_is_away_it_is_tried_for_ever_with_few_words() -> None:
    clock = CountingClock(stop_after=20)
    nowhere = "postgresql://beast@127.0.0.1:1/beast"
    stream = PostgresChanges(nowhere, clock, SeededRandomness()).listen()

    with capture_logs() as logs, pytest.raises(Enough):
        await anext(stream)

    assert max(clock.pauses_s) <= 2.0
    assert clock.pauses_s[-1] > 1.0
    assert 10 < len(logs) <= 1 + sum(clock.pauses_s)


class Enough(Exception):
    pass


class CountingClock(FixedClock):
    def __init__(self, stop_after: int) -> None:
        super().__init__()
        self.pauses_s: list[float] = []
        self._stop_after = stop_after

    async def sleep(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        if len(self.pauses_s) == self._stop_after:
            raise Enough
        await super().sleep(seconds)


def relay_to(database_url: str) -> Relay:
    url = make_url(database_url)
    directory = url.query.get("host")
    if isinstance(directory, str):
        return Relay("", 0, f"{directory}/.s.PGSQL.5432")
    return Relay(url.host or "127.0.0.1", url.port or 5432)


async def soon(stream: AsyncIterator[Change]) -> Change:
    return await asyncio.wait_for(anext(stream), 5)


async def close(stream: AsyncIterator[Change]) -> None:
    await stream.aclose()  # type: ignore[attr-defined]


async def notify(engine: AsyncEngine, payload: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("SELECT pg_notify('beast_changes', :payload)"),
            {"payload": payload},
        )


async def end_listeners(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                " application_name = 'beast changes' AND datname = current_database()",
            ),
        )


async def until_delivered(engine: AsyncEngine) -> None:
    """Wait until the listener's loop has read all that the server sent before."""
    for _ in range(200):
        async with engine.begin() as connection:
            await connection.execute(text("SELECT 1"))
