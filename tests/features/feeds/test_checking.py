from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace

from support.feeds import ScriptedExchanges, asset_rows, row_with, trade_frame
from support.randomness import SeededRandomness
from support.steered_clock import SteeredClock
from trinity_beast.features.catalogue import CatalogueSnapshot
from trinity_beast.features.feeds import FeedCheck, check_feeds
from trinity_beast.kernel.time import NS_PER_S

GOOD = row_with()
BROKEN = row_with(id=2, exchange_name="broken", price_path=None)
DISABLED = row_with(id=3, exchange_name="disabled", enabled=False)


def generous(text: str) -> Iterable[str]:
    """Take every request and trade at once."""
    symbols: list[str] = json.loads(text)["args"]
    yield json.dumps({"event": "subscribed", "args": symbols})
    yield trade_frame(symbols[0], "1")


def choosy(text: str) -> Iterable[str]:
    """Refuse ETH, never answer for SOL."""
    if text == "ping":
        yield "pong"
    elif "ETH" in text:
        yield json.dumps({"type": "error", "message": "no ETH-USD"})
    elif "BTC" in text:
        yield json.dumps({"event": "subscribed", "args": ["BTC-USD"]})


async def check(
    exchanges: ScriptedExchanges,
    snapshot: CatalogueSnapshot,
    wait_s: float = 20,
) -> tuple[tuple[FeedCheck, ...], float]:
    clock = SteeredClock()
    began_ns = clock.monotonic_ns()
    task = asyncio.create_task(
        check_feeds(snapshot, exchanges, clock, SeededRandomness(), wait_s=wait_s),
    )
    while not task.done():
        await clock.advance(0.1)
    return await task, (clock.monotonic_ns() - began_ns) / NS_PER_S


async def test_it_reports_each_enabled_exchange_and_is_soon_done() -> None:
    snapshot = CatalogueSnapshot(
        (GOOD, BROKEN, DISABLED),
        (*asset_rows("plain", ["BTC", "ETH"]), *asset_rows("broken", ["SOL"])),
    )

    found, took_s = await check(ScriptedExchanges(generous), snapshot)

    assert found == (
        FeedCheck("plain", "live", 2, 2, 1, {}, (), None),
        FeedCheck(
            "broken",
            "broken",
            0,
            0,
            0,
            {},
            (),
            "broken: price_path is missing",
        ),
    )
    assert [report.healthy for report in found] == [True, False]
    assert took_s < 2


async def test_it_waits_no_longer_than_it_was_told() -> None:
    snapshot = CatalogueSnapshot((GOOD,), asset_rows("plain", ["BTC"]))

    found, took_s = await check(ScriptedExchanges(), snapshot, wait_s=3)

    assert found == (FeedCheck("plain", "subscribing", 1, 0, 0, {}, (), None),)
    assert 3 <= took_s < 4


async def test_it_closes_its_connections() -> None:
    exchanges = ScriptedExchanges(generous)

    await check(exchanges, CatalogueSnapshot((GOOD,), asset_rows("plain", ["BTC"])))

    assert exchanges.socket.closed


async def test_a_report_is_a_few_lines_for_people() -> None:
    row = row_with(ping_interval_sec=10, ping_message="ping")
    snapshot = CatalogueSnapshot((row,), asset_rows("plain", ["BTC", "ETH", "SOL"]))

    ((report,), _) = await check(ScriptedExchanges(choosy), snapshot, wait_s=60)

    assert str(report) == (
        "plain: live, 3 asked, 1 acked, 0 seen, last error: no ETH-USD\n"
        "  ETH-USD: no ETH-USD\n"
        "  SOL-USD: no answer"
    )
    assert not report.healthy
    assert str(replace(report, refused={}, unacked=(), error=None)) == (
        "plain: live, 3 asked, 1 acked, 0 seen"
    )
