"""Prepared answers: each is written once for a new price or a tenth of a second of age.

Hot path: ``PreparedPrice.bring_up_to_date``, measured in bench/udp.py; budget 1
microsecond a batch of datagrams for each asset that is asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

import msgspec

from trinity_beast.features.board import BoardReader, Quote
from trinity_beast.features.catalogue import Catalogue, CatalogueSnapshot
from trinity_beast.features.parameters import Parameters
from trinity_beast.features.prices.errors import (
    PriceUnavailable,
    TooManyAssets,
    UnknownAsset,
)
from trinity_beast.features.prices.model import (
    Freshness,
    Price,
    age_of,
    is_asset_name,
    price_fields,
)
from trinity_beast.features.prices.status import freshness_of
from trinity_beast.features.prices.udp_wire import MOST_BYTES
from trinity_beast.kernel.errors import BeastError
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

ONE = "udp-price"
MANY = "udp-multi-price"

ENDPOINT = "udp"
"""What a key's history of decisions calls a datagram."""

_TENTH_NS = NS_PER_S // 10
_ZEROS = b',"latency_ms":0,"duration_ms":0'
"""What a price from memory ends with; a batch that would be too long goes without."""

_MOST_KEPT = 4_096


class Prepared(Protocol):
    """An answer that is kept up to date.

    Attributes:
        body: The answer, if there is no error.
        error: Why there is none.
        is_batch: It is a list.
        query_type: What usage records call the question.
        asset: What usage records say was asked for; None when nothing was named.
        price: The price of a single asset.
        source: Where it came from.
        cached: True when there is a price in it.
        age_ms: How old a single price is.
        has_gaps: A price of it is not in memory, and may be elsewhere.
    """

    body: bytes
    error: BeastError | None
    is_batch: bool
    query_type: str
    asset: str | None
    price: str | None
    source: str | None
    cached: bool | None
    age_ms: int | None

    @property
    def has_gaps(self) -> bool: ...  # noqa: D102 - described above

    def bring_up_to_date(self, moment: Moment) -> None:
        """Say what is true at a moment; asking twice for one moment costs nothing."""
        ...


class Moment:
    """An instant at which answers are given, and what they go by.

    Attributes:
        board: The prices.
        snapshot: Which assets there are.
        freshness: Which prices may be served.
        young_since_ns: Prices that came since then are served in any case.
        now_ns: The wall clock.
    """

    __slots__ = ("board", "freshness", "now_ns", "snapshot", "young_since_ns")

    def __init__(
        self,
        board: BoardReader,
        snapshot: CatalogueSnapshot,
        freshness: Freshness,
        now_ns: int,
    ) -> None:
        self.board = board
        self.snapshot = snapshot
        self.freshness = freshness
        self.young_since_ns = now_ns - freshness.cache_ttl_s * NS_PER_S
        self.now_ns = now_ns

    def may_serve(self, quote: Quote) -> bool:
        """Tell whether a price may be served; its feed is asked only if it matters."""
        if quote.as_of_ns >= self.young_since_ns:
            return True
        heard_at_ns = self.board.heard_at_ns(quote.source)
        return self.freshness.is_heard(heard_at_ns, self.now_ns)


class PreparedPrice:
    """The answer about one asset."""

    __slots__ = (
        "_as_of",
        "_from_ns",
        "_is_served",
        "_quote",
        "_snapshot",
        "_until_ns",
        "age_ms",
        "asset",
        "body",
        "cached",
        "error",
        "item",
        "name",
        "price",
        "source",
    )

    is_batch = False
    query_type = ONE

    def __init__(self, name: str) -> None:
        self.name = name
        self.asset = name if is_asset_name(name) else None
        self.body = self.item = b""
        self.error: BeastError | None = None
        self.price: str | None = None
        self.source: str | None = None
        self.cached: bool | None = None
        self.age_ms: int | None = None
        self._snapshot: CatalogueSnapshot | None = None
        self._is_served = False
        self._quote: Quote | None = None
        self._from_ns = self._until_ns = 0
        self._as_of: Moment | None = None

    @property
    def has_gaps(self) -> bool:
        """Tell whether there is no price in memory of an asset that is served."""
        return isinstance(self.error, PriceUnavailable)

    def bring_up_to_date(self, moment: Moment) -> None:
        """Say what is true at a moment; asking twice for one moment costs nothing."""
        if self._as_of is moment:
            return
        self._as_of = moment
        if moment.snapshot is not self._snapshot:
            self._snapshot = moment.snapshot
            self._is_served = moment.snapshot.exchange_of(self.name) is not None
        if not self._is_served:
            self._refuse(UnknownAsset(asset=self.name))
            return
        now_ns = moment.now_ns
        quote = moment.board.quote(self.name)
        if quote is None or not moment.may_serve(quote):
            self._refuse(PriceUnavailable(asset=self.name))
            return
        age_ns = age_of(quote, now_ns)
        self.age_ms = age_ns // NS_PER_MS
        if quote is not self._quote or not self._from_ns <= now_ns < self._until_ns:
            self._write(quote, age_ns, now_ns)

    def _write(self, quote: Quote, age_ns: int, now_ns: int) -> None:
        self.body = self.item = b"{" + price_fields(Price(quote, age_ns, 0)) + b"}"
        self.error = None
        self.price, self.source, self.cached = quote.price, quote.source, True
        self._quote = quote
        self._from_ns = now_ns
        self._until_ns = now_ns + _TENTH_NS - age_ns % _TENTH_NS

    def _refuse(self, error: BeastError) -> None:
        if self.error is not None and type(self.error) is type(error):
            return
        told = {"code": error.code, "message": error.message}
        self.item = msgspec.json.encode({"asset": self.name, "error": told})
        self.body, self.error = b"", error
        self.price = self.source = self.cached = self.age_ms = None
        self._quote = None


