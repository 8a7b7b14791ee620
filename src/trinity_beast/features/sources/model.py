"""Which prices of another source may be served; pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from trinity_beast.features.board import LATE_AFTER_NS, Quote, as_of_ns
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

OLDEST_TRADE_S: Final = 900
"""A venue's last trade before that says that its market is dead, not what it costs."""

_FACTOR: Final = 5.0
_REFERENCE_NS: Final = 24 * 3600 * NS_PER_S


class Wanted(NamedTuple):
    """A price that is looked for.

    Attributes:
        asset: Of what; one that the catalogue has.
        max_age_ms: Greatest age that the caller accepts.
        last_known: What memory has, too old to be served.
    """

    asset: str
    max_age_ms: int | None = None
    last_known: Quote | None = None


class Found(NamedTuple):
    """A price from another source than memory.

    Attributes:
        quote: The price.
        age_ns: Its age when it is served, in nanoseconds.
        cached: Whether it was not fetched for this answer.
        latency_ms: How long fetching it took.
    """

    quote: Quote
    age_ns: int
    cached: bool
    latency_ms: int


def quote_of(
    asset: str,
    price: str,
    source: str,
    *,
    traded_at_ns: int,
    received_at_ns: int,
) -> Quote:
    """Return a price that did not come by the board; its sequence is 0."""
    age_from_ns = as_of_ns(traded_at_ns, received_at_ns)
    return Quote(
        asset,
        price,
        source,
        traded_at_ns,
        received_at_ns,
        age_from_ns,
        snapshot=False,
        sequence=0,
    )


def age_of(quote: Quote, now_ns: int) -> int:
    """Return a price's age in nanoseconds, never below 0."""
    return max(0, now_ns - quote.as_of_ns)


def is_young(quote: Quote, now_ns: int, ttl_s: int) -> bool:
    """Tell whether a price's age is within the cache's, and not in the future.

    Clocks of nodes differ a little; a value further ahead would stay young for too
    long.
    """
    ahead_ns = quote.as_of_ns - now_ns
    return -ttl_s * NS_PER_S <= ahead_ns <= LATE_AFTER_NS


def fits(found: Found, wanted: Wanted) -> bool:
    """Tell whether a price is as young as the caller asks for."""
    limit_ms = wanted.max_age_ms
    return limit_ms is None or found.age_ns <= limit_ms * NS_PER_MS


def why_not(quote: Quote, last_known: Quote | None) -> str | None:
    """Return why a venue's answer is not to be believed, or None.

    Besides markets that died, it keeps out another coin of the same name: what memory
    knew within a day lies less than a factor of five away.  Floats are fit for this
    question and for no other about a price.
    """
    apart_ns = quote.received_at_ns - quote.traded_at_ns
    if apart_ns > OLDEST_TRADE_S * NS_PER_S:
        return "its last trade is too long ago"
    if apart_ns < -LATE_AFTER_NS:
        return "its last trade is in the future"
    if last_known is None or age_of(last_known, quote.received_at_ns) > _REFERENCE_NS:
        return None
    known, told = float(last_known.price), float(quote.price)
    if not known / _FACTOR <= told <= known * _FACTOR:
        return f"it is too far from {last_known.price}"
    return None
