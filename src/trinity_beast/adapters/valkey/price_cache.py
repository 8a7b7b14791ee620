"""The price cache in Valkey: ``price:{ASSET}``, a string of JSON with a time to live.

Source: the cache keys of the platform, ``price:{ASSET}``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import cast

from glide import Batch, ExpirySet, ExpiryType, GlideClient, GlideError

from trinity_beast.ports.price_cache import PriceCacheAway

_PREFIX = "price:"


class ValkeyPriceCache:
    """A ``PriceCache``; can be built while Valkey is away.

    Args:
        client: One whose time-out is short: a price request waits for it.
    """

    def __init__(self, client: GlideClient) -> None:
        self._client = client

    async def find(self, asset: str) -> bytes | None:
        """Return what stands there of an asset, or None.

        Raises:
            PriceCacheAway: Valkey did not answer.
        """
        with _asking():
            return await self._client.get(_PREFIX + asset)

    async def store(self, values: Mapping[str, bytes], ttl_s: int) -> None:
        """Write the values of several assets in one round trip.

        Raises:
            PriceCacheAway: Some may have been written.
        """
        if not values:
            return
        expiry = ExpirySet(ExpiryType.SEC, ttl_s)
        writes = Batch(is_atomic=False)
        for asset, value in values.items():
            writes.set(_PREFIX + asset, value, expiry=expiry)
        # GLIDE's own type of an answer refers to itself, which no checker resolves.
        run = cast("Callable[..., Awaitable[object]]", self._client.exec)
        with _asking():
            await run(writes, raise_on_error=True)


@contextmanager
def _asking() -> Generator[None]:
    try:
        yield
    except GlideError as error:
        raise PriceCacheAway(reason=str(error)) from error
