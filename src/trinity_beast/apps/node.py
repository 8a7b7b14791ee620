"""A node: the roles of one process, started in order and stopped in reverse."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from trinity_beast import __version__
from trinity_beast.apps.lpo import LpoRole
from trinity_beast.apps.machine import Machine
from trinity_beast.apps.market import MarketChoice
from trinity_beast.apps.roles import FeedsRole, Role, WriterRole
from trinity_beast.apps.servers import Servers
from trinity_beast.apps.settings import Settings
from trinity_beast.apps.shared import Shared, keep_fresh, shared_parts
from trinity_beast.features.board import BoardReader
from trinity_beast.features.nodes import (
    NodeRegistration,
    NodeService,
    RunningProcess,
)
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.toolkit.background import Background
from trinity_beast.toolkit.waiting import wait_for

_log = structlog.get_logger("node")

ROLES: dict[str, Callable[[Shared], Role]] = {
    "feeds": FeedsRole,
    "writer": WriterRole,
    "lpo": LpoRole,
}
"""Every role by its name on the command line, in the order of starting."""

_PATIENCE_S = 2.0
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Node:
    """A running process.

    Attributes:
        shared: What its roles share.
    """

    shared: Shared


@asynccontextmanager
async def open_node(
    settings: Settings,
    machine: Machine,
    servers: Servers,
    choice: MarketChoice,
    roles: Sequence[str],
) -> AsyncGenerator[Node]:
    """Play roles for the length of the block.

    Args:
        settings: From the environment.
        machine: Clock, randomness, and where progress is told.
        servers: Where the database and the cache are.
        choice: Where the feeds listen.
        roles: Which roles to play.

    Raises:
        PortInUse: A listener's port is taken.
        BoardInUse: Another process of this home listens to the exchanges.
    """
    async with shared_parts(settings, machine, servers, choice) as shared:
        background = Background(shared.clock)
        if servers.embedded is not None:
            background.start("embedded servers", servers.embedded.watch)
        playing: list[Role] = []
        try:
            for name, make in ROLES.items():
                if name in roles:
                    role = make(shared)
                    playing.append(role)
                    await role.start()
                    _log.info("role started", role=name)
            background.start("node registry", _registration(shared, roles).run)
            # Subscriptions to changes are made while the roles start.
            keep_fresh(shared, background)
            yield Node(shared)
        finally:
            for role in reversed(playing):
                await role.stop()
            await background.stop()


def _registration(shared: Shared, roles: Sequence[str]) -> NodeRegistration:
    node, clock = shared.settings.node, shared.clock
    process = RunningProcess(
        node=node.name,
        pid=os.getpid(),
        region=node.region,
        version=__version__,
        roles=tuple(name for name in ROLES if name in roles),
        started_at_ns=clock.now_ns(),
    )
    return NodeRegistration(NodeService(shared.work, clock), process, clock)


async def prices_are_there(node: Node) -> None:
    """Wait until each exchange gave a price, for two seconds at the most."""
    shared = node.shared
    open_board = partial(_open_board, shared)
    board = await wait_for("the price board", open_board, shared.clock)
    snapshot = shared.catalogue.snapshot
    deadline_ns = shared.clock.monotonic_ns() + round(_PATIENCE_S * NS_PER_S)
    while shared.clock.monotonic_ns() < deadline_ns:
        silent = {feed.exchange_name for feed in snapshot.feeds if feed.enabled}
        for row in snapshot.assets:
            if board.quote(row.asset) is not None:
                silent.discard(row.exchange_name)
        if not silent:
            break
        await shared.clock.sleep(_LOOK_S)
    board.close()


async def _open_board(shared: Shared) -> BoardReader:
    return BoardReader.open(shared.board_path)
