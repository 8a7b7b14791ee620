from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.listening import closed, hear, hear_so_far, listening
from support.steered_clock import SteeredClock
from support.venues import (
    EXCHANGES,
    PINGS,
    RECORDINGS,
    Row,
    received,
    recorded,
    rows,
    subscribe,
    symbol,
)
from trinity_beast.adapters.market import (
    FeedLike,
    Progress,
    RecordingsMissing,
    RecordingUnreadable,
    ReplayMarket,
)
from trinity_beast.adapters.system import SystemClock
from trinity_beast.ports.clock import Clock

AS_FAST_AS_CAN_BE = 1e9
ANSWERS = {"okx": 2}
SYMBOL = re.compile(
    r'"(?:product_id|s|symbol|currency_pair|instId)":\s*"([^"]+)"',
)


def symbols_in(feed: FeedLike, frames: Iterable[str]) -> Iterable[str]:
    for frame in frames:
        yield from SYMBOL.findall(frame)


def replay(
    directory: Path,
    feeds: Sequence[FeedLike],
    clock: Clock,
    *,
    speed: float = 1.0,
    exchange: str | None = None,
) -> ReplayMarket:
    return ReplayMarket(
        directory,
        feeds,
        clock=clock,
        symbols_in=symbols_in,
        speed=speed,
        exchange=exchange,
    )


def write(directory: Path, exchange: str, frames: Iterable[str]) -> None:
    records = [json.dumps({"dir": "recv", "raw": frame}) for frame in frames]
    text = "\n".join(records)
    (directory / f"{exchange}.jsonl").write_text(text, encoding="utf-8")


def numbered(exchange: str, count: int) -> list[str]:
    name = symbol(exchange, "BTC")
    return [f'{{"symbol":"{name}","number":{number}}}' for number in range(count)]


def numbers(frames: Iterable[str]) -> list[int]:
    return [json.loads(frame)["number"] for frame in frames if '"number"' in frame]


@asynccontextmanager
async def playing(market: ReplayMarket) -> AsyncGenerator[dict[str, str]]:
    urls = await market.start()
    yield urls
    await market.stop()


@pytest.mark.parametrize(
    ("folder", "exchange"),
    [
        *(("", name) for name in EXCHANGES if name != "gemini"),
        *(("simulated", name) for name in EXCHANGES),
    ],
)
async def test_recorded_frames_are_heard_verbatim_and_in_order(
    folder: str,
    exchange: str,
) -> None:
    frames = received(recorded(str(Path(folder, f"{exchange}.jsonl.gz"))))
    # The real recording of Kraken holds ETH/USDT alone.
    odd = Row(3, "kraken", "{ASSET}/USDT")
    feeds = [odd] if (folder, exchange) == ("", "kraken") else rows()
    market = replay(
        RECORDINGS / folder,
        feeds,
        SystemClock(),
        speed=AS_FAST_AS_CAN_BE,
        exchange=exchange,
    )

    async with playing(market) as urls, listening(urls[exchange]) as client:
        await client.send(subscribe(exchange, [symbol(exchange, "BTC")]))
        answers = await hear(client, ANSWERS.get(exchange, 1))
        heard = await hear(client, len(frames))
        await market.finished.wait()
        assert market.progress == {exchange: Progress(len(frames), len(frames))}

    assert all("error" not in answer for answer in answers)
    assert heard == frames


