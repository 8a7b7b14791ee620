"""One exchange's feed, from the first connection to the hundredth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from support.clocks import NOON_NS
from support.feeds import (
    RecordingBoard,
    ScriptedExchanges,
    asset_rows,
    row_with,
    trade_frame,
)
from support.randomness import SeededRandomness
from support.steered_clock import SteeredClock
from trinity_beast.features.board import BoardRefused
from trinity_beast.features.feeds.backoff import Backoff
from trinity_beast.features.feeds.connection import FeedMemory, Surroundings
from trinity_beast.features.feeds.program import compile_feed
from trinity_beast.features.feeds.session import FeedSession
from trinity_beast.features.feeds.status import FeedStatus
from trinity_beast.kernel.time import NS_PER_S

SILENCE_S = 30.0
BTC = trade_frame("BTC-USD", "65051.10")


def acking(text: str) -> Iterable[str]:
    """Take every request."""
    if "subscribe" in text:
        yield json.dumps({"event": "subscribed", "args": json.loads(text)["args"]})


class Feed:
    """A session on a scripted exchange, and all that it touches."""

    def __init__(
        self,
        exchanges: ScriptedExchanges,
        board: RecordingBoard | None = None,
        **columns: Any,  # noqa: ANN401 - columns have many types
    ) -> None:
        self.exchanges = exchanges
        self.clock = SteeredClock()
        self.board = board or RecordingBoard()
        self.states: list[str] = []
        self.status = FeedStatus(lambda: self.states.append(self.status.state))
        randomness = SeededRandomness()
        around = Surroundings(
            exchanges,
            self.board,
            self.clock,
            randomness,
            lambda: SILENCE_S,
        )
        self.row = row_with(**columns)
        self.memory = FeedMemory(self.status, Backoff(randomness))
        self.session = FeedSession(self.program("BTC", "ETH"), around, self.memory)

    def program(self, *assets: str) -> Any:  # noqa: ANN401 - a FeedProgram
        return compile_feed(self.row, asset_rows("plain", assets))

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self.session.run())
        await self.clock.advance(0.1)
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def hear(self, *frames: str | bytes) -> None:
        self.exchanges.socket.say(*frames)
        await self.clock.advance(0)


async def test_it_connects_subscribes_and_publishes() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.hear(BTC)

    assert feed.exchanges.urls == ["wss://plain.example/feed"]
    assert feed.exchanges.socket.sent == [
        '{"op":"subscribe","args":["BTC-USD","ETH-USD"]}',
    ]
    assert feed.board.prices == {"BTC": "65051.10"}
    assert feed.states == ["subscribing", "live"]
    assert feed.exchanges.socket.closed


async def test_without_acks_the_first_trade_makes_it_live() -> None:
    feed = Feed(ScriptedExchanges())

    async with feed.running():
        assert feed.status.state == "subscribing"
        await feed.hear(BTC)
        assert feed.status.state == "live"

    assert feed.status.report()["seen"] == 1


async def test_every_frame_shows_that_the_feed_is_alive_but_not_each_is_told() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.hear("pong", "pong", "pong")
        await feed.clock.advance(0.06)
        await feed.hear("pong")
        heards = [at_ns for _, at_ns in feed.board.heards]

    assert feed.board.heards[0][0] == "plain-ws"
    assert len(heards) == 3
    assert all(later - one >= 50_000_000 for one, later in pairwise(heards))
    assert feed.status.counters.frames == 5


async def test_a_source_that_the_board_refuses_is_reported() -> None:
    class FullBoard(RecordingBoard):
        def heard(self, source: str, at_ns: int) -> None:
            raise BoardRefused(name=source)

    feed = Feed(ScriptedExchanges(), FullBoard())

    async with feed.running():
        await feed.hear(BTC)

    assert feed.status.last_error == BoardRefused(name="plain-ws").message
    assert feed.board.prices == {"BTC": "65051.10"}


async def test_elements_that_make_no_trade_are_counted_by_reason() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.hear(
            trade_frame("BTC-USD", "NaN"),
            trade_frame("XXX-USD", "1"),
            trade_frame("YYY-USD", "1"),
            "<html>",
        )

    assert feed.status.report()["counters"] == {
        "unstamped": 0,
        "clamped": 0,
        "outliers": 0,
        "unpublished": 0,
        "rejected": {"bad_price": 1, "unknown_symbol": 2, "broken_json": 1},
    }


# Connecting again.


async def test_after_a_broken_connection_it_subscribes_to_everything_again() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.hear(BTC)
        feed.exchanges.socket.hang_up("1006 the connection broke")
        await feed.clock.advance(0)
        assert feed.status.state == "connecting"
        assert feed.status.last_error == "1006 the connection broke"
        await feed.clock.advance(0.5)
        assert feed.status.state == "live"

    assert len(feed.exchanges.sockets) == 2
    first, second = feed.exchanges.sockets
    assert first.sent == second.sent
    assert feed.status.reconnects == 1


async def test_it_tries_for_ever_and_ever_slower() -> None:
    feed = Feed(ScriptedExchanges())
    feed.exchanges.unreachable = "HTTP 403"

    async with feed.running():
        await feed.clock.advance(60)
        in_the_first_minute = len(feed.exchanges.urls)
        await feed.clock.advance(3_600)
        in_the_next_hour = len(feed.exchanges.urls) - in_the_first_minute
        assert feed.status.state == "connecting"
        assert feed.status.last_error == "HTTP 403"

        feed.exchanges.unreachable = None
        while not feed.exchanges.sockets:
            await feed.clock.advance(1)
        await feed.hear(BTC)
        assert feed.status.state == "live"

    assert 8 <= in_the_first_minute <= 10
    assert 60 <= in_the_next_hour <= 120


async def test_a_bug_in_one_frame_ends_a_connection_and_not_the_feed() -> None:
    class BuggyBoard(RecordingBoard):
        def heard(self, source: str, at_ns: int) -> None:
            raise ZeroDivisionError(source)

    feed = Feed(ScriptedExchanges(), BuggyBoard())

    async with feed.running():
        await feed.hear(BTC)
        await feed.clock.advance(1)

    assert feed.status.last_error == "ZeroDivisionError('plain-ws')"
    assert len(feed.exchanges.sockets) == 2
    assert feed.exchanges.sockets[0].closed


async def test_a_bug_while_sending_ends_a_connection_and_not_the_feed() -> None:
    def buggy(text: str) -> Iterable[str]:
        raise ZeroDivisionError(text)

    feed = Feed(ScriptedExchanges(buggy))

    async with feed.running():
        await feed.clock.advance(1)

    assert len(feed.exchanges.sockets) >= 2
    assert feed.exchanges.sockets[0].closed


async def test_a_symbol_that_was_refused_is_asked_alone_after_a_reconnect() -> None:
    def venue(text: str) -> Iterable[str]:
        symbols: list[str] = json.loads(text)["args"]
        if "ETH-USD" in symbols:
            yield json.dumps({"type": "error", "message": "no ETH-USD here"})
        else:
            yield json.dumps({"event": "subscribed", "args": symbols})

    feed = Feed(ScriptedExchanges(venue))

    async with feed.running():
        await feed.clock.advance(3)
        feed.exchanges.socket.hang_up()
        await feed.clock.advance(3)

    assert [json.loads(text)["args"] for text in feed.exchanges.socket.sent] == [
        ["BTC-USD"],
        ["ETH-USD"],
    ]
    assert feed.status.report()["refused"] == {"ETH-USD": "no ETH-USD here"}
    assert feed.status.refusal("ETH", "ETH-USD") == "no ETH-USD here"
    assert feed.status.refusal("BTC", "BTC-USD") is None
    assert feed.status.last_error is not None


async def test_a_venue_that_refuses_every_symbol_makes_the_feed_broken() -> None:
    feed = Feed(ScriptedExchanges(lambda _: ['{"type":"error","message":"go away"}']))

    async with feed.running():
        await feed.clock.advance(5)
        assert feed.status.state == "broken"
        feed.exchanges.socket.hang_up()
        await feed.clock.advance(0)
        assert feed.status.state == "broken"

    assert feed.status.report()["refused"] == {
        "BTC-USD": "go away",
        "ETH-USD": "go away",
    }


# Silence.


async def test_a_silent_connection_is_closed_and_made_again() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.hear(BTC)
        await feed.clock.advance(SILENCE_S - 1)
        assert len(feed.exchanges.sockets) == 1
        await feed.clock.advance(3)

    assert len(feed.exchanges.sockets) == 2
    assert feed.states == ["subscribing", "live", "silent", "subscribing", "live"]
    assert feed.status.last_error == "no frame for 30 s"


@pytest.mark.parametrize("frame", ["pong", '{"channel":"heartbeat"}', b"\xff", BTC])
async def test_any_frame_keeps_a_connection_open(frame: str | bytes) -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        for _ in range(10):
            await feed.clock.advance(SILENCE_S - 2)
            await feed.hear(frame)

    assert len(feed.exchanges.sockets) == 1


async def test_it_pings_in_the_rows_rhythm() -> None:
    feed = Feed(
        ScriptedExchanges(acking),
        ping_interval_sec=20,
        ping_message='{"time":{TIME},"channel":"spot.ping"}',
    )

    async with feed.running():
        for _ in range(60):
            await feed.clock.advance(1)
            await feed.hear("noise")

    pings = feed.exchanges.socket.sent[1:]
    assert len(pings) in {2, 3}
    assert json.loads(pings[0])["channel"] == "spot.ping"
    assert json.loads(pings[0])["time"] in range(
        NOON_NS // NS_PER_S, NOON_NS // NS_PER_S + 60
    )


async def test_on_a_quiet_market_it_pings_sooner_and_the_answers_keep_it_open() -> None:
    def venue(text: str) -> Iterable[str]:
        return ["pong"] if text == "ping" else acking(text)

    feed = Feed(ScriptedExchanges(venue), ping_interval_sec=60, ping_message="ping")

    async with feed.running():
        await feed.clock.advance(100)

    assert feed.exchanges.socket.sent[1:] == ["ping"] * len(
        feed.exchanges.socket.sent[1:]
    )
    assert 8 <= len(feed.exchanges.socket.sent[1:]) <= 10
    assert len(feed.exchanges.sockets) == 1


@pytest.mark.parametrize(
    ("interval_sec", "message"),
    [(0, "ping"), (20, None), (None, "ping"), (-1, "ping")],
)
async def test_a_row_without_an_interval_or_a_message_does_not_ping(
    interval_sec: int | None,
    message: str | None,
) -> None:
    feed = Feed(
        ScriptedExchanges(acking),
        ping_interval_sec=interval_sec,
        ping_message=message,
    )

    async with feed.running():
        await feed.clock.advance(25)

    assert len(feed.exchanges.socket.sent) == 1


# Frames that steer.


async def test_a_notice_makes_it_reconnect_before_the_venue_hangs_up() -> None:
    feed = Feed(ScriptedExchanges(acking))
    notice = '{"event":"notice","code":"64008","msg":"Please reconnect."}'

    async with feed.running():
        await feed.hear(notice, notice)
        await feed.clock.advance(0.5)
        assert len(feed.exchanges.sockets) == 1
        await feed.clock.advance(8)

    assert len(feed.exchanges.sockets) == 2
    assert feed.status.last_error == "it asked us to reconnect"


async def test_a_heartbeat_that_wants_an_answer_gets_it_within_five_seconds() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.clock.advance(10)
        await feed.hear('{"id":7,"method":"public/heartbeat","code":0}')
        await feed.clock.advance(1.5)

    assert feed.exchanges.socket.sent[1:] == [
        '{"id":7,"method":"public/respond-heartbeat"}',
    ]


async def test_the_same_objection_twice_is_one_error() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.hear('{"type":"error","message":"odd"}')
        await feed.hear('{"type":"error","message":"odd"}')
        assert feed.status.state == "live"

    assert feed.status.last_error == "odd"


async def test_more_trades_of_a_symbol_change_nothing_of_its_subscription() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.hear(BTC, BTC, trade_frame("ETH-USD", "1919.9"), BTC)

    assert feed.status.report()["seen"] == 2
    assert feed.status.counters.trades == 4


async def test_the_venues_word_on_itself_is_kept() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        await feed.hear('{"channel":"status","data":[{"system":"maintenance"}]}', BTC)

    assert feed.status.report()["venue"] == "maintenance"


async def test_symbols_are_added_on_the_running_connection() -> None:
    feed = Feed(ScriptedExchanges(acking))

    async with feed.running():
        feed.session.extend(feed.program("BTC", "ETH", "SOL"))
        await feed.clock.advance(2)
        await feed.hear(trade_frame("SOL-USD", "142"))

    assert feed.exchanges.socket.sent[1:] == ['{"op":"subscribe","args":["SOL-USD"]}']
    assert feed.board.prices == {"SOL": "142"}
    assert feed.status.report()["seen"] == 1


async def test_symbols_added_between_connections_are_asked_for_on_the_next() -> None:
    feed = Feed(ScriptedExchanges(acking))
    feed.exchanges.unreachable = "the connection was refused"

    async with feed.running():
        feed.session.extend(feed.program("BTC", "ETH", "SOL"))
        feed.exchanges.unreachable = None
        await feed.clock.advance(1)

    assert feed.exchanges.socket.sent == [
        '{"op":"subscribe","args":["BTC-USD","ETH-USD","SOL-USD"]}',
    ]
