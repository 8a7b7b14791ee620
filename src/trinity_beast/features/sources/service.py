"""Looking for a price in one source after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import structlog

from trinity_beast.features.board import Quote
from trinity_beast.features.sources.breaker import Breaker
from trinity_beast.features.sources.cached_price import decode, encode
from trinity_beast.features.sources.coalescing import Coalescing
from trinity_beast.features.sources.errors import NoSource, OnlyOlder
from trinity_beast.features.sources.model import (
    Found,
    Wanted,
    age_of,
    fits,
    is_young,
    quote_of,
    why_not,
)
from trinity_beast.features.sources.venue import Venue
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.price_cache import PriceCache, PriceCacheAway
from trinity_beast.ports.rest_prices import (
    NotListed,
    RestPrices,
    RestVenueAway,
    RestVenueBusy,
)
from trinity_beast.toolkit.tolerating import tolerating

_log = structlog.get_logger("sources")

WITHIN_S: Final = 2.5
"""How long a request waits for all sources together."""

NOTHING_S: Final = 1.0
"""How long it is remembered that no source has an asset."""

_CACHE_PAUSE_S: Final = 1.0
_LONGEST_CACHE_PAUSE_S: Final = 5.0

_Look = Callable[[Wanted], Coroutine[Any, Any, Found | None]]


class _Fetched(NamedTuple):
    quote: Quote
    latency_ms: int


class Sources:
    """Finds prices that memory does not have, or has too old; one for each process.

    Args:
        cache: What nodes share; None when there is none.
        rest: The venues to ask; None when there are none.
        clock: The time.
        ttl_s: Age up to which a cached price is served, as operators have it now.
        within_s: How long a request waits for all sources together.
    """

    def __init__(
        self,
        cache: PriceCache | None,
        rest: RestPrices | None,
        clock: Clock,
        *,
        ttl_s: Callable[[], int],
        within_s: float = WITHIN_S,
    ) -> None:
        self._cache = cache
        self._rest = rest
        self._clock = clock
        self._ttl_s = ttl_s
        self._within_s = within_s
        self._venues = [Venue(venue) for venue in rest.venues] if rest else []
        self._fetched: dict[str, Quote] = {}
        self._nothing_until_ns: dict[str, int] = {}
        self._reads = Coalescing[str, _Fetched | None]()
        self._fetches = Coalescing[tuple[str, str], _Fetched | None]()
        self._writes: set[asyncio.Task[None]] = set()
        self._cache_breaker = Breaker(
            failures=1,
            first_pause_s=_CACHE_PAUSE_S,
            longest_pause_s=_LONGEST_CACHE_PAUSE_S,
        )
        at_venues = [partial(self._at_venue, venue) for venue in self._venues]
        self._tiers: list[_Look] = [self._in_process, self._in_cache, *at_venues]

    async def find(self, wanted: Wanted) -> Found:
        """Return a price of the first source that has one that may be served.

        It may be cancelled at any time; what is on its way goes on for the others.

        Raises:
            OnlyOlder: There are only prices that are older than wanted.
            NoSource: There is none, or none came in time.
        """
        asset = wanted.asset
        if self._clock.monotonic_ns() < self._nothing_until_ns.get(asset, 0):
            raise NoSource(asset=asset)
        try:
            async with asyncio.timeout(self._within_s):
                return await self._first(wanted)
        except TimeoutError as error:
            raise NoSource(asset=asset) from error

    def report(self) -> Mapping[str, object]:
        """Return the health of the venues and of the cache, for the status."""
        return {
            "cache": None if self._cache is None else self._cache_breaker.state,
            "rest": {venue.name: venue.report() for venue in self._venues},
        }

    async def close(self) -> None:
        """Stop what is on its way; who waits for it is cancelled."""
        await self._fetches.close()
        await self._reads.close()
        await asyncio.gather(*self._writes, return_exceptions=True)

    async def _first(self, wanted: Wanted) -> Found:
        is_any_older = False
        for look in self._tiers:
            found = await look(wanted)
            if found is None:
                continue
            if fits(found, wanted):
                return found
            is_any_older = True
        if is_any_older:
            raise OnlyOlder(asset=wanted.asset, max_age_ms=wanted.max_age_ms)
        until_ns = self._clock.monotonic_ns() + round(NOTHING_S * NS_PER_S)
        self._nothing_until_ns[wanted.asset] = until_ns
        raise NoSource(asset=wanted.asset)

    async def _in_process(self, wanted: Wanted) -> Found | None:
        """Return what a venue told this process within the cache's time."""
        quote = self._fetched.get(wanted.asset)
        if quote is None:
            return None
        now_ns = self._clock.now_ns()
        if now_ns - quote.received_at_ns > self._ttl_s() * NS_PER_S:
            self._fetched.pop(wanted.asset, None)
            return None
        return Found(quote, age_of(quote, now_ns), cached=True, latency_ms=0)

    async def _in_cache(self, wanted: Wanted) -> Found | None:
        """Return what any node knows."""
        asset, cache = wanted.asset, self._cache
        if cache is None:
            return None
        read = await self._reads.run(asset, partial(self._read, cache, asset))
        now_ns = self._clock.now_ns()
        if read is None or not is_young(read.quote, now_ns, self._ttl_s()):
            return None
        age_ns = age_of(read.quote, now_ns)
        return Found(read.quote, age_ns, cached=True, latency_ms=read.latency_ms)

    async def _read(self, cache: PriceCache, asset: str) -> _Fetched | None:
        started_ns = self._clock.monotonic_ns()
        if not self._cache_breaker.may_ask(started_ns):
            return None
        try:
            raw = await cache.find(asset)
        except PriceCacheAway as error:
            self._cache_breaker.failed(self._clock.monotonic_ns())
            _log.debug("the price cache is away", reason=error.context.get("reason"))
            return None
        self._cache_breaker.succeeded()
        quote = None if raw is None else decode(raw, asset)
        return None if quote is None else _Fetched(quote, self._ms_since(started_ns))

    async def _at_venue(self, venue: Venue, wanted: Wanted) -> Found | None:
        """Ask a venue, or wait for the answer to who asks already."""
        if not venue.may_ask_for(wanted.asset, self._clock.monotonic_ns()):
            return None
        fetch = partial(self._fetch, venue, wanted)
        fetched = await self._fetches.run((venue.name, wanted.asset), fetch)
        if fetched is None:
            return None
        quote = fetched.quote
        age_ns = age_of(quote, quote.received_at_ns)
        return Found(quote, age_ns, cached=False, latency_ms=fetched.latency_ms)

    async def _fetch(self, venue: Venue, wanted: Wanted) -> _Fetched | None:
        asset = wanted.asset
        async with venue.slots:
            # Not before: while it waited for its slot, the venue may have failed.
            started_ns = self._clock.monotonic_ns()
            if self._rest is None or not venue.may_ask(started_ns):
                return None
            try:
                told = await self._rest.fetch(venue.name, asset)
            except NotListed:
                venue.refused(asset, self._clock.monotonic_ns())
                return None
            except RestVenueAway as error:
                is_busy = isinstance(error, RestVenueBusy)
                now_ns = self._clock.monotonic_ns()
                venue.failed(asset, now_ns, error.message, is_busy=is_busy)
                return None
        quote = quote_of(
            asset,
            told.price,
            venue.source,
            traded_at_ns=told.traded_at_ns,
            received_at_ns=self._clock.now_ns(),
        )
        return self._believed(venue, wanted, quote, self._ms_since(started_ns))

    def _believed(
        self,
        venue: Venue,
        wanted: Wanted,
        quote: Quote,
        latency_ms: int,
    ) -> _Fetched | None:
        now_ns = self._clock.monotonic_ns()
        doubt = why_not(quote, wanted.last_known)
        if doubt is not None:
            venue.doubted(quote.asset, now_ns, doubt)
            _log.warning("a price is not believed", source=quote.source, reason=doubt)
            return None
        venue.answered(quote.asset, now_ns, latency_ms)
        self._fetched[quote.asset] = quote
        if self._cache is not None and is_young(
            quote, quote.received_at_ns, self._ttl_s()
        ):
            # The answer does not wait for it.
            self._write(self._cache, quote, latency_ms)
        return _Fetched(quote, latency_ms)

    def _write(self, cache: PriceCache, quote: Quote, latency_ms: int) -> None:
        async def write() -> None:
            with tolerating(PriceCacheAway, because="other nodes can fetch it too"):
                values = {quote.asset: encode(quote, latency_ms)}
                await cache.store(values, self._ttl_s())

        task = asyncio.create_task(write())
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    def _ms_since(self, started_ns: int) -> int:
        return (self._clock.monotonic_ns() - started_ns) // NS_PER_MS
