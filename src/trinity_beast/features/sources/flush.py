"""This node's prices on their way to the cache, where other nodes find them.

About once a second, and only what changed: the cost is bounded by the board's size and
not by the number of trades.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trinity_beast.features.board import BoardReader, Quote
from trinity_beast.features.sources.cached_price import encode
from trinity_beast.features.sources.model import is_young
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.price_cache import PriceCache, PriceCacheAway
from trinity_beast.toolkit.tolerating import tolerating

EVERY_S: Final = 1.0


class PriceFlush:
    """Writes the board's changed prices to the cache.

    Args:
        board: Where the prices stand.
        cache: Where they go.
        clock: The time.
        ttl_s: How long they may stay there, as operators have it now.
    """

    def __init__(
        self,
        board: BoardReader,
        cache: PriceCache,
        clock: Clock,
        ttl_s: Callable[[], int],
    ) -> None:
        self._board = board
        self._cache = cache
        self._clock = clock
        self._ttl_s = ttl_s
        self._flushed: dict[str, int] = {}

    async def run(self) -> None:
        """Flush for ever."""
        while True:
            with tolerating(PriceCacheAway, because="the next second writes it again"):
                await self.flush()
            await self._clock.sleep(EVERY_S)

    async def flush(self) -> int:
        """Write what changed since it was last written, in one go.

        A price that is too old to be taken is not written: it would only stand in the
        way of another node's.

        Returns:
            How many prices were written.

        Raises:
            PriceCacheAway: They count as not written.
        """
        now_ns, ttl_s = self._clock.now_ns(), self._ttl_s()
        changed = self._changed()
        young = [quote for quote in changed if is_young(quote, now_ns, ttl_s)]
        if young:
            values = {quote.asset: encode(quote) for quote in young}
            await self._cache.store(values, ttl_s)
        self._flushed.update((quote.asset, quote.sequence) for quote in changed)
        return len(young)

    def _changed(self) -> list[Quote]:
        quotes = (self._board.quote(asset) for asset in self._board.assets())
        return [
            quote
            for quote in quotes
            if quote is not None and self._flushed.get(quote.asset) != quote.sequence
        ]
