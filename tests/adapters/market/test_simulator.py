from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from support.listening import closed, hear, hear_so_far, hear_until, listening
from support.small_market import SmallMarket, small_simulator
from support.steered_clock import SteeredClock
from support.venues import EXCHANGES, PINGS, subscribe, symbol
from trinity_beast.adapters.market import (
    MarketSimulator,
    NoticeUnknown,
    VenueUnknown,
)

TRADE_MARKS = {
    "coinbase": '"type":"match"',
    "gemini": '"t":',
    "kraken": '"type":"update","data":[{"symbol"',
    "gateio": '"event":"update"',
    "bybit": '"topic":"publicTrade.',
    "okx": '"data":[',
}
ACKNOWLEDGED: dict[str, Callable[[str], bool]] = {
    "coinbase": lambda frame: '"type":"subscriptions"' in frame,
    "gemini": lambda frame: frame == '{"id":"1","status":200}',
    "kraken": lambda frame: '"success":true' in frame and "ETH" in frame,
    "gateio": lambda frame: '"status":"success"' in frame,
    "bybit": lambda frame: '"success":true' in frame,
    "okx": lambda frame: "channel-conn-count" in frame,
}
REFUSALS = {
    "coinbase": "NOVEL-USD is not a valid product",
    "gemini": "Invalid symbol: novelusd",
    "kraken": "Currency pair not supported NOVEL/USD",
    "gateio": "unknown currency pair: NOVEL_USDT",
    "bybit": "Invalid symbol :[publicTrade.NOVELUSDT]",
    "okx": "channel:trades,instId:NOVEL-USDT doesn't exist",
}


