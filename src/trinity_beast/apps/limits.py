"""Limits that all processes share, put together for one of them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from trinity_beast.adapters.valkey import ValkeyLeases, open_valkey
from trinity_beast.apps.shared import Shared
from trinity_beast.features.keys import KeyService
from trinity_beast.features.limits import HomeSeat, LeasedGrants
from trinity_beast.features.nodes import NodeService

if TYPE_CHECKING:
    from glide import GlideClient

_EXCHANGE_WITHIN_MS = 250


async def open_grants(shared: Shared, ends: AsyncExitStack) -> LeasedGrants:
    """Return the grants of this process; ``run`` of them is for the caller to start.

    Args:
        shared: The parts of the process.
        ends: What is to be closed, the last one first; nothing may be granted any more
            when it comes to ours.
    """
    node = shared.settings.node
    seat = HomeSeat.take(node.home / "run", node.name, shared.machine.randomness)
    ends.callback(seat.leave)
    client: GlideClient = await open_valkey(
        shared.servers.valkey_url,
        client_name=f"{seat.holder}-limits",
        request_timeout_ms=_EXCHANGE_WITHIN_MS,
    )
    ends.push_async_callback(client.close)
    registry = NodeService(shared.work, shared.clock)
    grants = LeasedGrants(
        ValkeyLeases(client, seat.holder),
        shared.clock,
        KeyService(
            shared.work,
            shared.clock,
            shared.machine.randomness,
            shared.settings.store.key_storage,
        ),
        seat,
        lambda: registry.count_living("lpo"),
    )
    ends.push_async_callback(grants.close)
    await grants.start()
    return grants
