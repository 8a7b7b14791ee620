"""Prices as they read, rendered at most once per change and tenth of a second.

Hot path: `PriceTexts.of`, budget 0.6 microseconds for a price that did not change.
"""

from __future__ import annotations

from trinity_beast.features.board import Quote
from trinity_beast.features.prices.model import (
    TENTH_NS,
    Freshness,
    Price,
    age_of,
    price_fields,
)
from trinity_beast.features.prices.parts import LpoParts
from trinity_beast.features.prices.status import freshness_of
from trinity_beast.kernel.time import NS_PER_S

_NEVER_NS = -(1 << 63)


class PriceText:
    """The plain fields of a price, and for which instants they are right.

    Attributes:
        quote: The price.
        fields: As `price_fields` renders them, with a duration of 0 ms.
        from_ns: First instant for which they are right.
        until_ns: First instant for which they are not: the age reads differently, or
            the price may not be served any more.
    """

    __slots__ = ("fields", "from_ns", "quote", "until_ns")

    def __init__(self, quote: Quote, now_ns: int, last_ns: int) -> None:
        age_ns = age_of(quote, now_ns)
        begun_ns = quote.as_of_ns + age_ns // TENTH_NS * TENTH_NS
        self.quote = quote
        self.fields = price_fields(Price(quote, age_ns, 0))
        # Before its time a price is 0.0 seconds old, however long before.
        self.from_ns = begun_ns if begun_ns > quote.as_of_ns else _NEVER_NS
        self.until_ns = min(begun_ns + TENTH_NS, last_ns + 1)


class PriceTexts:
    """Keeps the newest text of each asset's price.

    Args:
        parts: Catalogue, board and parameters are used; their changes count at once.

    Attributes:
        quote: The board's.
    """

    def __init__(self, parts: LpoParts) -> None:
        self._catalogue = parts.catalogue
        self._board = parts.board
        self.quote = parts.board.quote
        self._parameters = parts.parameters
        self._texts: dict[str, PriceText] = {}
        parts.catalogue.subscribe(lambda _: self._forget())
        parts.parameters.subscribe(self._forget)

    def of(self, asset: str, now_ns: int) -> PriceText | None:
        """Return the text of a price that may be served; the same object while it is.

        Returns:
            None when there is no such asset, no price of it, or none that is fresh.
        """
        quote = self.quote(asset)
        text = self._texts.get(asset)
        if (
            text is not None
            and text.quote is quote
            and text.from_ns <= now_ns < text.until_ns
        ):
            return text
        return self._render(asset, quote, now_ns)

    def _forget(self) -> None:
        for text in self._texts.values():
            # Pages hold on to their text and look at nothing else.
            text.until_ns = text.from_ns
        self._texts.clear()

    def _render(
        self,
        asset: str,
        quote: Quote | None,
        now_ns: int,
    ) -> PriceText | None:
        if quote is None or self._catalogue.snapshot.exchange_of(asset) is None:
            return None
        freshness = freshness_of(self._parameters)
        heard_at_ns = self._board.heard_at_ns(quote.source)
        if not freshness.may_serve(quote, heard_at_ns, now_ns):
            return None
        last_ns = _last_ns(freshness, quote, heard_at_ns)
        text = self._texts[asset] = PriceText(quote, now_ns, last_ns)
        return text


def _last_ns(freshness: Freshness, quote: Quote, heard_at_ns: int) -> int:
    """Return the last instant at which a price may be served, as things are now."""
    return max(
        heard_at_ns + freshness.silence_s * NS_PER_S,
        quote.as_of_ns + freshness.cache_ttl_s * NS_PER_S,
    )
