"""Starts that fail: each says why, and leaves nothing running and nothing taken."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from support.clocks import FixedClock
from support.randomness import SeededRandomness
from support.until import until
from trinity_beast.adapters.embedded import EmbeddedServers, ServerFailed, attach
from trinity_beast.adapters.embedded.home import Home
from trinity_beast.adapters.embedded.identity import (
    make_private_directory,
    own_identity,
    unprivileged_identity,
)
from trinity_beast.adapters.embedded.postgres import (
    PostgresServer,
    postgres_answers,
    socket_directory,
)
from trinity_beast.adapters.embedded.processes import marked_processes
from trinity_beast.adapters.embedded.valkey import (
    ValkeyServer,
    free_port,
    valkey_answers,
)
from trinity_beast.adapters.system import SystemClock, SystemRandomness


class HurriedClock(FixedClock):
    """Ten minutes pass whenever somebody looks."""

    def monotonic_ns(self) -> int:
        self.advance(600)
        return super().monotonic_ns()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home" / "log").mkdir(parents=True)
    return Home(tmp_path / "home")


async def test_a_database_that_cannot_be_read_stops_the_start(home: Home) -> None:
    make_private_directory(home.postgres, unprivileged_identity(home.postgres))
    servers = servers_of(home, [])
    home.kept(SystemRandomness())
    (home.postgres / "main").mkdir()

    with pytest.raises(ServerFailed) as failed:
        await servers.start()

    assert failed.value.message.splitlines()[0] == (
        "PostgreSQL did not start: it ended with 2. "
        f"Its log is {home.log / 'postgres.log'}:"
    )
    assert "main" in failed.value.message.splitlines()[1]
    assert (home.is_locked(), marked_processes(home.mark)) == (False, ())


async def test_a_start_that_is_given_up_leaves_nothing_behind(home: Home) -> None:
    lines: list[str] = []
    servers = servers_of(home, lines)
    starting = asyncio.create_task(servers.start())
    await until(lambda: len(lines) > 1 and bool(marked_processes(home.mark)))

    starting.cancel()
    outcome = await asyncio.gather(starting, return_exceptions=True)

    assert isinstance(outcome[0], asyncio.CancelledError)
    assert (home.is_locked(), marked_processes(home.mark)) == (False, ())
    assert not (home.postgres / "main").exists()


async def test_a_cluster_that_cannot_be_made_is_reported(home: Home) -> None:
    server = postgres_of(home, SystemClock(), password="")

    with pytest.raises(ServerFailed, match=r"initdb ended with 1.*(?s:.*)is empty"):
        await server.start()


async def test_a_database_that_never_answers_is_reported(home: Home) -> None:
    make_private_directory(home.postgres, unprivileged_identity(home.postgres))
    (home.postgres / "main").mkdir()
    server = postgres_of(home, HurriedClock(), password="x")

    with pytest.raises(ServerFailed, match="did not answer within 120 s"):
        await server.start()
    await server.stop()


async def test_a_valkey_that_cannot_read_its_file_is_reported(home: Home) -> None:
    make_private_directory(home.valkey, own_identity())
    (home.valkey / "appendonlydir").mkdir()
    (home.valkey / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense")

    with pytest.raises(ServerFailed, match="Valkey did not start: it ended with 1"):
        await valkey_of(home, SystemClock()).start()


async def test_a_valkey_that_never_answers_is_reported(home: Home) -> None:
    server = valkey_of(home, HurriedClock())

    with pytest.raises(ServerFailed, match="did not answer within 60 s"):
        await server.start()
    await server.stop()


async def test_what_was_never_started_has_no_process(home: Home) -> None:
    for server in (
        postgres_of(home, SystemClock(), password="x"),
        valkey_of(home, SystemClock()),
    ):
        await server.stop()
        assert (server.pid, await server.ended()) == (0, 0)


async def test_an_owner_that_does_not_get_ready_is_not_waited_for_for_ever(
    home: Home,
    clock: FixedClock,
) -> None:
    await home.lock(clock)

    assert await attach(home.directory, clock=clock) is None
    assert clock.steady_ns > 15e9
    home.unlock()


async def test_nobody_answers_where_nobody_is() -> None:
    assert not await valkey_answers("valkey://:x@127.0.0.1:1/0")
    assert not await postgres_answers("postgresql+asyncpg://x:y@127.0.0.1:1/z")


def test_the_port_of_the_last_run_is_taken_again_if_it_is_free() -> None:
    randomness = SeededRandomness()
    first = free_port(0, randomness)
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", first))
        taker.listen()
        other = free_port(first, randomness)

    assert other != first
    assert (free_port(first, randomness), free_port(other, randomness)) == (
        first,
        other,
    )


def test_without_a_free_port_there_is_no_valkey() -> None:
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", 0))
        taker.listen()
        port = taker.getsockname()[1]

        with pytest.raises(ServerFailed, match="no free port"):
            free_port(port, OneNumber(port))


class OneNumber(SeededRandomness):
    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def uniform(self, low: float, high: float) -> float:
        return self._number


def test_a_socket_lives_in_the_home_unless_its_path_is_too_long(
    open_place: Path,
) -> None:
    longest = open_place / ("x" * (107 - len(f"{open_place}//run/.s.PGSQL.5432")))
    too_long = longest.with_name(longest.name + "x")

    assert socket_directory(Home(longest), own_identity()) == longest / "run"
    assert socket_directory(Home(too_long), own_identity()).parent == Path("/tmp")


def servers_of(home: Home, lines: list[str]) -> EmbeddedServers:
    return EmbeddedServers(
        home.directory,
        clock=SystemClock(),
        randomness=SystemRandomness(),
        progress=lines.append,
    )


def postgres_of(
    home: Home, clock: FixedClock | SystemClock, password: str
) -> PostgresServer:
    return PostgresServer(
        home,
        password=password,
        clock=clock,
        progress=lambda _line: None,
    )


def valkey_of(home: Home, clock: FixedClock | SystemClock) -> ValkeyServer:
    port = free_port(0, SystemRandomness())
    return ValkeyServer(home, password="secret", port=port, clock=clock)
