"""Database and cache of this process: outside ones, embedded ones, or running ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from trinity_beast.adapters.embedded import EmbeddedServers, attach
from trinity_beast.apps.machine import Machine
from trinity_beast.apps.settings import Settings


class Servers(NamedTuple):
    """Where the database and the cache are.

    Attributes:
        database_url: PostgreSQL.
        valkey_url: Valkey.
        embedded: The servers that this process runs itself, if any.
    """

    database_url: str
    valkey_url: str
    embedded: EmbeddedServers | None = None


def outside_servers(settings: Settings) -> Servers | None:
    """Return the servers that the environment names, or None unless it names both."""
    database, valkey = settings.store.database_url, settings.store.valkey_url
    if database is None or valkey is None:
        return None
    return Servers(database.get_secret_value(), valkey.get_secret_value())


@asynccontextmanager
async def own_servers(settings: Settings, machine: Machine) -> AsyncGenerator[Servers]:
    """Run the servers of this home for the length of the block.

    Raises:
        HomeInUse: Another process runs this home.
        ServerFailed: A server did not start.
    """
    outside = outside_servers(settings)
    if outside is not None:
        yield outside
        return
    embedded = EmbeddedServers(
        settings.node.home,
        clock=machine.clock,
        randomness=machine.randomness,
        progress=machine.say,
    )
    urls = await embedded.start()
    try:
        yield _preferring_outside(
            settings, urls.database_url, urls.valkey_url
        )._replace(
            embedded=embedded,
        )
    finally:
        await embedded.stop()


@asynccontextmanager
async def any_servers(settings: Settings, machine: Machine) -> AsyncGenerator[Servers]:
    """Use the servers that run already, or run them for the length of the block.

    Raises:
        ServerFailed: A server did not start.
    """
    if outside_servers(settings) is None:
        running = await attach(settings.node.home, clock=machine.clock)
        if running is not None:
            yield _preferring_outside(
                settings,
                running.database_url,
                running.valkey_url,
            )
            return
    async with own_servers(settings, machine) as servers:
        yield servers


def _preferring_outside(settings: Settings, database: str, valkey: str) -> Servers:
    store = settings.store
    return Servers(
        store.database_url.get_secret_value() if store.database_url else database,
        store.valkey_url.get_secret_value() if store.valkey_url else valkey,
    )
