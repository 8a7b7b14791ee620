"""The public status of the price service: feeds, ages, and this node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from trinity_beast.features.board import BoardReader, Quote
from trinity_beast.features.catalogue import Catalogue
from trinity_beast.features.parameters import Parameters
from trinity_beast.features.prices.model import Freshness, age_of, percentile
from trinity_beast.features.prices.parts import Identity
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S, rfc3339_ms


def freshness_of(parameters: Parameters) -> Freshness:
    """Return when a price may be served, as operators have it now."""
    return Freshness(
        cache_ttl_s=parameters.integer("cache_ttl"),
        silence_s=parameters.integer("feed_silence_seconds"),
    )


class Market:
    """What the board and the catalogue say together of the prices that are served."""

    def __init__(
        self,
        catalogue: Catalogue,
        board: BoardReader,
        parameters: Parameters,
    ) -> None:
        self._catalogue = catalogue
        self._board = board
        self._parameters = parameters

    def prices_body(self, now_ns: int) -> dict[str, object]:
        """Return counts, ages and each asset's state."""
        freshness = freshness_of(self._parameters)
        quotes = self._quotes()
        states: dict[str, dict[str, object]] = {}
        counts: Counter[str] = Counter(live=0, snapshot=0, silent=0, none=0)
        for asset, quote in quotes.items():
            heard_at_ns = self._board.heard_at_ns(quote.source) if quote else 0
            state = freshness.state_of(quote, heard_at_ns, now_ns)
            counts[state] += 1
            states[asset] = {"state": state, **_told(quote, now_ns)}
        ages_ms = sorted(
            age_of(quote, now_ns) // NS_PER_MS for quote in quotes.values() if quote
        )
        return {
            "count": len(quotes),
            **counts,
            "age_ms": {
                "p50": percentile(ages_ms, 50),
                "p99": percentile(ages_ms, 99),
            },
            "assets": states,
        }

    def feeds_body(self) -> Mapping[str, object] | None:
        """Return the feed engine's own report; None when there is none to read."""
        report = self._board.report()
        return msgspec.json.decode(report, type=dict[str, object]) if report else None

    def why_no_price(self, now_ns: int) -> str | None:
        """Return None when at least one asset has a price to serve, else why not."""
        if not self._catalogue.snapshot.asset_names():
            return "no asset is enabled"
        freshness = freshness_of(self._parameters)
        for quote in self._quotes().values():
            if quote is None:
                continue
            heard_at_ns = self._board.heard_at_ns(quote.source)
            if freshness.may_serve(quote, heard_at_ns, now_ns):
                return None
        return "no asset has a live price"

    def _quotes(self) -> dict[str, Quote | None]:
        names = self._catalogue.snapshot.asset_names()
        return {asset: self._board.quote(asset) for asset in names}


def status_body(
    identity: Identity,
    market: Market,
    parameters: Parameters,
    usage: Mapping[str, object],
    sources: Mapping[str, object] | None,
    now_ns: int,
) -> dict[str, object]:
    """Return the whole body of ``/status``.

    Of refused parameters only the names are told: their texts are the operators' own.
    """
    return {
        "service": "LPO",
        "version": identity.version,
        "node": identity.node,
        "region": identity.region,
        "time": rfc3339_ms(now_ns),
        "started_at": rfc3339_ms(identity.started_at_ns),
        "uptime_s": (now_ns - identity.started_at_ns) // NS_PER_S,
        "prices": market.prices_body(now_ns),
        "feeds": market.feeds_body(),
        "usage": dict(usage),
        "sources": sources,
        "parameters_refused": sorted(parameters.refused),
    }


def _told(quote: Quote | None, now_ns: int) -> dict[str, object]:
    if quote is None:
        return {"source": None, "age_ms": None}
    return {"source": quote.source, "age_ms": age_of(quote, now_ns) // NS_PER_MS}