class PreparedPrices:
    """The answer about several assets, in the order asked."""

    __slots__ = ("_as_of", "_items", "_parts", "asset", "body", "cached", "error")

    is_batch = True
    query_type = MANY
    price: str | None = None
    source: str | None = None
    age_ms: int | None = None

    def __init__(self, parts: tuple[PreparedPrice, ...]) -> None:
        self._parts = parts
        self._items: list[bytes] = []
        self._as_of: Moment | None = None
        self.asset = ",".join(part.asset for part in parts if part.asset) or None
        self.body = b""
        self.error: BeastError | None = None
        self.cached: bool | None = None

    @property
    def has_gaps(self) -> bool:
        """Tell whether a price of it is not in memory."""
        return any(part.has_gaps for part in self._parts)

    def bring_up_to_date(self, moment: Moment) -> None:
        """Say what is true at a moment; asking twice for one moment costs nothing."""
        if self._as_of is moment:
            return
        self._as_of = moment
        for part in self._parts:
            part.bring_up_to_date(moment)
        items = [part.item for part in self._parts]
        if items != self._items:
            self._write(items)

    def _write(self, items: list[bytes]) -> None:
        self._items = items
        self.cached = True if any(part.cached for part in self._parts) else None
        self.body = _list_of(items)
        if len(self.body) > MOST_BYTES:
            self.body = _list_of([item.replace(_ZEROS + b"}", b"}") for item in items])
        fits = len(self.body) <= MOST_BYTES
        self.error = None if fits else TooManyAssets(most=len(items) - 1)


class PreparedAnswers:
    """The answers about all that is asked for; of single assets there is one each.

    Args:
        board: The prices.
        catalogue: Which assets there are.
        parameters: For which prices may be served.
    """

    def __init__(
        self,
        board: BoardReader,
        catalogue: Catalogue,
        parameters: Parameters,
    ) -> None:
        self._board = board
        self._catalogue = catalogue
        self._parameters = parameters
        self._freshness = freshness_of(parameters)
        self._ones: OrderedDict[str, PreparedPrice] = OrderedDict()
        self._lists: OrderedDict[tuple[str, ...], PreparedPrices] = OrderedDict()

    def moment(self, now_ns: int) -> Moment:
        """Return what answers go by at an instant."""
        return Moment(
            self._board,
            self._catalogue.snapshot,
            self._freshness,
            now_ns,
        )

    def follow_parameters(self) -> None:
        """Take over what operators changed."""
        self._freshness = freshness_of(self._parameters)

    def of(self, assets: tuple[str, ...], *, is_batch: bool) -> Prepared:
        """Return the answer about assets, to be brought up to date before use."""
        if not is_batch:
            return self._one(assets[0])
        prepared = self._lists.get(assets)
        if prepared is None:
            prepared = PreparedPrices(tuple(map(self._one, assets)))
            self._lists[assets] = prepared
            if len(self._lists) > _MOST_KEPT:
                self._lists.popitem(last=False)
        return prepared

    def _one(self, name: str) -> PreparedPrice:
        prepared = self._ones.get(name)
        if prepared is None:
            prepared = self._ones[name] = PreparedPrice(name)
            if len(self._ones) > _MOST_KEPT:
                self._ones.popitem(last=False)
        return prepared


def _list_of(items: list[bytes]) -> bytes:
    return b'{"prices":[' + b",".join(items) + b"]}"
