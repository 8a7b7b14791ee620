"""The price cache: newest prices that nodes share, each kept for a short time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from trinity_beast.kernel.errors import Unavailable


class PriceCacheAway(Unavailable):
    """The cache did not answer; prices go on without it."""

    code = "price_cache_away"
    template = "The price cache cannot be reached."


class PriceCache(Protocol):
    """Bytes by asset; who wrote them last has the say."""

    async def find(self, asset: str) -> bytes | None:
        """Return what stands there of an asset, or None.

        Raises:
            PriceCacheAway: The cache did not answer.
        """
        ...

    async def store(self, values: Mapping[str, bytes], ttl_s: int) -> None:
        """Write the values of several assets at once, each for ``ttl_s`` seconds.

        Raises:
            PriceCacheAway: Some may have been written; writing again is not an error.
        """
        ...
