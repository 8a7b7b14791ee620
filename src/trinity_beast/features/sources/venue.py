"""One REST venue as this process sees it: its health, its pace, what it told lately."""

from __future__ import annotations

import asyncio
from typing import Final

from trinity_beast.features.sources.breaker import Breaker, Pace
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.rest_prices import RestVenue

AGAIN_S: Final = 1.0
"""An asset is asked for once in this time at most, whatever came of it."""

UNLISTED_S: Final = 600.0
"""How long a venue is not asked for an asset that it does not list."""

DOUBTED_S: Final = 30.0
"""How long it is not asked for an asset after an answer that is not believed."""

MOST_FETCHES: Final = 8
"""Questions on their way to one venue at once."""


class Venue:
    """Decides whether a venue is asked, and counts what became of it."""

    def __init__(self, venue: RestVenue) -> None:
        self.name = venue.name
        self.source = f"{venue.name}-rest"
        self.slots = asyncio.Semaphore(MOST_FETCHES)
        self._breaker = Breaker()
        self._pace = Pace(venue.requests_per_s, venue.burst)
        self._again_at_ns: dict[str, int] = {}
        self._answers = 0
        self._failures = 0
        self._last_failure: str | None = None
        self._latency_ms: int | None = None

    def may_ask_for(self, asset: str, now_ns: int) -> bool:
        """Tell whether it is worth asking for an asset at all."""
        return now_ns >= self._again_at_ns.get(asset, 0)

    def may_ask(self, now_ns: int) -> bool:
        """Tell whether it may be asked now; a yes takes one question of its pace."""
        return self._breaker.may_ask(now_ns) and self._pace.take(now_ns)

    def answered(self, asset: str, now_ns: int, latency_ms: int) -> None:
        """Note a price."""
        self._latency_ms = latency_ms
        self._note(asset, now_ns, AGAIN_S)

    def refused(self, asset: str, now_ns: int) -> None:
        """Note that it does not list an asset: it is well, and the answer lasts."""
        self._note(asset, now_ns, UNLISTED_S)

    def doubted(self, asset: str, now_ns: int, reason: str) -> None:
        """Note an answer that is not believed: it is well, its market is not ours."""
        self._last_failure = reason
        self._note(asset, now_ns, DOUBTED_S)

    def failed(self, asset: str, now_ns: int, reason: str, *, is_busy: bool) -> None:
        """Note that no answer came, or none that can be read."""
        self._failures += 1
        self._last_failure = reason
        self._breaker.failed(now_ns, at_once=is_busy)
        self._again_at_ns[asset] = now_ns + round(AGAIN_S * NS_PER_S)

    def report(self) -> dict[str, object]:
        """Return what an operator wants to know."""
        return {
            "state": self._breaker.state,
            "answers": self._answers,
            "failures": self._failures,
            "last_failure": self._last_failure,
            "latency_ms": self._latency_ms,
        }

    def _note(self, asset: str, now_ns: int, pause_s: float) -> None:
        self._answers += 1
        self._breaker.succeeded()
        self._again_at_ns[asset] = now_ns + round(pause_s * NS_PER_S)
