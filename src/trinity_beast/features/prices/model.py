"""What a price answer is: which prices may be served, and how they read.

Bodies are put together by hand, because a price must keep the digits that the exchange
wrote: through a JSON library's float, ``0.10`` would come out as ``0.1``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from trinity_beast.features.board import Quote
from trinity_beast.features.prices.errors import (
    AssetMissing,
    PriceStale,
    PriceUnavailable,
    TooManyAssets,
)
from trinity_beast.kernel.errors import BeastError
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S, rfc3339_ms

MOST_ASSETS = 30
"""Different assets that a batch may name."""

MOST_ENTRIES = 200
"""Entries that a batch may have before repeated ones are dropped."""

MOST_AGE_MS = 10**12

_ASSET = re.compile(r"[A-Za-z0-9]{1,20}")
_ASSET_CHARACTERS = 20
_JSON_FLAGS = ("false", "true")

TENTH_NS = NS_PER_S // 10
"""What ages are told in: tenths of a second, cut off."""

Form = Literal["tbc", "plain"]
"""The two body formats: with the envelope, or the plain fields alone."""

LiveState = Literal["live", "snapshot", "silent", "none"]


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a price may be served.

    Attributes:
        cache_ttl_s: Age up to which a price is served whatever became of its feed.
        silence_s: How long a feed may say nothing and still be alive.
    """

    cache_ttl_s: int
    silence_s: int

    def is_heard(self, heard_at_ns: int, now_ns: int) -> bool:
        """Tell whether a feed that was last heard then is alive."""
        return now_ns - heard_at_ns <= self.silence_s * NS_PER_S

    def may_serve(self, quote: Quote, heard_at_ns: int, now_ns: int) -> bool:
        """Tell whether a price's feed is alive, or the price young enough without."""
        if self.is_heard(heard_at_ns, now_ns):
            return True
        return age_of(quote, now_ns) <= self.cache_ttl_s * NS_PER_S

    def check(
        self,
        quote: Quote,
        heard_at_ns: int,
        now_ns: int,
        max_age_ms: int | None = None,
    ) -> None:
        """Refuse a price that must not be served.

        Args:
            quote: The price.
            heard_at_ns: When its feed last said anything; 0 is never.
            now_ns: The present.
            max_age_ms: The greatest age that the caller accepts.

        Raises:
            PriceUnavailable: Its feed is silent, and the price is old.
            PriceStale: It is served, but older than the caller accepts.
        """
        if not self.may_serve(quote, heard_at_ns, now_ns):
            raise PriceUnavailable(asset=quote.asset)
        if max_age_ms is not None and age_of(quote, now_ns) > max_age_ms * NS_PER_MS:
            raise PriceStale(asset=quote.asset, max_age_ms=max_age_ms)

    def state_of(self, quote: Quote | None, heard_at_ns: int, now_ns: int) -> LiveState:
        """Return what an operator wants to know of an asset's price."""
        if quote is None:
            return "none"
        if not self.is_heard(heard_at_ns, now_ns):
            return "silent"
        return "snapshot" if quote.snapshot else "live"


def age_of(quote: Quote, now_ns: int) -> int:
    """Return a price's age in nanoseconds: since it came here, never below 0."""
    return max(0, now_ns - quote.as_of_ns)


def asset_named(text: str) -> str:
    """Return the asset that a caller means: in upper case.

    What cannot be an asset's name comes back cut to what can be shown, and is then
    simply not found.
    """
    trimmed = text.strip(" ")
    if _ASSET.fullmatch(trimmed):
        return trimmed.upper()
    return trimmed[:_ASSET_CHARACTERS].encode("ascii", "backslashreplace").decode()


def is_asset_name(text: str) -> bool:
    """Tell whether an asset could be called like this."""
    return _ASSET.fullmatch(text) is not None


def assets_named(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the assets that a batch asks for: each once, in the order asked.

    Raises:
        AssetMissing: There are none.
        TooManyAssets: There are more than `MOST_ASSETS`, or absurdly many repeats.
    """
    if not texts:
        raise AssetMissing
    if len(texts) > MOST_ENTRIES:
        raise TooManyAssets(most=MOST_ASSETS)
    assets = tuple(dict.fromkeys(asset_named(text) for text in texts))
    if len(assets) > MOST_ASSETS:
        raise TooManyAssets(most=MOST_ASSETS)
    return assets


class Price(NamedTuple):
    """A price that is served: everything its answer says."""

    quote: Quote
    age_ns: int
    duration_ms: int
    cached: bool = True
    latency_ms: int = 0


class Refusal(NamedTuple):
    """Why one asset of a batch has no price."""

    asset: str
    error: BeastError


Item = Price | Refusal


def price_fields(price: Price) -> bytes:
    """Return the plain fields of a price, without the braces around them."""
    quote = price.quote
    source = msgspec.json.encode(quote.source).decode()
    tenths = price.age_ns // TENTH_NS
    return (
        f'"asset":"{quote.asset}","price":{quote.price},'
        f'"timestamp":"{rfc3339_ms(quote.traded_at_ns)}","source":{source},'
        f'"cached":{_JSON_FLAGS[price.cached]},'
        f'"cache_age_seconds":{tenths // 10}.{tenths % 10},'
        f'"latency_ms":{price.latency_ms},"duration_ms":{price.duration_ms}'
    ).encode()


def batch_fields(items: Iterable[Item]) -> bytes:
    """Return the plain fields of a batch, without the braces around them."""
    rendered = [_item(item) for item in items]
    count = str(len(rendered)).encode("ascii")
    return b'"count":' + count + b',"prices":[' + b",".join(rendered) + b"]"


def _item(item: Item) -> bytes:
    if isinstance(item, Price):
        return b"{" + price_fields(item) + b"}"
    error = {"code": item.error.code, "message": item.error.message}
    return msgspec.json.encode({"asset": item.asset, "error": error})


def percentile(sorted_values: Sequence[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of values in order, or None of nothing."""
    if not sorted_values:
        return None
    rank = -(-percent * len(sorted_values) // 100)
    return sorted_values[max(rank, 1) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequest:
    """A request for prices as a listener understood it, whatever its transport.

    Attributes:
        secret: The key as it was sent; empty when there was none.
        endpoint: Path of the route, for the tbc envelope.
        query_type: What the usage record calls it.
        ip: The client's address.
        request_id: What the log calls it.
        assets: What is asked for; one, unless it is a batch.
        is_batch: The answer is a list, and an asset's error stands inside of it.
        form: Body format instead of the key's own.
        max_age_ms: Greatest age that is accepted.
        fault: What is wrong with the request; it is told once the key is known to be
            good, so that only key holders learn about our rules, in their own format.
    """

    secret: str
    endpoint: str
    query_type: str
    ip: str
    request_id: str
    assets: tuple[str, ...] = ()
    is_batch: bool = False
    form: Form | None = None
    max_age_ms: int | None = None
    fault: BeastError | None = None
