from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from support.clocks import NOON_NS
from support.feeds import (
    RecordingBoard,
    ScriptedExchanges,
    asset_rows,
    row_with,
    snapshot_of,
    trade_frame,
)
from support.randomness import SeededRandomness
from support.steered_clock import SteeredClock
from trinity_beast.features.catalogue import CatalogueSnapshot, FeedRow
from trinity_beast.features.feeds import FeedEngine

PLAIN = row_with()
OTHER = row_with(
    id=2,
    exchange_name="other",
    display_name="Other",
    ws_endpoint="wss://other.example",
    source_tag="other-ws",
)


def acking(text: str) -> Iterable[str]:
    yield json.dumps({"event": "subscribed", "args": json.loads(text)["args"]})


def refusing(text: str) -> Iterable[str]:
    del text
    yield '{"type":"error","message":"no BTC-USD"}'


def _states(board: RecordingBoard) -> list[str]:
    reports = [report["exchanges"].get("plain") for report in board.reports]
    return [report["state"] for report in reports if report is not None]


class Market:
    """An engine with one scripted exchange behind all addresses."""

    def __init__(self) -> None:
        self.exchanges = ScriptedExchanges(acking)
        self.clock = SteeredClock()
        self.board = RecordingBoard()
        self.engine = FeedEngine(
            self.exchanges,
            self.board,
            self.clock,
            SeededRandomness(),
            lambda: 30.0,
        )

    async def apply(self, snapshot: CatalogueSnapshot) -> None:
        await self.engine.apply(snapshot)
        await self.clock.advance(2)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self.engine.run())
        await self.clock.advance(0.1)
        yield
        await self.engine.stop()
        await self.clock.advance(1)
        await task

    def exchange(self, name: str) -> dict[str, Any]:
        report: dict[str, Any] = self.engine.report()
        return report["exchanges"][name]

    def asset(self, name: str) -> dict[str, Any]:
        report: dict[str, Any] = self.engine.report()
        return report["assets"][name]


def both(plain: FeedRow = PLAIN, other: FeedRow = OTHER) -> CatalogueSnapshot:
    return CatalogueSnapshot(
        (plain, other),
        (*asset_rows("plain", ["BTC"]), *asset_rows("other", ["ETH"])),
    )


async def test_each_enabled_exchange_gets_a_connection() -> None:
    market = Market()

    await market.apply(both())

    assert market.exchanges.urls == [PLAIN.ws_endpoint, OTHER.ws_endpoint]
    assert market.exchange("plain")["state"] == "live"
    assert market.exchange("other")["state"] == "live"
    await market.engine.stop()


async def test_the_report_tells_all_of_an_exchange_and_its_assets() -> None:
    market = Market()
    await market.apply(snapshot_of(PLAIN, "BTC", "ETH"))
    market.exchanges.socket.say(trade_frame("BTC-USD", "65051.10"))
    await market.clock.advance(0)

    now_ns = market.clock.now_ns()
    assert market.engine.report() == {
        "at_ns": now_ns,
        "exchanges": {
            "plain": {
                "display_name": "Plain",
                "source_tag": "plain-ws",
                "state": "live",
                "url": "wss://plain.example/feed",
                "connected_at_ns": NOON_NS,
                "last_frame_at_ns": now_ns,
                "last_error": None,
                "last_error_at_ns": None,
                "venue": None,
                "reconnects": 0,
                "asked": 2,
                "acked": 2,
                "seen": 1,
                "refused": {},
                "unacked": [],
                "settled": True,
                "frames": 2,
                "trades": 1,
                "counters": {
                    "unstamped": 0,
                    "clamped": 0,
                    "outliers": 0,
                    "unpublished": 0,
                    "rejected": {},
                },
            },
        },
        "assets": {
            "BTC": {
                "exchange": "plain",
                "exchange_symbol": "BTC-USD",
                "last_trade_ns": NOON_NS,
                "refused": None,
            },
            "ETH": {
                "exchange": "plain",
                "exchange_symbol": "ETH-USD",
                "last_trade_ns": None,
                "refused": None,
            },
        },
    }
    await market.engine.stop()


async def test_applying_the_same_rows_again_changes_nothing() -> None:
    market = Market()

    await market.apply(both())
    await market.apply(both(replace(PLAIN, notes="new words", display_name="New")))

    assert len(market.exchanges.sockets) == 2
    assert market.exchange("plain")["display_name"] == "New"
    await market.engine.stop()


async def test_an_added_asset_is_asked_for_on_the_running_connection() -> None:
    market = Market()
    await market.apply(snapshot_of(PLAIN, "BTC"))

    await market.apply(snapshot_of(PLAIN, "BTC", "ETH"))

    assert len(market.exchanges.sockets) == 1
    assert market.exchanges.socket.sent == [
        '{"op":"subscribe","args":["BTC-USD"]}',
        '{"op":"subscribe","args":["ETH-USD"]}',
    ]
    await market.engine.stop()


async def test_a_removed_asset_is_dropped_by_a_new_connection() -> None:
    market = Market()
    await market.apply(snapshot_of(PLAIN, "BTC", "ETH"))

    await market.apply(snapshot_of(PLAIN, "BTC"))

    assert market.exchanges.sockets[0].closed
    assert market.exchanges.socket.sent == ['{"op":"subscribe","args":["BTC-USD"]}']
    assert "ETH" not in market.engine.report()["assets"]  # pyright: ignore[reportOperatorIssue] - a report is JSON
    await market.engine.stop()


