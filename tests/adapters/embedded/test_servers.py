"""Real servers, started once for the module; each test leaves them running."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from structlog.testing import capture_logs

from support.until import until
from trinity_beast.adapters.embedded import (
    EmbeddedServers,
    HomeInUse,
    HomeUnusable,
    ServerUrls,
    attach,
)
from trinity_beast.adapters.embedded.home import Home, Kept, Running
from trinity_beast.adapters.postgres import connect, make_engine
from trinity_beast.adapters.system import SystemClock, SystemRandomness

pytestmark = pytest.mark.asyncio(loop_scope="module")
CLOCK = SystemClock()
SETTINGS = [
    "data_checksums",
    "fsync",
    "jit",
    "listen_addresses",
    "max_connections",
    "server_encoding",
    "synchronous_commit",
    "wal_level",
]


@dataclass
class Stage:
    """Servers that run, and what was said while they were started."""

    home: Path
    servers: EmbeddedServers
    urls: ServerUrls
    lines: list[str]

    def running(self) -> Running:
        running = Home(self.home).running()
        assert running is not None
        return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Start both servers below directories that only we can enter."""
    home = tmp_path_factory.mktemp("embedded") / "a home"
    lines: list[str] = []
    servers = servers_of(home, lines)
    yield Stage(home, servers, await servers.start(), lines)
    await servers.stop()


async def test_the_first_start_says_what_takes_time(stage: Stage) -> None:
    assert [line for line in stage.lines if not line.startswith("Copying")] == [
        "Starting PostgreSQL and Valkey",
        "Creating the database",
    ]


async def test_the_database_is_as_we_want_it(stage: Stage) -> None:
    assert await settings_of(stage.urls.database_url) == {
        "data_checksums": "on",
        "fsync": "on",
        "jit": "off",
        "listen_addresses": "",
        "max_connections": "200",
        "server_encoding": "UTF8",
        "synchronous_commit": "on",
        "wal_level": "replica",
        "collation": "C.UTF-8",
        "database": "beast",
        "major version": "18",
    }


async def test_valkey_keeps_what_it_is_told(stage: Stage) -> None:
    names = ("appendonly", "appendfsync", "save", "maxmemory-policy", "bind")

    said = [await ask_valkey(stage.urls, f"CONFIG GET {name}") for name in names]

    assert [answer[-1] for answer in said] == [
        "yes",
        "everysec",
        "",
        "noeviction",
        "127.0.0.1",
    ]


async def test_without_the_password_nobody_gets_in(stage: Stage) -> None:
    with pytest.raises(Exception, match="password authentication failed"):
        await connect(stage.urls.database_url, password="wrong")


async def test_secrets_of_the_home_can_be_read_by_their_owner_only(
    stage: Stage,
) -> None:
    names = ("embedded.json", "servers.json", "valkey", "postgres", "log/valkey.log")

    assert {(stage.home / name).stat().st_mode & 0o077 for name in names} == {0}


async def test_passwords_do_not_show_in_a_log(stage: Stage) -> None:
    assert repr(stage.urls) == "ServerUrls()"


async def test_other_commands_find_the_running_servers(stage: Stage) -> None:
    assert await attach(stage.home, clock=CLOCK) == stage.urls


async def test_a_second_start_is_refused_and_leaves_the_first_alone(
    stage: Stage,
) -> None:
    second = servers_of(stage.home, [])

    with pytest.raises(HomeInUse) as refused:
        await second.start()
    await second.stop()

    assert refused.value.context == {"home": stage.home, "pid": str(os.getpid())}
    assert await attach(stage.home, clock=CLOCK) == stage.urls


async def test_a_killed_postgresql_comes_back_in_its_place_with_its_data(
    stage: Stage,
) -> None:
    await run_sql(stage.urls, "CREATE TABLE kept AS SELECT 42 AS answer")
    before = stage.running().postgres_pid

    async with watched(stage.servers):
        os.kill(before, signal.SIGKILL)
        await until_replaced(stage, "postgres_pid", before)
        found = await attach(stage.home, clock=CLOCK)

    assert found == stage.urls
    await run_sql(stage.urls, "DROP TABLE kept")


