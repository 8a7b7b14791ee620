"""What the roles of one process share, put together once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from trinity_beast.adapters.postgres import PostgresChanges, make_engine
from trinity_beast.apps.machine import Machine
from trinity_beast.apps.market import Market, MarketChoice, open_market
from trinity_beast.apps.servers import Servers
from trinity_beast.apps.settings import Settings
from trinity_beast.features.catalogue import Catalogue, CatalogueService
from trinity_beast.features.parameters import Parameters, ParameterService
from trinity_beast.ports.changes import EVERYTHING, Change
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.background import Background
from trinity_beast.toolkit.change_hub import ChangeHub
from trinity_beast.toolkit.waiting import wait_for
from trinity_beast.toolkit.work import UnitOfWork

CATALOGUE_TABLES = ("exchange_feeds", "exchange_asset_map", "asset_categories")
PARAMETER_TABLES = ("application_parameters", "report_parameters")


@dataclass(frozen=True, slots=True)
class Shared:
    """The common parts of a process.

    Attributes:
        settings: From the environment.
        machine: Clock, randomness, and where progress is told.
        servers: Where the database and the cache are.
        engine: Connections to the database.
        work: Transactions on it.
        changes: Tells which rows changed.
        catalogue: Exchanges, assets and categories, kept fresh.
        parameters: What operators set at run time, kept fresh.
        market: Where the feeds listen.
    """

    settings: Settings
    machine: Machine
    servers: Servers
    engine: AsyncEngine
    work: UnitOfWork
    changes: ChangeHub
    catalogue: Catalogue
    parameters: Parameters
    market: Market

    @property
    def clock(self) -> Clock:
        """The machine's clock."""
        return self.machine.clock

    @property
    def board_path(self) -> Path:
        """Where this node's price board is."""
        return self.settings.node.home / "run" / "board"


@asynccontextmanager
async def shared_parts(
    settings: Settings,
    machine: Machine,
    servers: Servers,
    choice: MarketChoice,
) -> AsyncGenerator[Shared]:
    """Build the parts that roles share, and close them after the block.

    Catalogue and parameters are read, waiting for the database when it is away.
    """
    clock = machine.clock
    name = f"beast {settings.node.name}"
    engine = make_engine(servers.database_url, application_name=name)
    work = UnitOfWork(engine)
    parameters = Parameters(ParameterService(work).load)
    load = CatalogueService(work).load
    try:
        await wait_for("the database", parameters.refresh, clock)
        async with open_market(choice, load, clock) as market:
            catalogue = Catalogue(market.load)
            await wait_for("the database", catalogue.refresh, clock)
            yield Shared(
                settings,
                machine,
                servers,
                engine,
                work,
                ChangeHub(
                    PostgresChanges(servers.database_url, clock, machine.randomness),
                    clock,
                ),
                catalogue,
                parameters,
                market,
            )
    finally:
        await engine.dispose()


def keep_fresh(shared: Shared, background: Background) -> None:
    """Follow changes of rows; re-read every ``config_poll`` seconds as a safety net."""
    shared.changes.keep_fresh("catalogue", CATALOGUE_TABLES, shared.catalogue.refresh)
    shared.changes.keep_fresh("parameters", PARAMETER_TABLES, shared.parameters.refresh)

    async def poll() -> None:
        while True:
            await shared.clock.sleep(shared.parameters.integer("config_poll"))
            await shared.changes.announce(Change(EVERYTHING))

    background.start("changes", shared.changes.run)
    background.start("config poll", poll)
