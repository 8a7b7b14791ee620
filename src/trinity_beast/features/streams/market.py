"""What happens on the board, as events on the tape.

One look serves all clients of the process: only assets that somebody follows are looked
at, and an event is made once however many are to be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from trinity_beast.features.board import Quote
from trinity_beast.features.prices import (
    TENTH_NS,
    Freshness,
    LpoParts,
    Price,
    PriceUnavailable,
    UnknownAsset,
    age_of,
    freshness_of,
    price_fields,
)
from trinity_beast.features.streams.model import Tape
from trinity_beast.kernel.errors import BeastError


class _Followed:
    """An asset that somebody follows, or followed."""

    __slots__ = ("_fields", "_of", "error", "followers", "is_live", "quote")

    def __init__(self) -> None:
        self.followers = 0
        self.quote: Quote | None = None
        self.is_live = False
        self.error: BeastError | None = None
        self._of: tuple[Quote, int] | None = None
        self._fields = b""

    def fields(self, quote: Quote, now_ns: int) -> bytes:
        """Return the fields of its price, rendered anew ten times a second at most."""
        age_ns = age_of(quote, now_ns)
        of = quote, age_ns // TENTH_NS
        if of != self._of:
            self._of = of
            self._fields = price_fields(Price(quote, age_ns, 0))
        return self._fields


class Market:
    """Looks at the followed assets and keeps the tape."""

    def __init__(self, parts: LpoParts, tape: Tape) -> None:
        self._parts = parts
        self._tape = tape
        # Assets stay when nobody follows them any more: they are those of the
        # catalogue, and whoever comes back is told what changed meanwhile.
        self._known: dict[str, _Followed] = {}
        self._followed: dict[str, _Followed] = {}

    def serves(self, asset: str) -> bool:
        """Tell whether there is such an asset."""
        return self._parts.catalogue.snapshot.exchange_of(asset) is not None

    def follow(self, assets: Iterable[str]) -> None:
        """Look at these assets from now on; their events are up to date at once."""
        freshness = freshness_of(self._parts.parameters)
        now_ns = self._parts.clock.now_ns()
        for asset in assets:
            followed = self._followed.get(asset)
            is_new = followed is None
            if followed is None:
                followed = self._known.setdefault(asset, _Followed())
                self._followed[asset] = followed
            followed.followers += 1
            quote = self._parts.board.quote(asset)
            if is_new or _is_news(quote, followed.quote):
                self._judge(asset, followed, quote, freshness, now_ns)

    def unfollow(self, assets: Iterable[str]) -> None:
        """Undo one ``follow`` of each of these assets."""
        for asset in assets:
            followed = self._followed[asset]
            followed.followers -= 1
            if not followed.followers:
                del self._followed[asset]

    def look(self, *, closely: bool) -> None:
        """Put on the tape what changed since the last look.

        Args:
            closely: Look also for prices that nothing happened to, but that may not be
                served any more, or may be again.
        """
        freshness = freshness_of(self._parts.parameters)
        now_ns = self._parts.clock.now_ns()
        quote_of = self._parts.board.quote
        for asset, followed in self._followed.items():
            quote = quote_of(asset)
            if closely or _is_news(quote, followed.quote):
                self._judge(asset, followed, quote, freshness, now_ns)

    def told_of(self, assets: Sequence[str]) -> list[bytes]:
        """Return how these assets stand, as of the last look, in the order asked.

        Each is a JSON object, as in the answer to a batch.
        """
        now_ns = self._parts.clock.now_ns()
        return [self._told_of(asset, now_ns) for asset in assets]

    def _told_of(self, asset: str, now_ns: int) -> bytes:
        followed = self._followed.get(asset)
        if followed is None:
            return _refusal(asset, UnknownAsset(asset=asset))
        if followed.quote is None or followed.error is not None:
            return _refusal(asset, followed.error or PriceUnavailable(asset=asset))
        return b"{" + followed.fields(followed.quote, now_ns) + b"}"

    def _judge(
        self,
        asset: str,
        followed: _Followed,
        quote: Quote | None,
        freshness: Freshness,
        now_ns: int,
    ) -> None:
        is_news = _is_news(quote, followed.quote)
        followed.quote = quote
        followed.error = self._why_not(asset, quote, freshness, now_ns)
        if quote is not None and followed.error is None:
            if is_news or not followed.is_live:
                data = b"{" + followed.fields(quote, now_ns) + b"}"
                self._tape.put("price", asset, data, now_ns)
            followed.is_live = True
        elif followed.is_live:
            error = followed.error or PriceUnavailable(asset=asset)
            self._tape.put("stale", asset, _refusal(asset, error), now_ns)
            followed.is_live = False

    def _why_not(
        self,
        asset: str,
        quote: Quote | None,
        freshness: Freshness,
        now_ns: int,
    ) -> BeastError | None:
        if not self.serves(asset):
            return UnknownAsset(asset=asset)
        if quote is None:
            return PriceUnavailable(asset=asset)
        heard_at_ns = self._parts.board.heard_at_ns(quote.source)
        if freshness.may_serve(quote, heard_at_ns, now_ns):
            return None
        return PriceUnavailable(asset=asset)


def _is_news(quote: Quote | None, known: Quote | None) -> bool:
    if quote is None or quote is known:
        return False
    return known is None or quote.sequence != known.sequence


def _refusal(asset: str, error: BeastError) -> bytes:
    told = {"code": error.code, "message": error.message}
    return msgspec.json.encode({"asset": asset, "error": told})