async def test_a_killed_valkey_comes_back_in_its_place_with_its_data(
    stage: Stage,
) -> None:
    await ask_valkey(stage.urls, "SET kept 42")
    before = stage.running().valkey_pid

    async with watched(stage.servers):
        os.kill(before, signal.SIGKILL)
        await until_replaced(stage, "valkey_pid", before)
        found = await attach(stage.home, clock=CLOCK)

    assert found == stage.urls
    assert await ask_valkey(stage.urls, "GET kept") == ["$2", "42"]


async def test_a_server_that_cannot_come_back_is_tried_until_it_can(
    stage: Stage,
) -> None:
    manifest = stage.home / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
    good = manifest.read_bytes()
    manifest.write_bytes(b"nonsense\n")
    before = stage.running().valkey_pid

    with capture_logs() as logs:
        async with watched(stage.servers):
            os.kill(before, signal.SIGKILL)
            await until(lambda: count(logs, "server did not come back") > 1)
            manifest.write_bytes(good)
            await until_replaced(stage, "valkey_pid", before)

    assert count(logs, "server is back") == 1
    assert await attach(stage.home, clock=CLOCK) == stage.urls


async def test_the_next_start_finds_everything_where_it_was(stage: Stage) -> None:
    await run_sql(stage.urls, "CREATE TABLE kept AS SELECT 42 AS answer")
    await stage.servers.stop()
    gone = await attach(stage.home, clock=CLOCK)
    left = left_outside(Home(stage.home))

    again = await stage.servers.start()

    assert (gone, left, again) == (None, [], stage.urls)
    await run_sql(stage.urls, "DROP TABLE kept")


async def test_a_password_that_does_not_fit_the_database_is_reported(
    stage: Stage,
) -> None:
    await stage.servers.stop()
    home = Home(stage.home)
    kept = home.kept(SystemRandomness())
    home.keep(Kept("another", kept.valkey_password, kept.valkey_port))

    with pytest.raises(HomeUnusable, match="does not hold the password of its"):
        await stage.servers.start()
    home.keep(kept)

    assert await stage.servers.start() == stage.urls


def servers_of(home: Path, lines: list[str]) -> EmbeddedServers:
    return EmbeddedServers(
        home,
        clock=CLOCK,
        randomness=SystemRandomness(),
        progress=lines.append,
    )


@asynccontextmanager
async def watched(servers: EmbeddedServers) -> AsyncGenerator[None]:
    watch = asyncio.create_task(servers.watch())
    await asyncio.sleep(0)
    yield
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)


async def until_replaced(stage: Stage, name: str, before: int) -> None:
    await until(lambda: getattr(stage.running(), name) != before)


def left_outside(home: Home) -> list[Path]:
    return [*Path("/tmp").glob(f"{home.mark}*")]


def count(logs: Sequence[Mapping[str, object]], event: str) -> int:
    return sum(line["event"] == event for line in logs)


async def run_sql(urls: ServerUrls, statement: str) -> None:
    connection = await connect(urls.database_url)
    await connection.execute(statement)
    await connection.close()


async def settings_of(url: str) -> dict[str, str]:
    engine = make_engine(url, application_name="tests")
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"),
            {"names": SETTINGS},
        )
        found = {row.name: row.setting for row in rows}
        rows = await connection.execute(
            text(
                "SELECT datlocale, datname, current_setting('server_version_num')"
                " FROM pg_database WHERE datname = current_database()",
            ),
        )
        collation, database, version = rows.one()
    await engine.dispose()
    return {
        **found,
        "collation": collation,
        "database": database,
        "major version": version[:2],
    }


async def ask_valkey(urls: ServerUrls, command: str) -> list[str]:
    """Ask in plain RESP: the client library belongs to the loop of another test."""
    password, port = urls.valkey_url[len("valkey://:") : -2].split("@127.0.0.1:")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(f"AUTH {password}\r\n{command}\r\nQUIT\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer.removesuffix("+OK\r\n").split("\r\n")[1:-1]
