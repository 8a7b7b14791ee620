"""A price cache and REST venues within a test's reach, as their ports want them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from trinity_beast.kernel.errors import BeastError
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.price_cache import PriceCacheAway
from trinity_beast.ports.rest_prices import NotListed, RestPrice, RestVenue

VENUES = (
    RestVenue("gemini", requests_per_s=100.0, burst=1_000),
    RestVenue("coinbase", requests_per_s=100.0, burst=1_000),
    RestVenue("kraken", requests_per_s=100.0, burst=1_000),
)


class MemoryPriceCache:
    """Keeps values until they are taken away."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.ttls_s: list[int] = []
        self.is_away = False
        self.reads = 0

    async def find(self, asset: str) -> bytes | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise PriceCacheAway(reason="it was switched off")
        return self.values.get(asset)

    async def store(self, values: Mapping[str, bytes], ttl_s: int) -> None:
        if self.is_away:
            raise PriceCacheAway(reason="it was switched off")
        self.values.update(values)
        self.ttls_s.append(ttl_s)


class MemoryRestPrices:
    """Tells what it was told to tell, and counts who asks."""

    def __init__(self, clock: Clock, venues: Sequence[RestVenue] = VENUES) -> None:
        self.venues = venues
        self.asked: list[tuple[str, str]] = []
        self.held: asyncio.Event | None = None
        self._heard = asyncio.Event()
        self._clock = clock
        self._answers: dict[str, BaseException | tuple[str, float]] = {}

    def tell(self, venue: str, price: str, *, ago_s: float = 0.5) -> None:
        """Let a venue tell a price that was made so long ago."""
        self._answers[venue] = (price, ago_s)

    def fail(self, venue: str, error: BaseException) -> None:
        """Let a venue fail."""
        self._answers[venue] = error

    async def until_asked(self, times: int) -> None:
        """Wait until so many questions came in all."""
        while len(self.asked) < times:
            self._heard.clear()
            await self._heard.wait()

    async def fetch(self, venue: str, asset: str) -> RestPrice:
        self.asked.append((venue, asset))
        self._heard.set()
        await asyncio.sleep(0)
        if self.held is not None:
            await self.held.wait()
        unlisted: BeastError = NotListed(venue=venue, asset=asset)
        match self._answers.get(venue, unlisted):
            case (price, ago_s):
                return RestPrice(price, self._clock.now_ns() - round(ago_s * 1e9))
            case error:
                raise error
