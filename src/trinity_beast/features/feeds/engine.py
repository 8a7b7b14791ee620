"""The feed engine: a session for each enabled exchange, kept in step with the rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from trinity_beast.features.catalogue import (
    EMPTY,
    AssetRow,
    CatalogueSnapshot,
    FeedRow,
)
from trinity_beast.features.feeds.backoff import Backoff
from trinity_beast.features.feeds.connection import FeedMemory, Surroundings
from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.features.feeds.model import Board
from trinity_beast.features.feeds.program import (
    FeedProgram,
    compile_feed,
    symbol_for,
)
from trinity_beast.features.feeds.session import FeedSession
from trinity_beast.features.feeds.status import FeedStatus
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.exchanges import Exchanges
from trinity_beast.ports.randomness import Randomness

_log = structlog.get_logger("feeds")

REPORT_EVERY_S: Final = 0.5


@dataclass(slots=True)
class _Feed:
    row: FeedRow
    memory: FeedMemory
    session: FeedSession | None = None
    task: asyncio.Task[None] | None = None


class FeedEngine:
    """Runs the feeds of a catalogue and reports on them.

    An asset that several enabled exchanges quote is asked of one, the one that
    `CatalogueSnapshot.exchange_of` names.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        board: Board,
        clock: Clock,
        randomness: Randomness,
        silence_s: Callable[[], float],
    ) -> None:
        """Begin without any feed.

        Args:
            exchanges: Opens connections.
            board: Takes prices and the report.
            clock: Wall and monotonic time.
            randomness: Jitter.
            silence_s: The parameter ``feed_silence_seconds``, asked each time.
        """
        self._around = Surroundings(exchanges, board, clock, randomness, silence_s)
        self._feeds: dict[str, _Feed] = {}
        self._snapshot = EMPTY
        self._wanted = EMPTY
        self._applying = asyncio.Lock()
        self._stopped = False

    async def apply(self, snapshot: CatalogueSnapshot) -> None:
        """Start, change and stop sessions until they are those of ``snapshot``.

        A row that cannot work is reported and leaves the others alone.  Symbols that
        are added to a running feed are asked for on its connection; any other change
        of what it asks or reads makes it connect anew.  Applying a snapshot twice
        changes nothing; of several at the same time the newest counts.
        """
        self._wanted = snapshot
        await self._apply_wanted()

    def follow(self, snapshot: CatalogueSnapshot) -> None:
        """Have `run` apply this snapshot soon; the newest of several counts."""
        self._wanted = snapshot

    async def run(self) -> None:
        """Write the report to the board twice a second, and apply what `follow` got.

        It goes on until `stop`; cancelled, it closes all connections.  Run again, it
        opens them again.
        """
        try:
            await self._apply_wanted()
            while not self._stopped:
                if self._wanted is not self._snapshot:
                    await self._apply_wanted()
                self._write_report()
                await self._around.clock.sleep(REPORT_EVERY_S)
        finally:
            await self._halt_all()

    async def stop(self) -> None:
        """Close all connections; the engine is of no use afterwards."""
        self._stopped = True
        await self._halt_all()

    def report(self) -> dict[str, object]:
        """Return the state of each exchange and each enabled asset, ready for JSON."""
        return {
            "at_ns": self._around.clock.now_ns(),
            "exchanges": {
                name: {
                    "display_name": feed.row.display_name,
                    "source_tag": feed.row.source_tag,
                    **feed.memory.status.report(),
                }
                for name, feed in self._feeds.items()
            },
            "assets": {
                asset.asset: _asset_report(feed, asset)
                for feed in self._feeds.values()
                for asset in _assets_to_ask(self._snapshot, feed.row)
            },
        }

    async def _apply_wanted(self) -> None:
        async with self._applying:
            snapshot = self._snapshot = self._wanted
            rows = {row.exchange_name: row for row in snapshot.feeds}
            for name in self._feeds.keys() - rows.keys():
                await self._halt(self._feeds.pop(name))
            for name, row in rows.items():
                feed = self._feeds.get(name) or self._new_feed(row)
                feed.row = row
                self._feeds[name] = feed
                await self._bring(feed, _assets_to_ask(snapshot, row))
        self._write_report()

    def _new_feed(self, row: FeedRow) -> _Feed:
        status = FeedStatus(self._write_report, url=row.ws_endpoint)
        return _Feed(row, FeedMemory(status, Backoff(self._around.randomness)))

    async def _bring(self, feed: _Feed, assets: list[AssetRow]) -> None:
        """Make a feed do what its row says."""
        status = feed.memory.status
        if not feed.row.enabled:
            await self._halt(feed)
            return
        try:
            program = compile_feed(feed.row, assets)
        except FeedRowInvalid as error:
            await self._halt(feed)
            status.failed(error.message, self._around.clock.now_ns())
            status.become("broken")
            _log.error("feed row cannot work", error=error.message)
            return
        if not assets:
            await self._halt(feed)
            status.failed("no enabled assets", self._around.clock.now_ns())
            return
        if feed.session is not None and program.only_adds_to(feed.session.program):
            if program.symbols != feed.session.program.symbols:
                feed.session.extend(program)
            return
        await self._halt(feed)
        self._start(feed, program)

    def _start(self, feed: _Feed, program: FeedProgram) -> None:
        memory = feed.memory
        memory.doubtful = frozenset()
        memory.guard.keep(set(program.symbols.values()))
        memory.status.become("connecting")
        feed.session = FeedSession(program, self._around, memory)
        name = f"feed {feed.row.exchange_name}"
        feed.task = asyncio.create_task(feed.session.run(), name=name)
        _log.info("feed started", exchange=feed.row.exchange_name)

    async def _halt(self, feed: _Feed) -> None:
        task, feed.task, feed.session = feed.task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        feed.memory.status.become("stopped")

    async def _halt_all(self) -> None:
        async with self._applying:
            await asyncio.gather(*(self._halt(feed) for feed in self._feeds.values()))
        self._write_report()

    def _write_report(self) -> None:
        self._around.board.write_report(msgspec.json.encode(self.report()))


def _assets_to_ask(snapshot: CatalogueSnapshot, row: FeedRow) -> list[AssetRow]:
    assets = snapshot.assets_of(row.exchange_name) if row.enabled else ()
    return [asset for asset in assets if _owns(snapshot, row, asset)]


def _owns(snapshot: CatalogueSnapshot, row: FeedRow, asset: AssetRow) -> bool:
    owner = snapshot.exchange_of(asset.asset)
    return owner is not None and owner.exchange_name == row.exchange_name


def _asset_report(feed: _Feed, asset: AssetRow) -> dict[str, object]:
    status = feed.memory.status
    symbol = symbol_for(feed.row, asset)
    return {
        "exchange": feed.row.exchange_name,
        "exchange_symbol": symbol,
        "last_trade_ns": status.last_trades_ns.get(asset.asset),
        "refused": status.refusal(asset.asset, symbol),
    }
