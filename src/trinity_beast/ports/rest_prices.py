"""REST prices: one question to one venue, for when an asset's feed is silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from trinity_beast.kernel.errors import NotFound, Unavailable


class RestVenueAway(Unavailable):
    """The venue could not be asked, or what it said is no price."""

    code = "rest_venue_away"
    template = "{venue} gave no price: {reason}."


class RestVenueBusy(RestVenueAway):
    """The venue asks us to come back later."""

    code = "rest_venue_busy"
    template = "{venue} wants to be asked less often: {reason}."


class NotListed(NotFound):
    """The venue does not trade this asset against US dollars."""

    code = "rest_not_listed"
    template = "{venue} does not list {asset}."


@dataclass(frozen=True, slots=True)
class RestPrice:
    """The last trade of an asset, as a venue told it.

    Attributes:
        price: Plain decimal digits, as ``kernel.price_text`` passes them.
        traded_at_ns: The venue's trade time.
    """

    price: str
    traded_at_ns: int


@dataclass(frozen=True, slots=True)
class RestVenue:
    """A venue that can be asked.

    Attributes:
        name: Such as ``gemini``; the source of its prices is ``gemini-rest``.
        requests_per_s: How often one address may ask it for long.
        burst: How many questions it takes at once.
    """

    name: str
    requests_per_s: float
    burst: int


class RestPrices(Protocol):
    """Asks venues for the last trade of an asset."""

    @property
    def venues(self) -> Sequence[RestVenue]:
        """The venues, the one to be asked first at the front."""
        ...

    async def fetch(self, venue: str, asset: str) -> RestPrice:
        """Return a venue's last trade of an asset, within 2 seconds.

        Raises:
            NotListed: It does not trade the asset.
            RestVenueBusy: It wants to be left alone for a while.
            RestVenueAway: It failed in any other way.
        """
        ...
