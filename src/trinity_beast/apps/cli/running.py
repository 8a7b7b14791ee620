"""`beast demo`, `beast up`, `beast run`: processes that stay until they are ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer

from trinity_beast.apps.banner import banner
from trinity_beast.apps.cli.session import FAILED, Session, run
from trinity_beast.apps.database import database_of
from trinity_beast.apps.demo_key import ensure_demo_key
from trinity_beast.apps.market import MarketChoice, parse_market
from trinity_beast.apps.node import ROLES, Node, open_node, prices_are_there
from trinity_beast.apps.servers import any_servers, own_servers
from trinity_beast.features.keys import KeyService
from trinity_beast.kernel.errors import Invalid
from trinity_beast.toolkit.tolerating import tolerating

_END_WITHIN_S = 45.0


class RoleUnknown(Invalid):
    """A role that was asked for does not exist."""

    code = "role_unknown"
    template = "There is no role {names}; there are {known}."


Market = Annotated[
    str,
    typer.Option(help="simulated, live or replay:FOLDER with recorded frames."),
]
Exchange = Annotated[
    str | None,
    typer.Option(help="With replay: only this exchange's recording."),
]
Speed = Annotated[
    float,
    typer.Option(
        min=0.01, max=10_000, help="Times the recorded pace, or the usual traffic."
    ),
]


def demo(
    market: Market = "simulated",
    exchange: Exchange = None,
    speed: Speed = 1.0,
) -> None:
    """Run everything in one process on a simulated market, with a key ready to use."""

    async def command(session: Session) -> None:
        choice = parse_market(market, exchange=exchange, speed=speed)
        async with _everything(session, choice) as node:
            secret = await ensure_demo_key(session.settings.node.home, _keys(node))
            await prices_are_there(node)
            print(banner(node.shared, secret), flush=True)
            await asyncio.Event().wait()

    run(lambda session: _until_ended(command(session)))


def up(market: Market = "live") -> None:
    """Run everything in one process on the live exchanges."""

    async def command(session: Session) -> None:
        async with _everything(session, parse_market(market)) as node:
            print(banner(node.shared, None), flush=True)
            await asyncio.Event().wait()

    run(lambda session: _until_ended(command(session)))


def run_roles(
    roles: Annotated[
        list[str],
        typer.Argument(help=f"Which roles to play: {', '.join(ROLES)}."),
    ],
    market: Market = "live",
    exchange: Exchange = None,
    speed: Speed = 1.0,
) -> None:
    """Run some roles; database and cache are outside ones or those of this home."""

    async def command(session: Session) -> None:
        unknown = sorted(set(roles) - set(ROLES))
        if unknown:
            raise RoleUnknown(names=", ".join(unknown), known=", ".join(ROLES))
        choice = parse_market(market, exchange=exchange, speed=speed)
        async with (
            any_servers(session.settings, session.machine) as servers,
            database_of(servers, session.machine.clock),
            open_node(*session[:2], servers, choice, roles) as node,
        ):
            print(banner(node.shared, None), flush=True)
            await asyncio.Event().wait()

    run(lambda session: _until_ended(command(session)))


@asynccontextmanager
async def _everything(
    session: Session,
    choice: MarketChoice,
) -> AsyncGenerator[Node]:
    settings, machine = session.settings, session.machine
    async with own_servers(settings, machine) as servers:
        machine.say("Bringing the database up to date ...")
        async with (
            database_of(servers, machine.clock),
            open_node(settings, machine, servers, choice, list(ROLES)) as node,
        ):
            yield node


async def _until_ended(command: Coroutine[Any, Any, None]) -> None:
    """Run ``command`` until it ends or the process is told to.

    SIGTERM and SIGINT unwind what is open in good order; a second one cuts that short.
    """
    task = asyncio.ensure_future(command)
    loop = asyncio.get_running_loop()

    def end() -> None:
        task.cancel()
        # Everything that can be saved is saved by then.  What still waits, waits for
        # servers that are gone, and a process without an owner must not stay.
        loop.call_later(_END_WITHIN_S, os._exit, FAILED)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    with tolerating(asyncio.CancelledError, because="being told to end is no failure"):
        await task


def _keys(node: Node) -> KeyService:
    shared = node.shared
    return KeyService(
        shared.work,
        shared.clock,
        shared.machine.randomness,
        shared.settings.store.key_storage,
    )
