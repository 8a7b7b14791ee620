"""Both clients behind one face, so that each test speaks of both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice

from support.price_server import KEY, UNIX_MS
from trinity_beast.client import (
    AsyncBeastClient,
    Batch,
    BeastClient,
    Options,
    Price,
    PriceEvent,
    Surroundings,
)
from trinity_beast.client.following import Way


class Pace:
    """Time that passes only when a client waits."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.chance = 0.0
        self.waits: list[float] = []

    def surroundings(self) -> Surroundings:
        """Return time as the clients take it."""
        return Surroundings(
            unix_ms=lambda: UNIX_MS,
            monotonic_s=lambda: self.now_s,
            chance=lambda: self.chance,
            sleep=self._sleep,
            sleep_async=self._sleep_async,
        )

    def _sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now_s += seconds

    async def _sleep_async(self, seconds: float) -> None:
        self._sleep(seconds)


class EitherClient:
    """One of the two clients; the blocking one is used from a thread."""

    def __init__(
        self,
        kind: str,
        url: str,
        options: Options,
        pace: Pace,
        key: str = KEY,
    ) -> None:
        self.blocking: BeastClient | None = None
        self.asyncio: AsyncBeastClient | None = None
        around = pace.surroundings()
        if kind == "blocking":
            self.blocking = BeastClient(key, url, options=options, around=around)
        else:
            self.asyncio = AsyncBeastClient(key, url, options=options, around=around)

    async def price(self, asset: str, max_age_ms: int | None = None) -> Price:
        if self.blocking:
            ask = self.blocking.price
            return await asyncio.to_thread(ask, asset, max_age_ms=max_age_ms)
        assert self.asyncio
        return await self.asyncio.price(asset, max_age_ms=max_age_ms)

    async def prices(
        self,
        assets: Sequence[str],
        max_age_ms: int | None = None,
    ) -> Batch:
        if self.blocking:
            ask = self.blocking.prices
            return await asyncio.to_thread(ask, assets, max_age_ms=max_age_ms)
        assert self.asyncio
        return await self.asyncio.prices(assets, max_age_ms=max_age_ms)

    async def udp_price(self, asset: str, *, signed: bool = True) -> Price:
        if self.blocking:
            ask = self.blocking.udp_price
            return await asyncio.to_thread(ask, asset, signed=signed)
        assert self.asyncio
        return await self.asyncio.udp_price(asset, signed=signed)

    async def udp_prices(self, assets: Sequence[str], *, signed: bool = True) -> Batch:
        if self.blocking:
            ask = self.blocking.udp_prices
            return await asyncio.to_thread(ask, assets, signed=signed)
        assert self.asyncio
        return await self.asyncio.udp_prices(assets, signed=signed)

    async def hear(
        self,
        count: int,
        assets: Sequence[str] = ("BTC",),
        over: Way = "sse",
    ) -> list[PriceEvent]:
        """Return so many events of a stream, or all that there were until its end."""
        if self.blocking:
            return await asyncio.to_thread(self._hear, self.blocking, count, over)
        assert self.asyncio
        heard: list[PriceEvent] = []
        async with self.asyncio.stream(assets, over=over) as events:
            async for event in events:
                heard.append(event)
                if len(heard) == count:
                    break
        return heard

    async def close(self) -> None:
        if self.blocking:
            await asyncio.to_thread(self.blocking.close)
        if self.asyncio:
            await self.asyncio.close()

    @staticmethod
    def _hear(client: BeastClient, count: int, over: Way) -> list[PriceEvent]:
        with client.stream(["BTC"], over=over) as events:
            return list(islice(events, count))
