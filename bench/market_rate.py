"""What the simulated market costs: its share of a core, by speed.

The market runs in this process; a child process is its client, one connection a venue.
Claim: less than 3 % of a core at speed 1.

Usage: python bench/market_rate.py [SECONDS]
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping

from websockets.asyncio.client import connect

from trinity_beast.adapters.market import MarketSimulator
from trinity_beast.adapters.market.dialects import DIALECTS, Listing
from trinity_beast.adapters.market.levels import LEVELS
from trinity_beast.adapters.system import SystemClock

SPEEDS = (1.0, 10.0, 100.0)
WARM_UP_S = 2.0


def symbols() -> dict[str, dict[str, str]]:
    """Give each venue 25 of the assets, in its own words."""
    assets = list(LEVELS)
    return {
        name: {
            asset: dialect(Listing(None)).symbol_of(asset)
            for asset in assets[number * 25 : number * 25 + 25]
        }
        for number, (name, dialect) in enumerate(DIALECTS.items())
    }


def requests(name: str, wanted: list[str]) -> list[str]:
    """Write subscriptions in the venue's dialect."""
    args = [{"channel": "trades", "instId": symbol} for symbol in wanted]
    topics = [f"publicTrade.{symbol}" for symbol in wanted]
    streams = [f"{symbol}@trade" for symbol in wanted]
    by_name: dict[str, list[object]] = {
        "coinbase": [
            {
                "type": "subscribe",
                "product_ids": wanted,
                "channels": ["matches", "heartbeat"],
            },
        ],
        "gemini": [{"id": "1", "method": "subscribe", "params": streams}],
        "kraken": [
            {"method": "subscribe", "params": {"channel": "trade", "symbol": wanted}},
        ],
        "gateio": [
            {"channel": "spot.trades", "event": "subscribe", "payload": wanted},
        ],
        "bybit": [
            {"op": "subscribe", "args": topics[start : start + 10]}
            for start in range(0, len(topics), 10)
        ],
        "okx": [{"op": "subscribe", "args": args}],
    }
    return [json.dumps(request) for request in by_name[name]]


async def listen(urls: Mapping[str, str]) -> None:
    """Read everything until killed."""

    async def one(name: str, url: str) -> None:
        async with connect(url, compression=None) as client:
            for request in requests(name, list(symbols()[name].values())):
                await client.send(request)
            async for _ in client:
                pass

    await asyncio.gather(*(one(name, url) for name, url in urls.items()))


async def measure(speed: float, seconds: float) -> None:
    """Print one line."""
    market = MarketSimulator(SystemClock(), symbols(), speed=speed)
    urls = await market.start()
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--client",
        json.dumps(urls),
    )
    await asyncio.sleep(WARM_UP_S)
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    used = (time.process_time() - cpu_s) / (time.perf_counter() - wall_s)
    print(f"speed {speed:5.0f}: {used:6.1%} of a core")
    client.kill()
    await client.wait()
    await market.stop()


async def main() -> None:
    """Measure each speed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    for speed in SPEEDS:
        await measure(speed, seconds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        asyncio.run(listen(json.loads(sys.argv[2])))
    else:
        asyncio.run(main())
