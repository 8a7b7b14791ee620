"""A node of the product, in this process, on this worker's servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import httpx
import pytest

from support.nodes import SIMULATED, OpenNode
from support.ports import free_port
from trinity_beast.adapters.system import SystemClock, SystemRandomness
from trinity_beast.apps.machine import Machine
from trinity_beast.apps.market import MarketChoice
from trinity_beast.apps.node import ROLES, Node, open_node
from trinity_beast.apps.servers import Servers
from trinity_beast.apps.settings import Settings, read_settings
from trinity_beast.features.keys import KeyService

if TYPE_CHECKING:
    from pathlib import Path

    from trinity_beast.toolkit.work import UnitOfWork


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def machine(said: list[str]) -> Machine:
    return Machine(SystemClock(), SystemRandomness(), said.append)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("BEAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LPO_PORT", str(free_port()))
    monkeypatch.setenv("LPO_UDP_PORT", str(free_port()))
    monkeypatch.setenv("LOG_LEVEL", "error")
    return read_settings()


@pytest.fixture
def servers(database_url: str, valkey_url: str) -> Servers:
    return Servers(database_url, valkey_url)


@pytest.fixture
def node(
    settings: Settings,
    machine: Machine,
    servers: Servers,
    seeded_work: UnitOfWork,
) -> OpenNode:
    """Open nodes on a database as a fresh installation has it."""

    def opened(
        *roles: str,
        choice: MarketChoice = SIMULATED,
    ) -> AbstractAsyncContextManager[Node]:
        return open_node(settings, machine, servers, choice, roles or tuple(ROLES))

    return opened


@pytest.fixture
def keys(seeded_work: UnitOfWork) -> KeyService:
    return KeyService(seeded_work, SystemClock(), SystemRandomness(), "sealed")


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Ask the node's price listener."""
    url = f"http://127.0.0.1:{settings.listen.lpo_port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client
