"""A small world around the price application: a market, keys, and a client for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
from starlette.types import Message

from support.keys import a_key
from trinity_beast.features.board import BoardReader, BoardWriter, Tick
from trinity_beast.features.catalogue import (
    AssetRow,
    Catalogue,
    CatalogueSnapshot,
    CategoryRow,
    FeedRow,
)
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    ApiKey,
    KeyRing,
    Template,
    display_form,
    hash_of,
    new_secret,
)
from trinity_beast.features.limits import Limiter
from trinity_beast.features.parameters import Parameters
from trinity_beast.features.prices import Identity, LpoParts, build_lpo_app
from trinity_beast.features.usage import UsageBuffer, UsageRecord
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.toolkit.work import DatabaseAway

if TYPE_CHECKING:
    from support.clocks import FixedClock
    from support.randomness import SeededRandomness

KEY_ID = UUID("01996c5e-0000-7000-8000-000000000001")
USER_ID = UUID("01996c5e-0000-7000-8000-000000000002")


def feed(feed_id: int, name: str, *, enabled: bool = True) -> FeedRow:
    return FeedRow(
        id=feed_id,
        exchange_name=name,
        display_name=name.title(),
        ws_endpoint="wss://127.0.0.1",
        symbol_template="{SYMBOL}",
        source_tag=f"{name}-ws",
        enabled=enabled,
    )


def asset(
    row_id: int,
    exchange: str,
    name: str,
    category: str = "Layer 1",
    *,
    enabled: bool = True,
) -> AssetRow:
    return AssetRow(
        id=row_id,
        exchange_name=exchange,
        asset=name,
        exchange_symbol=f"{name}-USD",
        category=category,
        enabled=enabled,
    )


SNAPSHOT = CatalogueSnapshot(
    feeds=(
        feed(1, "coinbase"),
        feed(2, "kraken"),
        feed(3, "gateio", enabled=False),
    ),
    assets=(
        asset(1, "coinbase", "BTC"),
        asset(2, "kraken", "BTC"),
        asset(3, "coinbase", "ETH"),
        asset(4, "kraken", "DOGE", "Meme"),
        asset(5, "coinbase", "XRP", enabled=False),
        asset(6, "gateio", "PEPE", "Meme"),
        asset(7, "coinbase", "1INCH", "DeFi"),
    ),
    categories=(
        CategoryRow(id=1, category_name="Meme", description="Fun.", display_order=20),
        CategoryRow(id=2, category_name="Layer 1", display_order=10),
        CategoryRow(id=3, category_name="DeFi", enabled=False),
    ),
)


class World:
    """All that the application is built from, within a test's reach."""

    def __init__(
        self,
        writer: BoardWriter,
        reader: BoardReader,
        clock: FixedClock,
        randomness: SeededRandomness,
    ) -> None:
        self.board = writer
        self.clock = clock
        self.randomness = randomness
        self.keys: dict[str, ApiKey] = {}
        self.database_is_away = False
        self.lookup_s = 0.0
        self.lookups: asyncio.Event | None = None
        self.texts: dict[str, str] = {}
        self.usage = UsageBuffer(1_000)
        self.parts = LpoParts(
            catalogue=Catalogue(self._load_catalogue),
            board=reader,
            keys=KeyRing(self, clock),
            limiter=Limiter(clock),
            parameters=Parameters(self._load_parameters),
            usage=self.usage,
            clock=clock,
            randomness=randomness,
            identity=Identity("BeastMain", "us-east-2", "1.2.3", clock.now_ns()),
        )
        self.parts.catalogue.replace(SNAPSHOT)

    def new_key(self, **changes: object) -> str:
        """Issue a key, plain and of tier pro unless told otherwise."""
        secret = new_secret(self.randomness)
        key = a_key(
            id=KEY_ID,
            user_id=USER_ID,
            key_hash=hash_of(secret),
            name="mine",
            response_format="plain",
            shown=display_form(secret),
        )
        self.keys[key.key_hash] = replace(key, **changes)
        return secret

    def trade(
        self,
        name: str,
        price: str,
        *,
        source: str = "coinbase-ws",
        snapshot: bool = False,
    ) -> None:
        """Publish a trade of half a second ago, arriving now."""
        now_ns = self.clock.now_ns()
        at_ns = now_ns - NS_PER_S // 2
        self.board.publish(name, Tick(price, source, at_ns, now_ns, snapshot=snapshot))
        self.board.heard(source, now_ns)

    def records(self) -> list[UsageRecord]:
        """Return the usage records made so far, oldest first."""
        return self.usage.drain(1_000)

    def client(self, parts: LpoParts | None = None) -> httpx.AsyncClient:
        """Return a client of an application."""
        app = build_lpo_app(parts or self.parts)
        transport = httpx.ASGITransport(app, client=("203.0.113.9", 40_000))
        return httpx.AsyncClient(transport=transport, base_url="http://test")

    async def _load_catalogue(self) -> CatalogueSnapshot:
        return SNAPSHOT

    async def _load_parameters(self) -> dict[str, str]:
        return self.texts

    async def ask_raw(self, path: str, query: bytes, secret: str) -> int:
        """Ask with a query string that no proper client sends; return the status."""
        statuses: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        headers = [(b"authorization", f"Bearer {secret}".encode())]
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
        scope |= {"query_string": query, "client": None}
        await build_lpo_app(self.parts)(scope, receive, send)
        return statuses[0]

    async def find_by_hash(self, key_hash: str) -> ApiKey | None:
        """Look a key up, as ``KeyService`` does."""
        return (await self.find_by_hashes([key_hash])).get(key_hash)

    async def find_by_hashes(self, key_hashes: Sequence[str]) -> dict[str, ApiKey]:
        """Look keys up, as ``KeyService`` does."""
        if self.database_is_away:
            raise DatabaseAway(reason="ConnectionRefusedError")
        if self.lookups is not None:
            await self.lookups.wait()
        self.clock.advance(self.lookup_s)
        return {each: self.keys[each] for each in key_hashes if each in self.keys}

    async def list_hashes(self, start: str) -> list[str]:
        """Look hashes up by their start, as ``KeyService`` does."""
        found = await self.find_by_hashes([*self.keys])
        return [key_hash for key_hash in found if key_hash.startswith(start)]

    async def free_template(self) -> Template:
        """Return the free tier, as ``KeyService`` does."""
        return FREE_TEMPLATE


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