async def test_a_changed_row_makes_a_new_connection_for_itself_alone() -> None:
    market = Market()
    await market.apply(both())

    await market.apply(both(replace(PLAIN, ws_endpoint="wss://moved.example")))

    assert market.exchanges.urls[2:] == ["wss://moved.example"]
    assert market.exchanges.sockets[0].closed
    assert not market.exchanges.sockets[1].closed
    await market.engine.stop()


async def test_a_disabled_exchange_is_stopped_and_can_come_back() -> None:
    market = Market()
    await market.apply(both())

    await market.apply(both(replace(PLAIN, enabled=False)))
    assert market.exchange("plain")["state"] == "stopped"
    assert market.exchanges.sockets[0].closed
    assert "BTC" not in market.engine.report()["assets"]  # pyright: ignore[reportOperatorIssue] - a report is JSON

    await market.apply(both())
    assert market.exchange("plain")["state"] == "live"
    await market.engine.stop()


async def test_an_exchange_whose_row_is_deleted_is_gone() -> None:
    market = Market()
    await market.apply(both())

    await market.apply(snapshot_of(OTHER, "ETH"))

    assert market.exchanges.sockets[0].closed
    assert list(market.board.reports[-1]["exchanges"]) == ["other"]
    await market.engine.stop()


async def test_a_row_that_cannot_work_is_named_and_the_others_go_on() -> None:
    market = Market()

    await market.apply(both(replace(PLAIN, price_path=None)))

    assert market.exchange("plain")["state"] == "broken"
    assert market.exchange("plain")["last_error"] == "plain: price_path is missing"
    assert market.exchange("other")["state"] == "live"
    await market.engine.stop()


async def test_a_running_exchange_whose_row_breaks_stops_until_it_is_mended() -> None:
    market = Market()
    await market.apply(both())

    await market.apply(both(replace(PLAIN, symbol_style="odd")))
    assert market.exchange("plain")["state"] == "broken"
    assert market.exchanges.sockets[0].closed

    await market.apply(both())
    assert market.exchange("plain")["state"] == "live"
    await market.engine.stop()


async def test_an_exchange_without_assets_is_not_connected() -> None:
    market = Market()

    await market.apply(snapshot_of(PLAIN))

    assert market.exchanges.urls == []
    assert market.exchange("plain")["state"] == "stopped"
    assert market.exchange("plain")["last_error"] == "no enabled assets"


async def test_an_asset_of_two_exchanges_is_asked_of_the_first_one() -> None:
    market = Market()
    snapshot = CatalogueSnapshot(
        (PLAIN, OTHER),
        (*asset_rows("plain", ["BTC"]), *asset_rows("other", ["BTC", "ETH"])),
    )

    await market.apply(snapshot)

    assert [socket.sent for socket in market.exchanges.sockets] == [
        ['{"op":"subscribe","args":["BTC-USD"]}'],
        ['{"op":"subscribe","args":["ETH-USD"]}'],
    ]
    assert market.asset("BTC")["exchange"] == "plain"

    await market.apply(replace(snapshot, feeds=(replace(PLAIN, enabled=False), OTHER)))

    assert market.exchanges.socket.sent[-1] == '{"op":"subscribe","args":["BTC-USD"]}'
    assert market.asset("BTC")["exchange"] == "other"
    await market.engine.stop()


async def test_a_refused_symbol_is_told_of_its_asset() -> None:
    market = Market()
    market.exchanges.answer = refusing

    await market.apply(snapshot_of(PLAIN, "BTC"))

    assert market.asset("BTC")["refused"] == "no BTC-USD"
    assert market.exchange("plain")["state"] == "broken"
    await market.engine.stop()


async def test_it_reports_twice_a_second_and_when_a_state_changes() -> None:
    market = Market()

    async with market.running():
        before = len(market.board.reports)
        await market.clock.advance(10)
        assert len(market.board.reports) - before in {20, 21}
        await market.engine.apply(snapshot_of(PLAIN, "BTC"))
        await market.clock.advance(0)
        assert _states(market.board)[-3:] == ["connecting", "subscribing", "live"]

    assert market.board.reports[-1]["exchanges"]["plain"]["state"] == "stopped"


async def test_it_follows_a_catalogue_within_half_a_second() -> None:
    market = Market()

    async with market.running():
        market.engine.follow(both(replace(PLAIN, price_path=None)))
        market.engine.follow(both())
        await market.clock.advance(0.6)
        await market.clock.advance(1)
        assert market.exchange("plain")["state"] == "live"

    assert len(market.exchanges.sockets) == 2


async def test_of_several_catalogues_at_once_the_newest_counts() -> None:
    market = Market()

    await asyncio.gather(
        market.engine.apply(both()),
        market.engine.apply(snapshot_of(PLAIN, "BTC")),
        market.engine.apply(snapshot_of(OTHER, "ETH")),
    )
    await market.clock.advance(1)

    assert market.exchanges.urls == [OTHER.ws_endpoint]
    await market.engine.stop()


async def test_cancelled_it_closes_its_connections_and_run_again_it_opens_them() -> (
    None
):
    market = Market()
    await market.apply(both())
    task = asyncio.create_task(market.engine.run())
    await market.clock.advance(1)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert all(socket.closed for socket in market.exchanges.sockets)
    assert market.board.reports[-1]["exchanges"]["plain"]["state"] == "stopped"

    async with market.running():
        await market.clock.advance(2)
        assert market.exchange("plain")["state"] == "live"
    assert len(market.exchanges.sockets) == 4
