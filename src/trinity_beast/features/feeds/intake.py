"""From trades to the board: doubt, order, count.

Hot path: measured in bench/feeds_decode.py; budget 2 us a trade besides the board.
"""

from __future__ import annotations

from collections.abc import Sequence

from trinity_beast.features.board import LATE_AFTER_NS, Tick
from trinity_beast.features.feeds.model import Board, Trade
from trinity_beast.features.feeds.outliers import OutlierGuard
from trinity_beast.features.feeds.status import FeedStatus
from trinity_beast.kernel.errors import BeastError


class Intake:
    """Publishes the trades of one exchange."""

    def __init__(self, board: Board, guard: OutlierGuard, status: FeedStatus) -> None:
        self._board = board
        self._guard = guard
        self._status = status
        self._counters = status.counters
        self._last_trades_ns = status.last_trades_ns

    def take(self, source: str, trades: Sequence[Trade], received_at_ns: int) -> None:
        """Publish the newest trade of each asset of one frame.

        Order inside a frame says nothing: some venues write the newest first.  Of two
        trades of one instant the later one in the frame counts.
        """
        self._counters.trades += len(trades)
        newest: dict[str, Trade] = {}
        for trade in trades:
            if trade.stamp != "own":
                self._count(trade)
            asset = trade.asset
            if not self._guard.accepts(asset, trade.price, trade.traded_at_ns):
                self._counters.outliers += 1
                continue
            known = newest.get(asset)
            if known is None or trade.traded_at_ns >= known.traded_at_ns:
                newest[asset] = trade
        for trade in newest.values():
            self._publish(source, trade, received_at_ns)

    def _publish(self, source: str, trade: Trade, received_at_ns: int) -> None:
        traded_at_ns = trade.traded_at_ns
        snapshot = received_at_ns - traded_at_ns > LATE_AFTER_NS
        tick = Tick(trade.price, source, traded_at_ns, received_at_ns, snapshot)
        try:
            self._board.publish(trade.asset, tick)
        except BeastError as error:
            self._counters.unpublished += 1
            self._status.failed(error.message, received_at_ns)
        if traded_at_ns > self._last_trades_ns.get(trade.asset, 0):
            self._last_trades_ns[trade.asset] = traded_at_ns

    def _count(self, trade: Trade) -> None:
        if trade.stamp == "missing":
            self._counters.unstamped += 1
        else:
            self._counters.clamped += 1
