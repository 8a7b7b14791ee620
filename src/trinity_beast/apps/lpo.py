"""The role ``lpo``: prices over HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

from glide import GlideClient
from sqlalchemy import text

from trinity_beast import __version__
from trinity_beast.adapters.valkey import (
    ValkeyPriceCache,
    ValkeyUsageQueue,
    open_valkey,
)
from trinity_beast.apps.shared import Shared
from trinity_beast.apps.udp import UdpPrices
from trinity_beast.features.board import BoardReader
from trinity_beast.features.keys import KeyRing, KeyService
from trinity_beast.features.limits import Limiter
from trinity_beast.features.prices import (
    Identity,
    LpoParts,
    PriceShortcut,
    build_lpo_app,
)
from trinity_beast.features.sources import Sources
from trinity_beast.features.streams import add_streams
from trinity_beast.features.usage import Shipping, Spool, UsageBuffer, UsageShipper
from trinity_beast.toolkit.background import Background
from trinity_beast.toolkit.http.protocol import Manners
from trinity_beast.toolkit.http.request_ids import RequestIds
from trinity_beast.toolkit.http.server import HttpServer
from trinity_beast.toolkit.waiting import wait_for

KEY_TABLES = ("api_keys", "rate_limit_template")
_GRACE_S = 10.0
_DRAIN_S = 10.0
_CACHE_WITHIN_MS = 300
"""A price request waits for it, and has other sources to ask."""


class LpoRole:
    """Serves prices, and ships the record of each answer."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._background = Background(shared.clock)
        self._ends = AsyncExitStack()
        self._accepting = True

    async def start(self) -> None:
        """Open the board, start shipping records, then listen.

        Raises:
            PortInUse: The port is taken.
        """
        shared = self._shared
        board = await wait_for("the price board", self._open_board, shared.clock)
        self._ends.callback(board.close)
        buffer = UsageBuffer(shared.parameters.integer("sqs_buffer_size"))
        self._when_parameters_change(
            lambda: buffer.resize(shared.parameters.integer("sqs_buffer_size")),
        )
        queue, shipper = await self._ship(buffer)
        parts = replace(
            self._parts(board, buffer, queue, shipper),
            sources=await self._open_sources(),
        )
        shortcut = PriceShortcut(parts)
        app = build_lpo_app(parts, shortcut)
        self._background.start("streams", add_streams(app, parts).run)
        server = HttpServer(
            app,
            shared.settings.listen.host,
            shared.settings.listen.lpo_port,
            manners=Manners(
                RequestIds(shared.clock, shared.machine.randomness),
                shortcut=shortcut,
            ),
            variable="LPO_PORT",
        )
        await server.start()
        self._ends.push_async_callback(server.stop, _GRACE_S)
        udp = UdpPrices(parts, shared.settings.listen)
        await udp.start()
        self._ends.push_async_callback(udp.stop)

    async def stop(self) -> None:
        """Say that no more is accepted, finish what runs, hand over all records."""
        self._accepting = False
        await self._ends.aclose()

    async def _open_board(self) -> BoardReader:
        return BoardReader.open(self._shared.board_path)

    async def _open_sources(self) -> Sources:
        shared = self._shared
        client: GlideClient = await open_valkey(
            shared.servers.valkey_url,
            client_name=f"{shared.settings.node.name}-prices-{os.getpid()}",
            request_timeout_ms=_CACHE_WITHIN_MS,
        )
        self._ends.push_async_callback(client.close)
        sources = Sources(
            ValkeyPriceCache(client),
            shared.market.rest,
            shared.clock,
            ttl_s=lambda: shared.parameters.integer("cache_ttl"),
        )
        self._ends.push_async_callback(sources.close)
        return sources

    async def _ship(
        self,
        buffer: UsageBuffer,
    ) -> tuple[ValkeyUsageQueue, UsageShipper]:
        shared, node = self._shared, self._shared.settings.node
        name = f"{node.name}-lpo-{os.getpid()}"
        client: GlideClient = await open_valkey(
            shared.servers.valkey_url,
            client_name=name,
        )
        self._ends.push_async_callback(client.close)
        queue = ValkeyUsageQueue(client, client, consumer=name)
        spool = Spool(node.home / "spool", f"{node.name}-{os.getpid()}")
        self._ends.callback(spool.close)
        shipper = UsageShipper(
            buffer,
            queue,
            spool,
            shared.clock,
            shared.machine.randomness,
            Shipping(
                node=node.name,
                region=node.region,
                flush_ms=lambda: shared.parameters.integer("sqs_flush_ms"),
                timeout_ms=lambda: shared.parameters.integer("sqs_timeout_ms"),
            ),
        )
        self._background.start("usage shipper", shipper.run)
        self._ends.push_async_callback(self._hand_over, shipper)
        return queue, shipper

    async def _hand_over(self, shipper: UsageShipper) -> None:
        await self._background.stop()
        await shipper.drain(_DRAIN_S)

    def _parts(
        self,
        board: BoardReader,
        buffer: UsageBuffer,
        queue: ValkeyUsageQueue,
        shipper: UsageShipper,
    ) -> LpoParts:
        shared, node = self._shared, self._shared.settings.node
        return LpoParts(
            catalogue=shared.catalogue,
            board=board,
            keys=self._keys(),
            limiter=Limiter(shared.clock),
            parameters=shared.parameters,
            usage=buffer,
            clock=shared.clock,
            randomness=shared.machine.randomness,
            identity=Identity(
                node=node.name,
                region=node.region,
                version=__version__,
                started_at_ns=shared.clock.now_ns(),
            ),
            health_probes={
                "accepting": self._why_not_accepting,
                "database": self._why_no_database,
                "usage_queue": lambda: _why_no_queue(queue),
            },
            usage_stats=lambda: asdict(shipper.state()),
            trusted_hops=shared.settings.listen.trusted_hops,
        )

    def _keys(self) -> KeyRing:
        shared = self._shared
        service = KeyService(
            shared.work,
            shared.clock,
            shared.machine.randomness,
            shared.settings.store.key_storage,
        )
        ring = KeyRing(service, shared.clock)
        self._when_parameters_change(
            lambda: ring.set_grace_days(
                shared.parameters.integer("grace_period_days"),
            ),
        )
        shared.changes.on(KEY_TABLES, ring.apply)
        return ring

    def _when_parameters_change(self, follow: Callable[[], None]) -> None:
        """Do something now, and again after each change of a parameter."""
        follow()
        self._ends.callback(self._shared.parameters.subscribe(follow))

    async def _why_not_accepting(self) -> str | None:
        return None if self._accepting else "the listener is stopping"

    async def _why_no_database(self) -> str | None:
        async with self._shared.work.begin() as connection:
            await connection.execute(text("SELECT 1"))
        return None


async def _why_no_queue(queue: ValkeyUsageQueue) -> str | None:
    await queue.depth()
    return None
