"""What the engine knows of one exchange; the source of its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from trinity_beast.features.feeds.subscription import SubscriptionState

State = Literal["connecting", "subscribing", "live", "silent", "stopped", "broken"]


@dataclass(slots=True)
class Counters:
    """Counts since the engine began; they only grow.

    Attributes:
        frames: Frames of any kind.
        trades: Trades that frames held.
        unstamped: Trades that got the time of their arrival for want of their own.
        clamped: Trades that got it because theirs lay in the future.
        outliers: Trades withheld as absurd.
        unpublished: Trades that the board could not hold.
        rejected: Elements of trade frames that made no trade, by reason.
    """

    frames: int = 0
    trades: int = 0
    unstamped: int = 0
    clamped: int = 0
    outliers: int = 0
    unpublished: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True)
class FeedStatus:
    """State of one exchange's feed.

    ``live`` means that the venue took at least one symbol on this connection;
    ``silent`` lasts from the watchdog's verdict to the next connection; ``broken``
    means that the row cannot work or that the venue refused every symbol.

    Attributes:
        changed: Called when the state is another one.
        last_error: Newest error of any sort, fit to be shown.
        venue: The venue's own word on itself, such as ``maintenance``.
        refused: Why assets could not even be asked for, by asset.
        subscription: That of the newest connection.
        last_trades_ns: Newest trade time of each asset.
    """

    changed: Callable[[], None]
    state: State = "connecting"
    url: str = ""
    connected_at_ns: int | None = None
    last_frame_at_ns: int | None = None
    last_error: str | None = None
    last_error_at_ns: int | None = None
    venue: str | None = None
    reconnects: int = 0
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    subscription: SubscriptionState | None = None
    last_trades_ns: dict[str, int] = field(default_factory=dict[str, int])
    counters: Counters = field(default_factory=Counters)

    def become(self, state: State) -> None:
        """Take a state; the engine is told if it is another one."""
        if state != self.state:
            self.state = state
            self.changed()

    def failed(self, error: str, at_ns: int) -> None:
        """Note an error."""
        self.last_error = error
        self.last_error_at_ns = at_ns

    def refusal(self, asset: str, symbol: str) -> str | None:
        """Return why an asset has no price from here, or None."""
        told = self.subscription.refused if self.subscription else {}
        return self.refused.get(asset) or told.get(symbol)

    def report(self) -> dict[str, object]:
        """Return the exchange's part of the report, ready for JSON."""
        asked = self.subscription
        counters = self.counters
        return {
            "state": self.state,
            "url": self.url,
            "connected_at_ns": self.connected_at_ns,
            "last_frame_at_ns": self.last_frame_at_ns,
            "last_error": self.last_error,
            "last_error_at_ns": self.last_error_at_ns,
            "venue": self.venue,
            "reconnects": self.reconnects,
            "asked": asked.asked if asked else 0,
            "acked": len(asked.acked) if asked else 0,
            "seen": len(asked.seen) if asked else 0,
            "refused": {**self.refused, **(asked.refused if asked else {})},
            "unacked": sorted(asked.unacked) if asked else [],
            "settled": asked.settled if asked else False,
            "frames": counters.frames,
            "trades": counters.trades,
            "counters": {
                "unstamped": counters.unstamped,
                "clamped": counters.clamped,
                "outliers": counters.outliers,
                "unpublished": counters.unpublished,
                "rejected": dict(counters.rejected),
            },
        }
