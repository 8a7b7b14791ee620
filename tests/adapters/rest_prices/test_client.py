"""Gemini, Coinbase and Kraken are asked by REST; here the simulated ones are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from support.clocks import NOON_NS
from support.ports import free_port
from trinity_beast.adapters.market import RestFault, RestVenues, VenueUnknown
from trinity_beast.adapters.rest_prices import LIVE_URLS, HttpRestPrices
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S
from trinity_beast.ports.rest_prices import (
    NotListed,
    RestPrice,
    RestVenueAway,
    RestVenueBusy,
)

if TYPE_CHECKING:
    from support.clocks import FixedClock

VENUES = ("gemini", "coinbase", "kraken")
USD = {"BTC": 65000.25, "DOGE": 0.0715, "MNT": 0.6, "SHIB": 0.0000123}


@dataclass
class Town:
    venues: RestVenues
    rest: HttpRestPrices


@pytest.fixture
async def town(clock: FixedClock) -> AsyncIterator[Town]:
    venues = RestVenues(clock, USD.get)
    async with aclosing(HttpRestPrices(await venues.start(), within_s=5)) as rest:
        yield Town(venues, rest)
    await venues.stop()


async def reason_of(rest: HttpRestPrices, venue: str, asset: str = "BTC") -> str:
    with pytest.raises(RestVenueAway) as caught:
        await rest.fetch(venue, asset)
    return str(caught.value.context["reason"])


def test_the_live_venues_are_asked_in_order_and_over_tls() -> None:
    assert list(LIVE_URLS) == list(VENUES)
    assert all(url.startswith("https://") for url in LIVE_URLS.values())


async def test_venues_are_in_the_order_of_being_asked(town: Town) -> None:
    assert tuple(venue.name for venue in town.rest.venues) == VENUES


@pytest.mark.parametrize(
    ("venue", "digits"),
    [("gemini", "65000.25"), ("coinbase", "65000.25"), ("kraken", "65000.25000")],
)
async def test_each_tells_its_last_trade_with_its_digits(
    town: Town,
    venue: str,
    digits: str,
) -> None:
    told = await town.rest.fetch(venue, "BTC")

    assert told == RestPrice(digits, NOON_NS - 120 * NS_PER_MS)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("asset", ["DOGE", "MNT", "SHIB"])
async def test_each_has_names_of_its_own(town: Town, venue: str, asset: str) -> None:
    told = await town.rest.fetch(venue, asset)

    assert float(told.price) == pytest.approx(USD[asset], rel=1e-4)
    assert town.venues.asked == {(venue, asset): 1}


@pytest.mark.parametrize("venue", VENUES)
async def test_an_asset_that_is_not_listed_is_no_failure(
    town: Town,
    venue: str,
) -> None:
    town.venues.delist(venue, "BTC")
    for asset in ("BTC", "NOPE", "BTC/../x", "b&x=1", ""):
        with pytest.raises(NotListed):
            await town.rest.fetch(venue, asset)


@pytest.mark.parametrize("venue", VENUES)
async def test_one_connection_serves_many_questions(town: Town, venue: str) -> None:
    for _ in range(5):
        await town.rest.fetch(venue, "BTC")

    assert town.venues.asked == {(venue, "BTC"): 5}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (RestFault(500, b"{}"), "HTTP 500"),
        (RestFault(302, b""), "HTTP 302"),
        (RestFault(403, b"<html>blocked</html>"), "HTTP 403"),
        (RestFault(200, b"<html>maintenance</html>"), "its answer is no trade of BTC"),
        (RestFault(200, b"x" * 10_000_000), "its answer is too long"),
        (RestFault(200, b"\x1f\x8b", packed="gzip"), "its answer is packed"),
        (RestFault(breaks=True), "RemoteProtocolError"),
    ],
)
@pytest.mark.parametrize("venue", VENUES)
async def test_whatever_else_comes_is_a_failure_and_no_price(
    town: Town,
    venue: str,
    fault: RestFault,
    reason: str,
) -> None:
    town.venues.fail(venue, fault)

    assert await reason_of(town.rest, venue) == reason
    town.venues.heal(venue)
    assert (await town.rest.fetch(venue, "BTC")).price.startswith("65000.25")


@pytest.mark.parametrize("venue", VENUES)
async def test_a_trade_of_long_ago_is_told_with_its_time(
    town: Town,
    venue: str,
) -> None:
    town.venues.trade_last(venue, 3600)

    told = await town.rest.fetch(venue, "BTC")

    assert NOON_NS - told.traded_at_ns == pytest.approx(3600 * NS_PER_S, abs=1_000)


@pytest.mark.parametrize("status", [418, 429])
async def test_a_venue_may_ask_for_peace(town: Town, status: int) -> None:
    town.venues.fail("gemini", RestFault(status, b"{}"))

    with pytest.raises(RestVenueBusy):
        await town.rest.fetch("gemini", "BTC")


async def test_a_venue_that_hangs_is_given_up(clock: FixedClock) -> None:
    venues = RestVenues(clock, USD.get)
    urls = await venues.start()
    venues.fail("kraken", RestFault(hangs=True))
    async with aclosing(HttpRestPrices(urls, within_s=0.05)) as rest:
        assert await reason_of(rest, "kraken") == "no answer within 0.05 s"
    await venues.stop()


async def test_a_venue_that_is_not_there_is_a_failure() -> None:
    urls = {"gemini": f"http://127.0.0.1:{free_port()}"}
    async with aclosing(HttpRestPrices(urls)) as rest:
        assert await reason_of(rest, "gemini") == "ConnectError"
        assert [venue.name for venue in rest.venues] == ["gemini"]


async def test_only_known_venues_can_be_failed(town: Town) -> None:
    with pytest.raises(VenueUnknown):
        town.venues.heal("binance")


async def test_a_client_that_sends_no_http_is_hung_up_on(clock: FixedClock) -> None:
    venues = RestVenues(clock, USD.get)
    urls = await venues.start()
    host, _, port = urls["gemini"].removeprefix("http://").partition(":")
    for nonsense in (b"hello\r\n\r\n", b"\xff\r\n\r\n", b"x" * 40_000):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(nonsense)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
    await venues.stop()
    await venues.stop()
