"""What memory cannot serve is looked for in other sources, all of a batch at once.

Only this part of a request's way waits.  It raises nothing: what is not found stays
refused, so that every request is settled and recorded whatever became of the sources.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from trinity_beast.features.board import BoardReader
from trinity_beast.features.prices.errors import PriceStale, PriceUnavailable
from trinity_beast.features.prices.model import Item, Price, PriceRequest, Refusal
from trinity_beast.features.sources import NoSource, OnlyOlder, Sources, Wanted
from trinity_beast.kernel.errors import BeastError

_log = structlog.get_logger("prices")


class Search:
    """Fills the gaps that memory left in an answer."""

    def __init__(self, sources: Sources | None, board: BoardReader) -> None:
        self._sources = sources
        self._board = board

    def can_help(self, items: Sequence[Item]) -> bool:
        """Tell whether there are gaps, and sources to fill them from."""
        return self._sources is not None and any(map(_is_gap, items))

    async def filled(
        self,
        items: Sequence[Item],
        request: PriceRequest,
        duration_ms: Callable[[], int],
    ) -> list[Item]:
        """Return the items with a price in each gap that a source could fill.

        Args:
            items: What memory had.
            request: Whose answer it is.
            duration_ms: Tells how long it has taken so far.
        """
        return await asyncio.gather(
            *(self._filled(item, request, duration_ms) for item in items),
        )

    async def _filled(
        self,
        item: Item,
        request: PriceRequest,
        duration_ms: Callable[[], int],
    ) -> Item:
        if isinstance(item, Price) or not _is_gap(item) or self._sources is None:
            return item
        asset, max_age_ms = item.asset, request.max_age_ms
        try:
            wanted = Wanted(asset, max_age_ms, self._board.quote(asset))
            found = await self._sources.find(wanted)
        except OnlyOlder:
            return Refusal(asset, PriceStale(asset=asset, max_age_ms=max_age_ms))
        except NoSource:
            return item
        except Exception:  # noqa: BLE001 - the month must be settled and a record made
            _log.exception("search failed", request_id=request.request_id)
            return Refusal(asset, BeastError())
        return Price(
            found.quote,
            found.age_ns,
            duration_ms(),
            cached=found.cached,
            latency_ms=found.latency_ms,
        )


def _is_gap(item: Item) -> bool:
    return isinstance(item, Refusal) and isinstance(item.error, PriceUnavailable)
