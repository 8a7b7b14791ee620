"""The roles that a process can play, each put together here and started in order."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Protocol

from glide import GlideClient

from trinity_beast.adapters.valkey import (
    ValkeyPriceCache,
    ValkeyUsageQueue,
    open_valkey,
)
from trinity_beast.apps.shared import Shared
from trinity_beast.features.board import BoardReader, BoardWriter
from trinity_beast.features.feeds import FeedEngine
from trinity_beast.features.sources import PriceFlush
from trinity_beast.features.usage import UsageService, UsageWriter
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.usage_queue import QueueUnreachable
from trinity_beast.toolkit.background import Background
from trinity_beast.toolkit.tolerating import tolerating
from trinity_beast.toolkit.work import DatabaseAway

_FINISH_WITHIN_S = 5
_UPKEEP_EVERY_S = 3_600
_LOOK_S = 0.02


class Role(Protocol):
    """Something that a process does between its start and its end."""

    async def start(self) -> None:
        """Begin; when this returns, the role does its work."""
        ...

    async def stop(self) -> None:
        """End in good order; nothing that was promised is lost."""
        ...


class FeedsRole:
    """Listens to the exchanges, writes the price board, and shares its prices."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._background = Background(shared.clock)
        self._ends = AsyncExitStack()
        self._board: BoardWriter | None = None
        self._engine: FeedEngine | None = None

    async def start(self) -> None:
        """Take the board and connect to the exchanges.

        Raises:
            BoardInUse: Another process of this home plays the role.
        """
        shared = self._shared
        self._board = BoardWriter.create(
            shared.board_path,
            keep_prices=shared.market.keep_prices,
        )
        engine = FeedEngine(
            shared.market.exchanges,
            self._board,
            shared.clock,
            randomness=shared.machine.randomness,
            silence_s=lambda: shared.parameters.integer("feed_silence_seconds"),
        )
        self._engine = engine
        changed = asyncio.Event()
        changed.set()
        shared.catalogue.subscribe(lambda _snapshot: changed.set())

        async def follow() -> None:
            while True:
                await changed.wait()
                changed.clear()
                await engine.apply(shared.catalogue.snapshot)

        self._background.start("catalogue to feeds", follow)
        self._background.start("feeds", engine.run)
        await self._share_prices()

    async def stop(self) -> None:
        """Close the connections and let go of the board."""
        await self._background.stop()
        await self._ends.aclose()
        if self._engine is not None:
            await self._engine.stop()
        if self._board is not None:
            self._board.close()

    async def _share_prices(self) -> None:
        """Let the board's prices follow into the cache, for other nodes."""
        shared = self._shared
        client: GlideClient = await open_valkey(
            shared.servers.valkey_url,
            client_name=f"{shared.settings.node.name}-feeds",
        )
        self._ends.push_async_callback(client.close)
        board = BoardReader.open(shared.board_path)
        self._ends.callback(board.close)
        flush = PriceFlush(
            board,
            ValkeyPriceCache(client),
            shared.clock,
            ttl_s=lambda: shared.parameters.integer("cache_ttl"),
        )
        self._background.start("prices to cache", flush.run)


class WriterRole:
    """Carries usage records from the queue into the database."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._background = Background(shared.clock)
        self._clients: list[GlideClient] = []
        self._queue: ValkeyUsageQueue | None = None

    async def start(self) -> None:
        """Begin to drain the queue and to look after its tables."""
        shared = self._shared
        name = f"{shared.settings.node.name}-writer"
        self._clients = [
            await open_valkey(shared.servers.valkey_url, client_name=f"{name}-{part}")
            for part in ("commands", "reader")
        ]
        client, reader = self._clients
        queue = ValkeyUsageQueue(client, reader, consumer=f"{name}-{os.getpid()}")
        writer = UsageWriter(queue, shared.work, shared.clock)
        self._queue = queue
        self._background.start("usage writer", writer.run)
        self._background.start("usage upkeep", self._look_after_tables)

    async def stop(self) -> None:
        """Finish what waits, for a few seconds; the rest stays in the queue."""
        with tolerating(QueueUnreachable, because="what it holds, it keeps"):
            await self._finish()
        await self._background.stop()
        for client in self._clients:
            await client.close()

    async def _look_after_tables(self) -> None:
        """Keep partitions ahead of the calendar, and forget old batch ids."""
        shared = self._shared
        service = UsageService(shared.work, shared.clock)
        while True:
            with tolerating(DatabaseAway, because="the next hour does it as well"):
                await service.make_partitions()
                await service.prune()
            await shared.clock.sleep(_UPKEEP_EVERY_S)

    async def _finish(self) -> None:
        clock = self._shared.clock
        deadline_ns = clock.monotonic_ns() + _FINISH_WITHIN_S * NS_PER_S
        while self._queue is not None and await self._queue.depth():
            if clock.monotonic_ns() > deadline_ns:
                return
            await clock.sleep(_LOOK_S)
