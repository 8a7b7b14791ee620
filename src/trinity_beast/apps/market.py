"""Which market the feeds listen to: the live one, the simulated one, or a recording."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from trinity_beast.adapters.exchange_sockets import WebSocketExchanges
from trinity_beast.adapters.market import (
    FeedLike,
    MarketSimulator,
    ReplayMarket,
    RestVenues,
)
from trinity_beast.adapters.rest_prices import HttpRestPrices
from trinity_beast.features.catalogue import AssetRow, CatalogueSnapshot, FeedRow
from trinity_beast.features.feeds import FrameDecoder
from trinity_beast.kernel.errors import Invalid
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.exchanges import Exchanges, ExchangeSocket, ExchangeUnreachable
from trinity_beast.ports.rest_prices import RestPrices

Load = Callable[[], Awaitable[CatalogueSnapshot]]


class MarketUnknown(Invalid):
    """The market that was asked for does not exist."""

    code = "market_unknown"
    template = (
        "There is no market {text!r}; choose live, simulated or replay:FOLDER"
        " (a folder with recordings such as coinbase.jsonl.gz)."
    )


@dataclass(frozen=True, slots=True)
class MarketChoice:
    """A market as the command line names it.

    Attributes:
        kind: ``live``, ``simulated`` or ``replay``.
        folder: Where the recordings are, for ``replay``.
        exchange: The one exchange to replay; None means all.
        speed: How many times faster than recorded, or busier than usual.
    """

    kind: Literal["live", "simulated", "replay"]
    folder: Path | None = None
    exchange: str | None = None
    speed: float = 1.0

    def as_options(self) -> tuple[str, ...]:
        """Return the options of a command line that name it."""
        market = f"replay:{self.folder}" if self.folder else self.kind
        exchange = ("--exchange", self.exchange) if self.exchange else ()
        return ("--market", market, "--speed", str(self.speed), *exchange)


@dataclass(frozen=True, slots=True)
class Market:
    """An open market.

    Attributes:
        exchanges: Opens connections to its venues.
        load: Reads the catalogue, as this market sees it.
        keep_prices: Whether prices of an earlier run are still prices of this market.
        words: One line about it for people.
        rest: Who is asked by REST for what its feeds do not tell; None for nobody.
        replay: The recording that plays, if any.
        simulator: What makes the prices, if they are made up.
        rest_venues: The REST side of the simulator.
    """

    exchanges: Exchanges
    load: Load
    keep_prices: bool
    words: str
    rest: RestPrices | None = None
    replay: ReplayMarket | None = None
    simulator: MarketSimulator | None = None
    rest_venues: RestVenues | None = None


def parse_market(
    text: str,
    *,
    exchange: str | None = None,
    speed: float = 1.0,
) -> MarketChoice:
    """Return the market that a command line's text names.

    Raises:
        MarketUnknown: It names none, or a folder that is not there.
    """
    if text in {"live", "simulated"}:
        return MarketChoice("live" if text == "live" else "simulated", speed=speed)
    kind, _, folder = text.partition(":")
    if kind != "replay" or not folder or not Path(folder).is_dir():
        raise MarketUnknown(text=text)
    return MarketChoice("replay", Path(folder), exchange, speed)


class RedirectedExchanges:
    """Sends connections for known endpoints to local venues, and none outside.

    A row that points at this machine is connected as it is, so that an operator can
    try an exchange of his own beside a simulated market.
    """

    def __init__(self, inner: Exchanges, venues: dict[str, str]) -> None:
        self._inner = inner
        self._venues = venues

    async def connect(self, url: str) -> ExchangeSocket:
        """Connect to the local venue that stands for ``url``.

        Raises:
            ExchangeUnreachable: There is none, or it does not answer.
        """
        local = self._venues.get(url)
        if local is None and not _is_loopback(url):
            raise ExchangeUnreachable(reason="this market has no such exchange")
        return await self._inner.connect(local or url)


@asynccontextmanager
async def open_market(
    choice: MarketChoice,
    load: Load,
    clock: Clock,
) -> AsyncGenerator[Market]:
    """Run the venues of a market for the length of the block."""
    sockets = WebSocketExchanges()
    if choice.kind == "live":
        async with aclosing(HttpRestPrices()) as rest:
            yield Market(
                sockets,
                load,
                keep_prices=True,
                words="live exchanges",
                rest=rest,
            )
    elif choice.folder is None:
        async with _simulated(sockets, load, clock, choice.speed) as market:
            yield market
    else:
        async with _replayed(sockets, load, clock, choice) as market:
            yield market


@asynccontextmanager
async def _simulated(
    sockets: Exchanges,
    load: Load,
    clock: Clock,
    speed: float,
) -> AsyncGenerator[Market]:
    snapshot = await load()
    symbols: dict[str, dict[str, str]] = {}
    for row in snapshot.assets:
        symbols.setdefault(row.exchange_name, {})[row.asset] = row.exchange_symbol
    simulator = MarketSimulator(clock, symbols, speed=speed)
    urls = await simulator.start()
    rest_venues = RestVenues(clock, simulator.usd_of)
    try:
        async with aclosing(HttpRestPrices(await rest_venues.start())) as rest:
            yield Market(
                RedirectedExchanges(sockets, _venues(snapshot.feeds, urls)),
                load,
                keep_prices=False,
                words="a simulated market",
                rest=rest,
                simulator=simulator,
                rest_venues=rest_venues,
            )
    finally:
        await rest_venues.stop()
        await simulator.stop()


@asynccontextmanager
async def _replayed(
    sockets: Exchanges,
    load: Load,
    clock: Clock,
    choice: MarketChoice,
) -> AsyncGenerator[Market]:
    snapshot = await load()
    replay = ReplayMarket(
        choice.folder or Path(),
        snapshot.feeds,
        speed=choice.speed,
        exchange=choice.exchange,
        clock=clock,
        symbols_in=symbols_in,
    )
    urls = await replay.start()

    async def load_recorded() -> CatalogueSnapshot:
        return _recorded(await load(), replay.assets)

    try:
        yield Market(
            RedirectedExchanges(sockets, _venues(snapshot.feeds, urls)),
            load_recorded,
            keep_prices=False,
            words=f"a recording ({choice.folder})",
            replay=replay,
        )
    finally:
        await replay.stop()


def symbols_in(feed: FeedLike, frames: Iterable[str]) -> Iterator[str]:
    """Yield the symbol of each trade in recorded frames, as the row decodes them."""
    if not isinstance(feed, FeedRow):
        return
    decoder = FrameDecoder(feed, None)
    for raw in frames:
        for trade in decoder.decode(raw, received_at_ns=0).trades:
            yield trade.exchange_symbol


def _recorded(
    snapshot: CatalogueSnapshot,
    assets: dict[str, dict[str, str]],
) -> CatalogueSnapshot:
    known = {row.asset: row.category for row in snapshot.assets}
    rows = [
        (exchange, asset, symbol)
        for exchange, symbols in assets.items()
        for asset, symbol in symbols.items()
    ]
    return replace(
        snapshot,
        feeds=tuple(
            replace(feed, enabled=True)
            for feed in snapshot.feeds
            if feed.exchange_name in assets
        ),
        assets=tuple(
            AssetRow(
                id=number,
                exchange_name=exchange,
                asset=asset,
                exchange_symbol=symbol,
                enabled=True,
                category=known.get(asset, "Infrastructure"),
            )
            for number, (exchange, asset, symbol) in enumerate(rows, 1)
        ),
    )


def _venues(feeds: Iterable[FeedRow], urls: dict[str, str]) -> dict[str, str]:
    return {
        feed.ws_endpoint: urls[feed.exchange_name]
        for feed in feeds
        if feed.exchange_name in urls
    }


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
