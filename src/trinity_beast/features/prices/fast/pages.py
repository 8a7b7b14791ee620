"""Pages: answers with status 200 as far as they are the same for everybody.

Hot path: `bring_up`, budget 0.7 microseconds for one asset whose price did not change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from trinity_beast.features.prices.fast.texts import PriceText, PriceTexts

_BEFORE = b"content-length: %d\r\ncontent-type: application/json\r\nx-request-id: "
_AFTER = b"\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n\r\n"


class Page(ABC):
    """The answer about some assets in one format, between what each answer has new.

    Attributes:
        before: Headers from the length up to the request id.
        after: Headers from the request id on, and the body.
        price: What the usage record says of the price; None of several.
        source: What it says of the source; None of several.
        as_of_ns: What the age in it counts from; None of several.
    """

    __slots__ = ("_opening", "after", "as_of_ns", "before", "price", "source")

    def __init__(self, opening: bytes) -> None:
        """Make a page that is brought up before its first use.

        Args:
            opening: Body up to the plain fields.
        """
        self._opening = opening
        self.before = self.after = b""
        self.price: str | None = None
        self.source: str | None = None
        self.as_of_ns: int | None = None

    @abstractmethod
    def bring_up(self, now_ns: int) -> bool:
        """Make the page right for this instant; False if it cannot be."""

    def _set(self, fields: bytes) -> None:
        body = self._opening + fields + b"}"
        self.before = _BEFORE % len(body)
        self.after = _AFTER + body


class OnePrice(Page):
    """The answer about one asset."""

    __slots__ = ("_asset", "_quote", "_text", "_texts")

    def __init__(self, opening: bytes, texts: PriceTexts, asset: str) -> None:
        super().__init__(opening)
        self._texts = texts
        self._quote = texts.quote
        self._asset = asset
        self._text: PriceText | None = None

    def bring_up(self, now_ns: int) -> bool:
        """Make the page right for this instant; False without a price to serve."""
        text = self._text
        if (
            text is not None
            and text.from_ns <= now_ns < text.until_ns
            and text.quote is self._quote(self._asset)
        ):
            return True
        return self._take(self._texts.of(self._asset, now_ns))

    def _take(self, text: PriceText | None) -> bool:
        if text is None:
            return False
        if text is not self._text:
            self._text = text
            quote = text.quote
            self.price = quote.price
            self.source = quote.source
            self.as_of_ns = quote.as_of_ns
            self._set(text.fields)
        return True


class SomePrices(Page):
    """The answer about several assets, each of which has a price."""

    __slots__ = ("_assets", "_items", "_texts")

    def __init__(
        self,
        opening: bytes,
        texts: PriceTexts,
        assets: Sequence[str],
    ) -> None:
        super().__init__(opening)
        self._texts = texts
        self._assets = assets
        self._items: list[PriceText | None] = []

    def bring_up(self, now_ns: int) -> bool:
        """Make the page right for this instant; False if an asset has no price."""
        text_of = self._texts.of
        items = [text_of(asset, now_ns) for asset in self._assets]
        if items == self._items:
            return None not in items
        self._items = items
        texts = [item.fields for item in items if item is not None]
        if len(texts) < len(items):
            return False
        count = b'"count":%d,"prices":[{' % len(texts)
        self._set(count + b"},{".join(texts) + b"}]")
        return True
