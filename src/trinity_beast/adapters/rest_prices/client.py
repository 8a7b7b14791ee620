"""`ports.rest_prices` over one httpx client."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Final

import httpx

from trinity_beast.adapters.rest_prices.dialects import DIALECTS, Dialect, trade_in
from trinity_beast.ports.rest_prices import (
    NotListed,
    RestPrice,
    RestVenue,
    RestVenueAway,
)

LIVE_URLS: Final[Mapping[str, str]] = {
    "gemini": "https://api.gemini.com",
    "coinbase": "https://api.exchange.coinbase.com",
    "kraken": "https://api.kraken.com",
}
"""Where the venues are, by name."""

WITHIN_S: Final = 2.0
"""How long a question may take, connecting and the last byte of the body included."""

MOST_BODY_BYTES: Final = 64 * 1024
"""An answer about one trade has about 200."""

_CONNECTIONS: Final = httpx.Limits(max_connections=32, max_keepalive_connections=8)
_ASSET: Final = re.compile(r"[A-Z0-9]{1,20}")
_HEADERS: Final = {
    "Accept": "application/json",
    # What is not packed cannot unpack to more than the limit.
    "Accept-Encoding": "identity",
    "User-Agent": "trinity-beast",
}


class HttpRestPrices:
    """Asks venues over HTTP; follows no redirect, uses no proxy of the environment.

    Args:
        urls: Where each venue is, by name; one that is left out is not asked.
        within_s: How long a question may take.
    """

    def __init__(
        self,
        urls: Mapping[str, str] = LIVE_URLS,
        *,
        within_s: float = WITHIN_S,
    ) -> None:
        self._urls = dict(urls)
        self._within_s = within_s
        self._dialects = {
            dialect.venue.name: dialect
            for dialect in DIALECTS
            if dialect.venue.name in urls
        }
        self._client = httpx.AsyncClient(
            headers=_HEADERS,
            timeout=within_s,
            limits=_CONNECTIONS,
            follow_redirects=False,
            trust_env=False,
        )

    @property
    def venues(self) -> Sequence[RestVenue]:
        """The venues in the order of being asked."""
        return [dialect.venue for dialect in self._dialects.values()]

    async def fetch(self, venue: str, asset: str) -> RestPrice:
        """Return a venue's last trade of an asset.

        Raises:
            NotListed: It does not trade the asset.
            RestVenueBusy: It wants to be left alone for a while.
            RestVenueAway: It failed in any other way.
        """
        dialect = self._dialects[venue]
        if _ASSET.fullmatch(asset) is None:
            raise NotListed(venue=venue, asset=asset)
        try:
            async with asyncio.timeout(self._within_s):
                status, body = await self._ask(dialect, asset)
        except TimeoutError as error:
            reason = f"no answer within {self._within_s:g} s"
            raise RestVenueAway(venue=venue, reason=reason) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = f"{type(error).__name__}"
            raise RestVenueAway(venue=venue, reason=reason) from error
        return trade_in(dialect, asset, status, body)

    async def aclose(self) -> None:
        """Hang up; closing twice is not an error."""
        await self._client.aclose()

    async def _ask(self, dialect: Dialect, asset: str) -> tuple[int, bytes]:
        name = dialect.venue.name
        url = self._urls[name] + dialect.path_of(asset)
        async with self._client.stream("GET", url) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise RestVenueAway(venue=name, reason="its answer is packed")
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > MOST_BODY_BYTES:
                    raise RestVenueAway(venue=name, reason="its answer is too long")
            return response.status_code, bytes(body)
