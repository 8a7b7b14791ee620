"""The whole simulated market: six exchanges on this machine."""

from __future__ import annotations

from collections.abc import Mapping

from trinity_beast.adapters.market.dialects import DIALECTS, Dialect, Listing
from trinity_beast.adapters.market.dice import dice
from trinity_beast.adapters.market.errors import VenueUnknown
from trinity_beast.adapters.market.levels import MAJORS, level_of
from trinity_beast.adapters.market.rates import MANNERS
from trinity_beast.adapters.market.tape import Tape, TradingFloor
from trinity_beast.adapters.market.venue import Venue
from trinity_beast.adapters.market.walk import Walk
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.background import Background

_MAJORS_ELSEWHERE = 0.25
_NOTICE_S = 60.0
_TICK_NS = 50 * NS_PER_MS
_SHORTEST_TICK_NS = 2 * NS_PER_MS


class MarketSimulator:
    """Local WebSocket servers, one an exchange, each in the exchange's own dialect.

    An asset's price follows from the seed and the time since the start, and is the
    same on each venue; when it is traded follows from the seed and the venue.

    Attributes:
        left_out: Why an exchange has no venue here, by its name.
    """

    def __init__(
        self,
        clock: Clock,
        symbols: Mapping[str, Mapping[str, str]],
        *,
        seed: int = 1,
        speed: float = 1.0,
    ) -> None:
        """Prepare a market; nothing listens yet.

        Args:
            clock: What trades are timed by.
            symbols: By name of the exchange: its symbols by asset.  A venue lists
                these and the usual majors, and refuses any other.
            seed: Another seed is another market.
            speed: How many times the usual number of trades is made.
        """
        self._clock = clock
        self._seed = seed
        self._speed = speed
        self._walks: dict[str, Walk] = {}
        self._background = Background(clock)
        self._started_ns = clock.monotonic_ns()
        self._venues = {
            name: self._venue(name, assets)
            for name, assets in symbols.items()
            if name in DIALECTS
        }
        self.left_out = {
            name: "the simulated market does not speak its dialect"
            for name in symbols
            if name not in DIALECTS
        }

    async def start(self) -> dict[str, str]:
        """Open the venues and start trading.

        Returns:
            The URL of each venue by the name of its exchange.
        """
        self._started_ns = self._clock.monotonic_ns()
        urls: dict[str, str] = {}
        for name, venue in self._venues.items():
            urls[name] = await venue.open()
            self._background.start(f"market:{name}", venue.trade)
        return urls

    async def stop(self) -> None:
        """Stop trading, hang up on everybody and close; twice is not an error."""
        await self._background.stop()
        for venue in self._venues.values():
            await venue.close()

    def usd_of(self, asset: str) -> float | None:
        """Return what an asset costs now; None for one that nobody trades here."""
        walk = self._walks.get(asset)
        if walk is None:
            return None
        return walk.usd_at(self._clock.monotonic_ns() - self._started_ns)

    async def disconnect(self, exchange: str, code: int = 1006) -> None:
        """End the venue's connections with a close code; 1006 just breaks them.

        Raises:
            VenueUnknown: There is no such venue; so with all the faults below.
        """
        await self._get(exchange).disconnect(code)

    def stall(self, exchange: str) -> None:
        """Let a venue go silent: its sockets stay open and nothing is sent."""
        self._get(exchange).stall()

    def resume(self, exchange: str) -> None:
        """Let a stalled venue talk again."""
        self._get(exchange).resume()

    def notice(self, exchange: str, close_after_s: float = _NOTICE_S) -> None:
        """Let a venue announce that it will close its connections, and do so.

        Raises:
            NoticeUnknown: This venue never announces it.
        """
        self._get(exchange).notify(close_after_s)

    def refuse(self, exchange: str, symbol: str) -> None:
        """Let a venue delist a symbol: no trades, and subscriptions are refused."""
        self._get(exchange).refuse(symbol)

    def accept(self, exchange: str, symbol: str) -> None:
        """Let a venue list a refused symbol again."""
        self._get(exchange).accept(symbol)

    def repeat(self, exchange: str) -> None:
        """Let a venue send its last trades again, each twice and newest first."""
        self._get(exchange).repeat()

    def _get(self, exchange: str) -> Venue:
        if exchange not in self._venues:
            raise VenueUnknown(venue=exchange)
        return self._venues[exchange]

    def _venue(self, name: str, assets: Mapping[str, str]) -> Venue:
        symbols = set(assets.values())
        listing = Listing(symbols)
        dialect = DIALECTS[name](listing)
        tapes = [
            self._tape(name, asset, symbol, share=1.0)
            for asset, symbol in assets.items()
        ]
        for asset, symbol in _majors(dialect).items():
            if symbol not in symbols:
                listing.accept(symbol)
                tape = self._tape(name, asset, symbol, share=_MAJORS_ELSEWHERE)
                tapes.append(tape)
        tick_ns = max(round(_TICK_NS / self._speed), _SHORTEST_TICK_NS)
        floor = TradingFloor(tapes)
        return Venue(name, dialect, floor, clock=self._clock, tick_ns=tick_ns)

    def _tape(self, name: str, asset: str, symbol: str, *, share: float) -> Tape:
        level = level_of(asset)
        if asset not in self._walks:
            chance = dice(self._seed, "walk", asset)
            self._walks[asset] = Walk(level.usd, level.volatility, chance)
        tape = Tape(
            symbol,
            self._walks[asset],
            level.trades_per_s * share * self._speed,
            manners=MANNERS[name],
            chance=dice(self._seed, "tape", name, symbol),
        )
        tape.remember(self._clock.now_ns())
        return tape


def _majors(dialect: Dialect) -> dict[str, str]:
    return {asset: dialect.symbol_of(asset) for asset in MAJORS}
