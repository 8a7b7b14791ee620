"""A node whose feeds go silent: other nodes, then venues by REST, then 503."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.waiting import eventually
from trinity_beast.adapters.market import MarketSimulator, RestFault, RestVenues
from trinity_beast.adapters.system import SystemClock
from trinity_beast.adapters.valkey import ValkeyPriceCache, open_valkey
from trinity_beast.apps.market import MarketChoice, open_market
from trinity_beast.apps.node import Node, prices_are_there
from trinity_beast.features.catalogue import CatalogueSnapshot
from trinity_beast.features.sources.cached_price import decode, encode
from trinity_beast.features.sources.model import quote_of
from trinity_beast.kernel.time import NS_PER_S

if TYPE_CHECKING:
    import httpx
    from glide import GlideClient

    from support.nodes import OpenNode
    from trinity_beast.features.keys import KeyService
    from trinity_beast.toolkit.work import UnitOfWork

DOWN = RestFault(503, b"down")
VENUES = ("gemini", "coinbase", "kraken")
IMPATIENT = (
    "INSERT INTO application_parameters (key, value)"
    " VALUES ('cache_ttl', '1'), ('feed_silence_seconds', '1')"
    " ON CONFLICT (key) DO UPDATE SET value = '1'"
)
"""What takes half a minute for operators takes a second here."""


@dataclass
class Market:
    """The market of a node, whose feeds and venues can be switched off."""

    node: Node
    simulator: MarketSimulator
    rest: RestVenues

    def silence(self) -> None:
        for name in self._feeds():
            self.simulator.stall(name)

    def speak(self) -> None:
        for name in self._feeds():
            self.simulator.resume(name)

    def close_venues(self) -> None:
        for venue in VENUES:
            self.rest.fail(venue, DOWN)

    def open_venues(self) -> None:
        for venue in VENUES:
            self.rest.heal(venue)

    def _feeds(self) -> list[str]:
        feeds = self.node.shared.catalogue.snapshot.feeds
        return [feed.exchange_name for feed in feeds if feed.enabled]


@dataclass
class Client:
    """Asks a node for the price of BTC."""

    http: httpx.AsyncClient
    secret: str

    async def source(self) -> str:
        """Return the source of the price, or the code of the error."""
        answer = await self.http.get(
            "/price",
            params={"asset": "BTC", "format": "plain"},
            headers={"Authorization": f"Bearer {self.secret}"},
        )
        body: dict[str, str] = answer.json()
        return body.get("source") or body["code"]

    async def until(self, source: str) -> None:
        """Ask until the price comes from there."""

        async def comes_from_there() -> bool:
            return await self.source() == source

        await eventually(comes_from_there)


def market_of(node: Node) -> Market:
    market = node.shared.market
    assert market.simulator is not None
    assert market.rest_venues is not None
    return Market(node, market.simulator, market.rest_venues)


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[GlideClient]:
    client = await open_valkey(valkey_url, client_name="another-node")
    yield client
    await client.close()


@pytest.fixture
async def client(http: httpx.AsyncClient, keys: KeyService) -> Client:
    issued = await keys.create("dev@example.org", "partner")
    return Client(http, issued.secret)


async def test_prices_of_the_feeds_reach_the_cache(
    node: OpenNode,
    valkey: GlideClient,
) -> None:
    async with node("feeds") as opened:
        await prices_are_there(opened)

        async def cached() -> bytes | None:
            return await ValkeyPriceCache(valkey).find("BTC")

        raw = await eventually(cached)

    quote = decode(raw, "BTC")
    assert quote is not None
    assert quote.source == "coinbase-ws"
    assert 0 < await valkey.pttl("price:BTC") <= 9_000


async def test_a_silent_node_asks_around_and_comes_back(
    node: OpenNode,
    client: Client,
    valkey: GlideClient,
    seeded_work: UnitOfWork,
) -> None:
    async with seeded_work.begin() as connection:
        await connection.exec_driver_sql(IMPATIENT)
    async with node() as opened:
        market = market_of(opened)
        await prices_are_there(opened)
        await client.until("coinbase-ws")

        market.silence()
        market.close_venues()
        await client.until("price_unavailable")

        # Another node, whose clock is a second ahead, has a price.
        at_ns = SystemClock().now_ns() + NS_PER_S
        quote = quote_of(
            "BTC", "65000.1", "other-ws", traded_at_ns=at_ns, received_at_ns=at_ns
        )
        await ValkeyPriceCache(valkey).store({"BTC": encode(quote)}, 5)
        await client.until("other-ws")
        await client.until("price_unavailable")

        market.open_venues()
        await client.until("gemini-rest")

        market.speak()
        await client.until("coinbase-ws")


async def test_a_recording_asks_no_venue(node: OpenNode, tmp_path: Path) -> None:
    choice = MarketChoice("replay", tmp_path)
    async with node("lpo", "feeds", choice=choice) as opened:
        assert opened.shared.market.rest is None


async def test_the_live_market_has_the_real_venues() -> None:
    async def no_catalogue() -> CatalogueSnapshot:
        return CatalogueSnapshot()

    choice = MarketChoice("live")
    async with open_market(choice, no_catalogue, SystemClock()) as market:
        assert market.rest is not None
        assert [venue.name for venue in market.rest.venues] == list(VENUES)
