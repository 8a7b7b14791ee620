"""The tape of one market: which trades it makes when, by chance alone."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from trinity_beast.adapters.market.rates import (
    Manners,
    fills_of_an_order,
    made_at_ns,
    orders_per_s,
)
from trinity_beast.adapters.market.walk import Walk, decimals_of, price_text
from trinity_beast.kernel.time import NS_PER_S

KEPT_TRADES = 50
"""As many as the longest snapshot that a venue sends."""

_MEDIAN_VALUE_USD = 250.0
_VALUE_SPREAD = 1.4
_SLIP = 0.00004
_TOUCH = 0.0001
_OLD_MOVE = 0.002
_ORDERS_BEHIND = 20.0
_LONGEST_ARREARS_NS = NS_PER_S
_FIRST_WITHIN_S = 3.0


class Trade(NamedTuple):
    """One fill.

    Attributes:
        symbol: The market, as its venue writes it.
        trade_id: Grows by one with each trade of the market.
        side: ``buy`` or ``sell``, of the taker.
        price: In the quote currency, as the venue writes it.
        quantity: Of the asset, as the venue writes it.
        traded_at_ns: When the venue says it was made.
    """

    symbol: str
    trade_id: int
    side: str
    price: str
    quantity: str
    traded_at_ns: int


class Tape:
    """The trades of one market on one venue, oldest first, and when the next comes.

    Attributes:
        history: The last trades, oldest first.
        due_ns: When the next order comes, since the market opened.
    """

    def __init__(
        self,
        symbol: str,
        walk: Walk,
        trades_per_s: float,
        *,
        manners: Manners,
        chance: random.Random,
    ) -> None:
        self.symbol = symbol
        self.history: deque[Trade] = deque(maxlen=KEPT_TRADES)
        self._walk = walk
        self._manners = manners
        self._chance = chance
        self._orders_per_s = orders_per_s(trades_per_s, manners)
        self._decimals = decimals_of(walk.level_usd, manners.fewest_decimals)
        self._last_id = chance.randrange(10**6, 10**9)
        self.due_ns = self._gap_ns()
        self._idle = True

    def remember(self, now_ns: int) -> None:
        """Make up what was traded before: the last trade may be hours old."""
        gap_s = _ORDERS_BEHIND / self._orders_per_s * 10 ** self._chance.uniform(-1, 1)
        ages_s = [self._chance.expovariate(1.0 / gap_s) for _ in range(KEPT_TRADES)]
        at_ns = now_ns - round(sum(ages_s) * NS_PER_S)
        for age_s in ages_s:
            usd = self._walk.level_usd * (1.0 + self._chance.gauss(0.0, _OLD_MOVE))
            self._write(usd, self._side(), at_ns - at_ns % self._manners.time_step_ns)
            at_ns += round(age_s * NS_PER_S)

    def fill(self, elapsed_ns: int, now_ns: int) -> list[Trade]:
        """Return the trades of the order that is due, and plan the next order.

        Args:
            elapsed_ns: Since the market opened.
            now_ns: The wall clock.
        """
        self._idle = False
        self.due_ns = max(self.due_ns, elapsed_ns - _LONGEST_ARREARS_NS)
        self.due_ns += self._gap_ns()
        side = self._side()
        usd = self._walk.usd_at(elapsed_ns) * (1.0 + self._chance.gauss(0.0, _TOUCH))
        slip = _SLIP if side == "buy" else -_SLIP
        made_ns = made_at_ns(now_ns, self._manners, self._chance)
        if self.history:
            made_ns = max(made_ns, self.history[-1].traded_at_ns)
        fills = fills_of_an_order(self._manners, self._chance)
        return [
            self._write(usd * (1.0 + slip * step), side, made_ns)
            for step in range(fills)
        ]

    def hasten(self, elapsed_ns: int) -> None:
        """Trade for the first time within three seconds, for somebody waits for it.

        A market that has traded already keeps its own pace.
        """
        if self._idle:
            soon_s = self._chance.uniform(0.0, _FIRST_WITHIN_S)
            self.due_ns = min(self.due_ns, elapsed_ns + round(soon_s * NS_PER_S))

    def _write(self, usd: float, side: str, made_ns: int) -> Trade:
        self._last_id += 1
        value_usd = _MEDIAN_VALUE_USD * self._chance.lognormvariate(0.0, _VALUE_SPREAD)
        trade = Trade(
            symbol=self.symbol,
            trade_id=self._last_id,
            side=side,
            price=price_text(usd, self._decimals, trims=self._manners.trims_zeros),
            quantity=f"{max(value_usd / usd, 1e-8):.8f}",
            traded_at_ns=made_ns,
        )
        self.history.append(trade)
        return trade

    def _side(self) -> str:
        return self._chance.choice(("buy", "sell"))

    def _gap_ns(self) -> int:
        return round(self._chance.expovariate(self._orders_per_s) * NS_PER_S)


class TradingFloor:
    """All tapes of one venue, in the order in which their next trades come."""

    def __init__(self, tapes: Iterable[Tape]) -> None:
        self.tapes = {tape.symbol: tape for tape in tapes}
        self._queue: list[tuple[int, str]] = []
        self._line_up()

    @property
    def due_ns(self) -> int | None:
        """Return when the next trade comes, since the opening; None without tapes."""
        return self._queue[0][0] if self._queue else None

    def due(self, elapsed_ns: int, now_ns: int) -> Iterator[list[Trade]]:
        """Yield the trades of each order that is due, earliest order first."""
        while self._queue and self._queue[0][0] <= elapsed_ns:
            tape = self.tapes[self._queue[0][1]]
            trades = tape.fill(elapsed_ns, now_ns)
            heapq.heapreplace(self._queue, (tape.due_ns, tape.symbol))
            yield trades

    def hasten(self, symbol: str, elapsed_ns: int) -> None:
        """Let a symbol that never traded do so soon; see `Tape.hasten`."""
        self.tapes[symbol].hasten(elapsed_ns)
        self._line_up()

    def _line_up(self) -> None:
        self._queue = [(tape.due_ns, tape.symbol) for tape in self.tapes.values()]
        heapq.heapify(self._queue)
