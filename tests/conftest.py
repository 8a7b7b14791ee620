"""Fixtures that more than one part of the suite needs.

PostgreSQL and Valkey are real.  ``DATABASE_URL`` and ``VALKEY_URL`` name outside ones;
without them the process that leads the run starts the embedded servers once, and each
worker gets a database and a Valkey database number of its own.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import settings
from sqlalchemy import delete, text
from sqlalchemy.engine import make_url

from support.clocks import FixedClock
from support.randomness import SeededRandomness
from trinity_beast.adapters.embedded import EmbeddedServers, ServerUrls
from trinity_beast.adapters.postgres import make_engine
from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.adapters.valkey import open_valkey
from trinity_beast.apps.all_tables import metadata
from trinity_beast.apps.migrating import seed, upgrade
from trinity_beast.toolkit.work import UnitOfWork

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine
    from xdist.workermanage import WorkerController

# Coverage must not depend on luck: the same examples in every run.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.load_profile("ci")

URLS = pytest.StashKey[tuple[str, str]]()


class Leader:
    """Runs the embedded servers for the whole run, in the process that leads it."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="beast-test-"))
        self._loop = asyncio.new_event_loop()
        self._servers = EmbeddedServers(
            self._home,
            clock=SystemClock(),
            randomness=SystemRandomness(),
            progress=lambda _line: None,
        )

    def start(self) -> ServerUrls:
        return self._loop.run_until_complete(self._servers.start())

    def stop(self) -> None:
        self._loop.run_until_complete(self._servers.stop())
        self._loop.close()
        shutil.rmtree(self._home, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    database, valkey = os.environ.get("DATABASE_URL"), os.environ.get("VALKEY_URL")
    if not (database and valkey):
        leader = Leader()
        urls = leader.start()
        config.add_cleanup(leader.stop)
        database, valkey = urls.database_url, urls.valkey_url
    config.stash[URLS] = database, valkey


def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker of this run where the servers are."""
    told = cast("dict[str, object]", node.workerinput)
    told["urls"] = node.config.stash[URLS]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def randomness() -> SeededRandomness:
    return SeededRandomness()


@pytest.fixture(scope="session")
def server_urls(pytestconfig: pytest.Config) -> tuple[str, str]:
    """Return where PostgreSQL and Valkey are, with no database chosen yet."""
    told: dict[str, tuple[str, str]] | None = getattr(pytestconfig, "workerinput", None)
    database, valkey = told["urls"] if told else pytestconfig.stash[URLS]
    return database, valkey


@pytest.fixture(scope="session")
def worker_number(worker_id: str) -> int:
    return int(worker_id.removeprefix("gw")) if worker_id != "master" else 0


@pytest.fixture(scope="session")
def database_url(server_urls: tuple[str, str], worker_number: int) -> Iterator[str]:
    """Give this worker a migrated database of its own."""
    server = server_urls[0]
    name = f"beast_test_{os.getpid()}_{worker_number}"
    asyncio.run(_execute(server, f'CREATE DATABASE "{name}"'))
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    asyncio.run(upgrade(url, SystemClock()))
    yield url
    asyncio.run(_execute(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def valkey_base_url(server_urls: tuple[str, str], worker_number: int) -> str:
    """Return the URL of this worker's own Valkey database."""
    url = make_url(server_urls[1]).set(database=str(worker_number + 1))
    return url.render_as_string(hide_password=False)


@pytest.fixture
async def valkey_url(valkey_base_url: str) -> str:
    """Give a test an empty Valkey database."""
    client = await open_valkey(valkey_base_url, client_name="tests")
    await client.flushdb()
    await client.close()
    return valkey_base_url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connect to a database without any row."""
    engine = make_engine(database_url, application_name="tests")
    await _empty(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
async def work(engine: AsyncEngine) -> UnitOfWork:
    """Open transactions on a database without any row."""
    return UnitOfWork(engine)


@pytest.fixture
async def seeded_work(work: UnitOfWork) -> UnitOfWork:
    """Open transactions on a database as a fresh installation has it."""
    await seed(work, force=True)
    return work


async def _empty(engine: AsyncEngine) -> None:
    """Delete all rows: 1 ms for all tables, where TRUNCATE takes a hundred."""
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in metadata.sorted_tables:
            await connection.execute(delete(table))


async def _execute(url: str, statement: str) -> None:
    engine = make_engine(url, application_name="tests")
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as it:
        await it.execute(text(statement))
    await engine.dispose()