async def test_frames_come_at_the_recorded_pace(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    pauses_s = [0, 2, 4]
    records = [
        {"dir": "recv", "raw": frame, "ts": 100 + pause_s}
        for frame, pause_s in zip(numbered("bybit", 3), pauses_s, strict=True)
    ]
    text = "\n".join(map(json.dumps, records))
    (tmp_path / "bybit.jsonl").write_text(text, encoding="utf-8")
    heard: list[list[int]] = []

    market = replay(tmp_path, rows(), steered, speed=2.0)
    async with playing(market) as urls, listening(urls["bybit"]) as client:
        await steered.advance(60)
        heard.append(numbers(await hear_so_far(client)))
        await client.send(subscribe("bybit", ["BTCUSDT"]))
        heard.append(numbers(await hear_so_far(client)))
        for seconds in (0.9, 0.2, 1.0):
            await steered.advance(seconds)
            heard.append(numbers(await hear_so_far(client)))
        await market.finished.wait()

    assert heard == [[], [0], [], [1], [2]]


async def heard_by_a_client_that_breaks_off(
    url: str,
    clock: SteeredClock,
    seconds: float,
) -> list[int]:
    async with listening(url) as client:
        await client.send(subscribe("bybit", ["BTCUSDT"]))
        frames = await hear_so_far(client)
        await clock.advance(seconds)
        frames += await hear_so_far(client)
        client.transport.abort()
    return numbers(frames)


async def test_a_client_that_comes_again_hears_the_rest_and_what_it_may_have_lost(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    write(tmp_path, "bybit", numbered("bybit", 500))
    market = replay(tmp_path, rows(), steered)

    async with playing(market) as urls:
        url = urls["bybit"]
        first = await heard_by_a_client_that_breaks_off(url, steered, 4.0)
        second = await heard_by_a_client_that_breaks_off(url, steered, 20.0)
        third = await heard_by_a_client_that_breaks_off(url, steered, 20.0)

    assert first == list(range(201))
    assert second == list(range(second[0], 500))
    assert 100 <= second[0] < 200
    assert third == list(range(third[0], 500))
    assert third[0] > 400


async def test_frames_that_clients_always_hang_up_on_are_passed_over(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    write(tmp_path, "bybit", numbered("bybit", 100))
    market = replay(tmp_path, rows(), steered)
    starts: list[int] = []

    async with playing(market) as urls:
        for _ in range(4):
            async with listening(urls["bybit"]) as client:
                await client.send(subscribe("bybit", ["BTCUSDT"]))
                heard = await hear_so_far(client)
                await steered.advance(0.02)
                heard += await hear_so_far(client)
                starts.append(numbers(heard)[0])
                client.transport.abort()

    assert starts == [0, 0, 0, 2]


async def test_the_newest_client_takes_the_recording_over(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    write(tmp_path, "bybit", numbered("bybit", 10))
    market = replay(tmp_path, rows(), steered)

    async with (
        playing(market) as urls,
        listening(urls["bybit"]) as old,
        listening(urls["bybit"]) as new,
    ):
        for client in (old, new):
            await client.send(subscribe("bybit", ["BTCUSDT"]))
            await hear_so_far(client)
        await steered.advance(10)
        heard = [numbers(await hear_so_far(client)) for client in (old, new)]
        await old.send(PINGS["bybit"])

        assert heard == [[], list(range(1, 10))]
        assert "pong" in (await hear(old, 1))[0]


async def test_after_the_last_frame_the_line_stays_alive(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    for name, asset in (("coinbase", "BTC"), ("gateio", "ETH")):
        write(tmp_path, name, [f'{{"symbol":"{symbol(name, asset)}"}}'])
    market = replay(tmp_path, rows(), steered)

    async with (
        playing(market) as urls,
        listening(urls["coinbase"]) as coinbase,
        listening(urls["gateio"]) as gate,
    ):
        await coinbase.send(subscribe("coinbase", ["BTC-USD", "ETH-USD"]))
        await hear_so_far(coinbase)
        assert not market.finished.is_set()
        await gate.send(subscribe("gateio", ["ETH_USDT"]))
        await hear_so_far(gate)
        await market.finished.wait()
        await steered.advance(10)
        beats = await hear_so_far(coinbase)
        await gate.send(PINGS["gateio"])
        pong = await hear(gate, 1)

    assert len([b for b in beats if '"type":"heartbeat","last_trade_id":0' in b]) == 20
    assert json.loads(pong[0])["channel"] == "spot.pong"


async def test_an_exchange_of_an_unknown_dialect_is_played_too(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    write(tmp_path, "novel", ['{"symbol":"BTC~USD","number":0}'])
    market = replay(tmp_path, [Row(9, "novel", "{ASSET}~USD")], steered)

    async with playing(market) as urls, listening(urls["novel"]) as client:
        await client.send("anything")
        frames = await hear(client, 2)
        await client.send("anything else")
        await steered.advance(1)

        assert market.assets == {"novel": {"BTC": "BTC~USD"}}
        assert frames == ['{"symbol":"BTC~USD","number":0}', '{"channel":"heartbeat"}']
        assert await hear_so_far(client) == ['{"channel":"heartbeat"}']


async def test_an_asset_stays_with_the_first_exchange_that_recorded_it(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    for name, assets in {
        "coinbase": ["BTC", "ETH"],
        "kraken": ["BTC"],
        "gateio": ["ETH", "NEO"],
        "bybit": [],
    }.items():
        symbols = [symbol(name, asset) for asset in assets]
        write(tmp_path, name, [f'{{"symbol":"{text}"}}' for text in symbols])
    market = replay(tmp_path, list(reversed(rows())), steered)

    async with playing(market) as urls:
        assert set(urls) == {"coinbase", "gateio"}
    assert market.assets == {
        "coinbase": {"BTC": "BTC-USD", "ETH": "ETH-USD"},
        "gateio": {"NEO": "NEO_USDT"},
    }
    assert market.left_out == {
        "gemini": "there is no gemini.jsonl or .jsonl.gz",
        "kraken": "all of its assets are recorded of exchanges before it",
        "bybit": "none of its trades is in a market like {ASSET}USDT",
        "okx": "there is no okx.jsonl or .jsonl.gz",
    }


async def test_one_exchange_alone_keeps_what_others_recorded_too(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    for name in ("coinbase", "kraken"):
        write(tmp_path, name, [f'{{"symbol":"{symbol(name, "BTC")}"}}'])
    market = replay(tmp_path, rows(), steered, exchange="kraken")

    async with playing(market) as urls:
        assert set(urls) == {"kraken"}
    assert market.assets == {"kraken": {"BTC": "BTC/USD"}}
    assert market.left_out == {}


async def test_the_real_recording_of_kraken_has_no_market_that_its_row_can_express(
    steered: SteeredClock,
) -> None:
    recorded("kraken.jsonl.gz")
    market = replay(RECORDINGS, rows(), steered, exchange="kraken")

    async with playing(market) as urls:
        await market.finished.wait()
    assert urls == {}
    assert market.left_out == {
        "kraken": "none of its trades is in a market like {ASSET}/USD",
    }


@pytest.mark.parametrize(
    ("folder", "exchange", "reason"),
    [
        ("nowhere", None, "nowhere is no directory"),
        (".", "nobody", "no exchange is named nobody"),
    ],
)
async def test_what_is_not_there_cannot_be_played(
    folder: str,
    exchange: str | None,
    reason: str,
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    market = replay(tmp_path / folder, rows(), steered, exchange=exchange)

    with pytest.raises(RecordingsMissing, match=reason):
        await market.start()


async def test_a_broken_file_is_named(tmp_path: Path, steered: SteeredClock) -> None:
    (tmp_path / "okx.jsonl").write_text("?", encoding="utf-8")
    market = replay(tmp_path, rows(), steered)

    with pytest.raises(RecordingUnreadable, match=r"okx\.jsonl .* line 1 is not JSON"):
        await market.start()
    await market.stop()


async def test_stopping_in_the_middle_hangs_up_and_twice_is_no_error(
    tmp_path: Path,
    steered: SteeredClock,
) -> None:
    write(tmp_path, "bybit", numbered("bybit", 100))
    market = replay(tmp_path, rows(), steered)
    urls = await market.start()
    async with listening(urls["bybit"]) as client:
        await client.send(subscribe("bybit", ["BTCUSDT"]))
        await hear(client, 2)
        await market.stop()
        await market.stop()

        assert await closed(client) == (1001, "")
        assert market.progress == {"bybit": Progress(1, 100)}
        assert not market.finished.is_set()
