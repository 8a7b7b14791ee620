"""All streams of a process: what each is told, and when one is ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from support.keys import a_key
from support.lpo import SNAPSHOT
from support.streams import MemoryWire, until
from trinity_beast.features.catalogue import CatalogueSnapshot
from trinity_beast.features.keys import KeySlot
from trinity_beast.features.streams.errors import StreamsEnding, TooManyStreams
from trinity_beast.features.streams.hub import Client, StreamHub
from trinity_beast.features.streams.market import Market
from trinity_beast.features.streams.model import Framing, Tape
from trinity_beast.features.streams.service import Admission

if TYPE_CHECKING:
    from support.lpo import World

MOST = 3


class Desk:
    """A hub, and the keys that come to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tape = Tape("00c0ffee")
        self.market = Market(world.parts, self.tape)
        self.hub = StreamHub(
            self.market,
            self.tape,
            world.clock,
            welcome=Admission(world.parts).why_not,
        )
        self.key = KeySlot("a" * 64, a_key(tier="partner"))

    def client(
        self,
        *assets: str,
        wire: MemoryWire | None = None,
        framing: Framing = "frames",
    ) -> tuple[Client, MemoryWire]:
        """Let somebody follow assets; the snapshot is thrown away."""
        wire = wire or MemoryWire()
        client = self.hub.join(self.key, wire, framing, most=10_000)
        self.hub.follow(client, assets)
        self.hub.open(client)
        return client, wire


@pytest.fixture
def desk(world: World) -> Desk:
    world.trade("BTC", "1")
    world.trade("ETH", "1")
    return Desk(world)


async def test_clients_are_told_what_they_follow(desk: Desk) -> None:
    _, both = desk.client("BTC", "ETH")
    _, one = desk.client("ETH")

    desk.world.trade("BTC", "2")
    desk.world.trade("ETH", "3")
    await desk.hub.turn()

    assert both.prices() == {"BTC": 2, "ETH": 3}
    assert one.prices() == {"ETH": 3}


async def test_a_turn_in_which_nothing_changes_writes_nothing(desk: Desk) -> None:
    _, wire = desk.client("BTC")

    await desk.hub.turn()

    assert wire.taken == []


async def test_a_slow_client_gets_the_newest_price_and_none_of_those_before(
    desk: Desk,
) -> None:
    _, wire = desk.client("BTC", "ETH")
    wire.takes = False
    for price in range(2, 100):
        desk.world.trade("BTC", str(price))
        await desk.hub.turn()
    waiting = wire.owed_bytes

    wire.takes = True
    wire.take()
    first = wire.prices()
    desk.world.trade("ETH", "7")
    await desk.hub.turn()

    assert waiting < 400
    assert first == {"BTC": 2}
    assert wire.prices() == {"BTC": 99, "ETH": 7}


async def test_two_hundred_clients_that_never_read_are_owed_one_event_each(
    desk: Desk,
) -> None:
    clients = [desk.client("BTC", "ETH", "DOGE") for _ in range(200)]
    for _, wire in clients:
        wire.takes = False

    for price in range(2, 200):
        desk.world.clock.advance(0.05)
        for asset in ("BTC", "ETH", "DOGE"):
            desk.world.trade(asset, str(price))
        await desk.hub.turn()

    owed = [wire.owed for _, wire in clients]
    assert max(sum(map(len, each)) for each in owed) < 1_000
    assert len({id(data) for each in owed for data in each}) == 1


async def test_an_asset_that_may_not_be_served_is_stale_until_it_is_back(
    desk: Desk,
) -> None:
    _, wire = desk.client("BTC")

    desk.world.clock.advance(31)
    await desk.hub.turn()
    silent = wire.events()
    desk.world.clock.advance(1)
    await desk.hub.turn()
    still = wire.events()
    desk.world.board.heard("coinbase-ws", desk.world.clock.now_ns())
    desk.world.clock.advance(1)
    await desk.hub.turn()
    [(name, back)] = wire.events()

    message = "There is no live price of BTC right now."
    error = {"code": "price_unavailable", "message": message}
    assert silent == [("stale", {"asset": "BTC", "error": error})]
    assert still == []
    assert (name, back["price"], back["cache_age_seconds"]) == ("price", 1, "33.0")


