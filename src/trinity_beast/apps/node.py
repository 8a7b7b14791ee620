"""A node: the roles of one process, started in order and stopped in reverse."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from trinity_beast.apps.lpo import LpoRole
from trinity_beast.apps.market import MarketChoice
from trinity_beast.apps.roles import FeedsRole, Role, WriterRole
from trinity_beast.apps.servers import Machine, Servers
from trinity_beast.apps.settings import Settings
from trinity_beast.apps.shared import Shared, keep_fresh, shared_parts
from trinity_beast.features.board import BoardReader
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
            # Subscriptions to changes are made while the roles start.
            keep_fresh(shared, background)
            yield Node(shared)
        finally:
            for role in reversed(playing):
                await role.stop()
            await background.stop()


async def prices_are_there(node: Node) -> None:
    """Wait until every asset has a price, for two seconds at the most."""
    shared = node.shared
    open_board = partial(_open_board, shared)
    board = await wait_for("the price board", open_board, shared.clock)
    wanted = set(shared.catalogue.snapshot.asset_names())
    deadline_ns = shared.clock.monotonic_ns() + round(_PATIENCE_S * 1e9)
    while wanted and shared.clock.monotonic_ns() < deadline_ns:
        wanted = {asset for asset in wanted if board.quote(asset) is None}
        await shared.clock.sleep(_LOOK_S)
    board.close()


async def _open_board(shared: Shared) -> BoardReader:
    return BoardReader.open(shared.board_path)