def trades_in(exchange: str, frames: list[str]) -> list[str]:
    return [frame for frame in frames if TRADE_MARKS[exchange] in frame]


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_client_is_acknowledged_and_hears_both_symbols_trade(
    exchange: str,
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    btc, eth = symbol(exchange, "BTC"), symbol(exchange, "ETH")
    async with listening(market.urls[exchange]) as client:
        await client.send(subscribe(exchange, [btc, eth]))
        await hear_until(client, ACKNOWLEDGED[exchange])
        await steered.advance(25)
        trades = trades_in(exchange, await hear_so_far(client))

    assert {name for name in (btc, eth) for t in trades if f'"{name}"' in t} == {
        btc,
        eth,
    }
    assert not any(symbol(exchange, "SOL") in trade for trade in trades)


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_an_unknown_symbol_is_refused_in_the_venue_s_words(
    exchange: str,
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    async with listening(market.urls[exchange]) as client:
        await client.send(subscribe(exchange, [symbol(exchange, "NOVEL")]))
        await hear_until(client, lambda frame: REFUSALS[exchange] in frame)
        await steered.advance(2)

        assert trades_in(exchange, await hear_so_far(client)) == []


@pytest.mark.parametrize("exchange", sorted(PINGS))
async def test_a_ping_is_answered(exchange: str, market: SmallMarket) -> None:
    async with listening(market.urls[exchange]) as client:
        await client.send(PINGS[exchange])

        await hear_until(
            client,
            lambda frame: "pong" in frame or frame == '{"id":"ping","status":200}',
        )


async def test_a_request_in_a_binary_frame_is_understood(market: SmallMarket) -> None:
    async with listening(market.urls["okx"]) as client:
        await client.send(b"ping")

        assert await hear(client, 1) == ["pong"]


async def test_fresh_subscribers_get_what_the_venue_sends_them(
    market: SmallMarket,
) -> None:
    primers: dict[str, list[str]] = {}
    for exchange, mark in [
        ("coinbase", "last_match"),
        ("kraken", '"type":"snapshot"'),
        ("okx", '"data":['),
    ]:
        async with listening(market.urls[exchange]) as client:
            await client.send(subscribe(exchange, [symbol(exchange, "BTC")]))
            frames = await hear_so_far(client)
            primers[exchange] = [frame for frame in frames if mark in frame]

    assert {exchange: len(frames) for exchange, frames in primers.items()} == {
        "coinbase": 1,
        "kraken": 1,
        "okx": 1,
    }
    times = [t["timestamp"] for t in json.loads(primers["kraken"][0])["data"]]
    assert len(times) == 50
    assert times == sorted(times)


async def test_heartbeats_come_every_second_to_those_who_asked(
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    beats: dict[str, int] = {}
    for exchange in ("coinbase", "kraken", "gemini"):
        async with listening(market.urls[exchange]) as client:
            await client.send(subscribe(exchange, [symbol(exchange, "BTC")]))
            await hear_so_far(client)
            await steered.advance(10)
            frames = await hear_so_far(client)
            beats[exchange] = sum("heartbeat" in frame for frame in frames)

    assert beats == {"coinbase": 10, "kraken": 10, "gemini": 0}


async def frames_of(seed: int, speed: float = 1.0) -> list[str]:
    clock = SteeredClock()
    simulator = small_simulator(clock, seed=seed, speed=speed)
    urls = await simulator.start()
    async with listening(urls["bybit"]) as client:
        await client.send(subscribe("bybit", ["BTCUSDT", "UNIUSDT"]))
        await hear(client, 1)
        await clock.advance(10)
        frames = await hear_so_far(client)
    await simulator.stop()
    return frames


async def test_a_seed_makes_the_same_market_again_and_another_one_another() -> None:
    first, again, other = await frames_of(7), await frames_of(7), await frames_of(8)

    assert len(first) > 30
    assert first == again
    assert first != other


async def test_speed_makes_as_many_times_more_trades() -> None:
    usual, fast = await frames_of(1), await frames_of(1, speed=10.0)

    assert 6 < len(fast) / len(usual) < 15


async def test_a_venue_that_is_late_makes_up_one_second_and_goes_on(
    steered: SteeredClock,
) -> None:
    simulator = small_simulator(steered, speed=100.0)
    urls = await simulator.start()
    async with listening(urls["okx"]) as client:
        await client.send(subscribe("okx", ["BTC-USDT"]))
        await hear_so_far(client)
        steered.skip(20)
        await steered.advance(0.01)
        late = trades_in("okx", await hear_so_far(client))
        await steered.advance(1)
        usual = trades_in("okx", await hear_so_far(client))
    await simulator.stop()

    assert 400 < len(late) < 1_600
    assert 400 < len(usual) < 1_600


async def test_coinbase_hangs_up_on_who_does_not_subscribe_within_five_seconds(
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    async with (
        listening(market.urls["coinbase"]) as idle,
        listening(market.urls["coinbase"]) as busy,
    ):
        await busy.send(subscribe("coinbase", ["BTC-USD"]))
        await hear_so_far(busy)
        await steered.advance(6)

        assert await closed(idle) == (1000, "No subscription received")
        await hear_so_far(busy)


async def test_okx_hangs_up_on_who_is_silent_for_thirty_seconds(
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    async with (
        listening(market.urls["okx"]) as silent,
        listening(market.urls["okx"]) as polite,
    ):
        for client in (silent, polite):
            await client.send(subscribe("okx", ["BTC-USDT"]))
            await hear_so_far(client)
        await steered.advance(25)
        await polite.send("ping")
        await hear_until(polite, lambda frame: frame == "pong")
        await steered.advance(6)

        assert await closed(silent) == (4004, "No data received in 30s.")
        await hear_so_far(polite)


@pytest.mark.parametrize("code", [1006, 1001, 1012])
async def test_a_venue_drops_its_clients_on_demand_and_takes_them_back(
    code: int,
    market: SmallMarket,
) -> None:
    async with listening(market.urls["kraken"]) as client:
        await hear(client, 1)
        await market.simulator.disconnect("kraken", code)
        assert await closed(client) == (code, "")

    async with listening(market.urls["kraken"]) as client:
        assert '"channel":"status"' in (await hear(client, 1))[0]


async def test_a_stalled_venue_keeps_its_sockets_open_and_says_nothing(
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    async with listening(market.urls["okx"]) as client:
        await client.send(subscribe("okx", ["BTC-USDT"]))
        await hear_so_far(client)
        market.simulator.stall("okx")
        await client.send("ping")
        await steered.advance(60)
        assert await hear_so_far(client) == []

        market.simulator.resume("okx")
        await client.send("ping")
        await hear_until(client, lambda frame: frame == "pong")
        await steered.advance(5)
        assert trades_in("okx", await hear_so_far(client)) != []


async def test_a_client_of_a_stalled_venue_is_not_even_greeted(
    market: SmallMarket,
) -> None:
    market.simulator.stall("kraken")

    async with listening(market.urls["kraken"]) as client:
        assert await hear_so_far(client) == []


async def test_okx_announces_that_it_will_close_and_closes(
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    async with listening(market.urls["okx"]) as client:
        await client.send("ping")
        await hear(client, 1)
        market.simulator.notice("okx", close_after_s=10)
        (notice,) = await hear(client, 1)
        await steered.advance(9)
        await hear_so_far(client)
        await steered.advance(2)

        assert json.loads(notice)["code"] == "64008"
        assert await closed(client) == (1001, "Service upgrade")


async def test_who_announces_nothing_cannot_be_asked_to(market: SmallMarket) -> None:
    async with listening(market.urls["kraken"]) as client:
        await hear(client, 1)

        with pytest.raises(NoticeUnknown, match="kraken sends no notice"):
            market.simulator.notice("kraken")


async def test_a_refused_symbol_stops_trading_until_it_is_accepted(
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    async with listening(market.urls["bybit"]) as client:
        await client.send(subscribe("bybit", ["BTCUSDT"]))
        await hear(client, 1)
        market.simulator.refuse("bybit", "BTCUSDT")
        await steered.advance(10)
        await client.send(subscribe("bybit", ["BTCUSDT"]))
        refused = await hear(client, 1)
        market.simulator.accept("bybit", "BTCUSDT")
        await steered.advance(10)

        assert (
            json.loads(refused[0])["ret_msg"] == "Invalid symbol :[publicTrade.BTCUSDT]"
        )
        assert trades_in("bybit", await hear_so_far(client)) != []


async def test_a_symbol_listed_by_hand_is_accepted_and_never_trades(
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    market.simulator.accept("coinbase", "NOVEL-USD")
    async with listening(market.urls["coinbase"]) as client:
        await client.send(subscribe("coinbase", ["NOVEL-USD"]))
        (accepted,) = await hear_so_far(client)
        await steered.advance(1)
        (beat,) = await hear_so_far(client)

    assert json.loads(accepted)["type"] == "subscriptions"
    assert json.loads(beat)["last_trade_id"] == 0


async def test_the_last_trades_come_again_twice_and_newest_first(
    market: SmallMarket,
) -> None:
    async with listening(market.urls["okx"]) as client:
        await client.send(subscribe("okx", ["BTC-USDT"]))
        *_, last = await hear_until(client, lambda frame: '"data":[' in frame)
        market.simulator.repeat("okx")
        frames = [json.loads(frame)["data"][0] for frame in await hear_so_far(client)]

    numbers = [int(frame["tradeId"]) for frame in frames]
    newest = int(json.loads(last)["data"][0]["tradeId"])
    assert numbers == [newest - back for back in range(5) for _ in range(2)]


async def test_who_reads_nothing_is_dropped(
    market: SmallMarket,
    steered: SteeredClock,
) -> None:
    async with (
        listening(market.urls["kraken"]) as reader,
        listening(market.urls["kraken"]) as sleeper,
    ):
        sleeper.transport.pause_reading()
        for _ in range(3_000):
            await sleeper.send(subscribe("kraken", ["BTC/USD"]))
        await hear_so_far(reader)
        await steered.advance(2)
        sleeper.transport.resume_reading()

        assert await closed(sleeper) == (1006, "")
        await hear_so_far(reader)


async def test_an_exchange_without_a_dialect_is_left_out(
    steered: SteeredClock,
) -> None:
    simulator = MarketSimulator(steered, {"cryptocom": {"BTC": "BTC_USD"}})

    assert await simulator.start() == {}
    assert simulator.left_out == {
        "cryptocom": "the simulated market does not speak its dialect",
    }
    with pytest.raises(VenueUnknown, match="no venue named cryptocom"):
        simulator.stall("cryptocom")


async def test_stopping_hangs_up_and_twice_is_no_error(
    steered: SteeredClock,
) -> None:
    simulator = small_simulator(steered)
    urls = await simulator.start()
    async with listening(urls["okx"]) as client:
        await simulator.stop()
        await simulator.stop()

        assert await closed(client) == (1001, "")