async def test_an_asset_that_leaves_the_catalogue_is_stale(desk: Desk) -> None:
    _, wire = desk.client("BTC")

    desk.world.parts.catalogue.replace(CatalogueSnapshot())
    await desk.hub.turn()
    [(name, told)] = wire.events()
    desk.world.parts.catalogue.replace(SNAPSHOT)
    desk.world.clock.advance(0.25)
    await desk.hub.turn()

    assert (name, told["error"]["code"]) == ("stale", "unknown_asset")
    assert wire.prices() == {"BTC": 1}


async def test_an_old_price_of_a_silent_feed_is_never_told(desk: Desk) -> None:
    _, wire = desk.client("DOGE")

    desk.world.trade("DOGE", "0.1", source="kraken-ws")
    await desk.hub.turn()
    first = wire.prices()
    desk.world.clock.advance(31)
    await desk.hub.turn()

    assert first == {"DOGE": "0.1"}
    assert [name for name, _ in wire.events()] == ["stale"]


async def test_whoever_comes_back_is_told_what_changed_meanwhile(desk: Desk) -> None:
    client, _ = desk.client("BTC", "ETH")
    seen = desk.tape.here(desk.world.clock.now_ns())
    desk.hub.leave(client)
    desk.world.trade("ETH", "2")

    wire = MemoryWire()
    again = desk.hub.join(desk.key, wire, "frames", most=1)
    wire.write(desk.hub.follow(again, ["BTC", "XXX", "ETH"], seen))

    [(name, told)] = wire.events()
    assert (name, told["count"], told["resumed"]) == ("snapshot", 2, True)
    assert [each["asset"] for each in told["prices"]] == ["XXX", "ETH"]


async def test_more_assets_do_not_hide_what_happened_to_the_others(desk: Desk) -> None:
    client, wire = desk.client("BTC")
    desk.world.trade("BTC", "2")
    desk.market.look(closely=False)

    client.write(desk.hub.follow(client, ["ETH"]))
    desk.world.trade("ETH", "3")
    await desk.hub.turn()

    told = wire.events()
    assert [(name, data.get("price")) for name, data in told] == [
        ("price", 2),
        ("snapshot", None),
        ("price", 3),
    ]


async def test_what_is_followed_no_longer_is_not_told(desk: Desk) -> None:
    client, wire = desk.client("BTC", "ETH")

    left = desk.hub.unfollow(client, ["ETH", "XXX"])
    desk.world.trade("BTC", "2")
    desk.world.trade("ETH", "2")
    await desk.hub.turn()

    assert left == ("BTC",)
    assert wire.prices() == {"BTC": 2}


@pytest.mark.parametrize("seconds", [0, 1, 30])
async def test_a_stream_that_reads_is_left_open(desk: Desk, seconds: int) -> None:
    _, wire = desk.client("BTC")

    for _ in range(10):
        desk.world.clock.advance(seconds)
        await desk.hub.turn()

    assert wire.closed is None


async def test_a_client_that_reads_nothing_for_a_minute_is_cut_off(desk: Desk) -> None:
    _, wire = desk.client("BTC")
    wire.takes = False
    desk.world.trade("BTC", "2")
    await desk.hub.turn()

    desk.world.clock.advance(59)
    await desk.hub.turn()
    before = wire.closed
    desk.world.clock.advance(1)
    with capture_logs() as logs:
        await desk.hub.turn()

    assert before is None
    assert wire.closed == (0, "")
    assert [entry["event"] for entry in logs] == ["a stream is not read"]
    assert len(desk.hub) == 0


async def test_a_heartbeat_is_no_proof_of_reading(desk: Desk) -> None:
    _, wire = desk.client("BTC", framing="events")
    wire.takes = False

    for _ in range(5):
        desk.world.clock.advance(15)
        await desk.hub.turn()

    assert wire.closed == (0, "")
    assert len(wire.owed) == 1


async def test_an_event_stream_has_a_heartbeat_every_15_seconds(desk: Desk) -> None:
    _, events = desk.client("DOGE", framing="events")
    _, frames = desk.client("DOGE")

    for _ in range(6):
        desk.world.clock.advance(7.5)
        await desk.hub.turn()

    assert events.taken == [b"d\r\n: heartbeat\n\n\r\n"] * 3
    assert frames.taken == []


async def test_a_revoked_key_loses_its_streams_and_hears_why(desk: Desk) -> None:
    _, frames = desk.client("BTC")
    _, events = desk.client("BTC", framing="events")

    desk.key.revoked = True
    desk.world.clock.advance(0.25)
    await desk.hub.turn()

    message = "This key has been revoked."
    assert frames.closed == events.closed == (1008, "revoked_key")
    assert frames.events() == [("error", {"code": "revoked_key", "message": message})]
    assert b"event: error\ndata: " in events.taken[0]
    assert len(desk.hub) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"tier": "pro"},
        {"tier": "unlimited", "subscription_status": "canceled"},
    ],
)
async def test_a_key_of_another_tier_loses_its_streams(
    desk: Desk,
    changes: dict[str, object],
) -> None:
    _, wire = desk.client("BTC")

    desk.key.renew(a_key(**changes), lowered=False)
    desk.world.clock.advance(0.25)
    await desk.hub.turn()

    assert wire.closed == (1008, "tier_not_allowed")


async def test_operators_may_take_streams_from_a_tier(desk: Desk) -> None:
    _, wire = desk.client("BTC")

    desk.world.parts.parameters.replace({"stream_tiers": "lifetime"})
    desk.world.clock.advance(0.25)
    await desk.hub.turn()

    assert wire.closed == (1008, "tier_not_allowed")


async def test_a_key_has_only_so_many_streams(desk: Desk) -> None:
    for _ in range(MOST):
        desk.hub.join(desk.key, MemoryWire(), "frames", most=MOST)

    with pytest.raises(TooManyStreams) as refused:
        desk.hub.join(desk.key, MemoryWire(), "frames", most=MOST)
    other = desk.hub.join(KeySlot("b" * 64, a_key()), MemoryWire(), "frames", most=MOST)
    desk.hub.leave(other)

    assert refused.value.message == (
        "This key may have 3 streams open at a time, and has; close one first."
    )
    assert len(desk.hub) == MOST


async def test_a_stream_that_left_makes_room_once(desk: Desk) -> None:
    one, _ = desk.client("BTC")
    desk.client("BTC")

    desk.hub.leave(one)
    desk.hub.leave(one)

    assert len(desk.hub) == 1
    desk.hub.join(desk.key, MemoryWire(), "frames", most=2)
    with pytest.raises(TooManyStreams):
        desk.hub.join(desk.key, MemoryWire(), "frames", most=2)


async def test_a_listener_that_stops_ends_its_streams_and_opens_none(
    desk: Desk,
) -> None:
    _, frames = desk.client("BTC")
    _, events = desk.client("BTC", framing="events")
    late = MemoryWire()

    frames.draining = events.draining = late.draining = True
    await desk.hub.turn()

    assert frames.closed == events.closed == (1001, "")
    assert events.taken == [b"22\r\n: this listener is about to stop\n\n\r\n"]
    with pytest.raises(StreamsEnding):
        desk.hub.join(desk.key, late, "frames", most=3)


async def test_a_client_is_not_written_to_before_its_opening(desk: Desk) -> None:
    wire = MemoryWire()
    client = desk.hub.join(desk.key, wire, "frames", most=3)
    desk.hub.follow(client, ["BTC"])

    desk.world.trade("BTC", "2")
    await desk.hub.turn()
    before = list(wire.taken)
    desk.hub.open(client)
    await desk.hub.turn()

    assert before == []
    assert wire.prices() == {"BTC": 2}


async def test_a_stream_that_fails_does_not_take_the_others_with_it(desk: Desk) -> None:
    class Broken(MemoryWire):
        def write(self, data: bytes) -> None:
            raise RuntimeError

    _, broken = desk.client("BTC", wire=Broken())
    _, wire = desk.client("BTC")

    desk.world.trade("BTC", "2")
    with capture_logs() as logs:
        await desk.hub.turn()

    assert wire.prices() == {"BTC": 2}
    assert (broken.closed, len(desk.hub)) == ((0, ""), 1)
    assert [entry["event"] for entry in logs] == ["a stream failed"]


async def test_the_loop_sleeps_while_there_is_nobody(desk: Desk) -> None:
    running = asyncio.create_task(desk.hub.run())
    _, wire = desk.client("BTC")
    desk.world.trade("BTC", "2")
    await until(lambda: bool(wire.taken))

    wire.draining = True
    await until(lambda: not len(desk.hub))
    at_ns = desk.world.clock.now_ns()
    for _ in range(5):
        await asyncio.sleep(0)

    assert desk.world.clock.now_ns() - at_ns <= 50_000_000
    running.cancel()


async def test_a_thousand_streams_let_others_in_between(desk: Desk) -> None:
    for _ in range(100):
        desk.client("BTC")
    order: list[str] = []

    async def other() -> None:
        order.append("other")

    async def turn() -> None:
        await desk.hub.turn()
        order.append("turn")

    await asyncio.gather(turn(), other())

    assert order == ["other", "turn"]
