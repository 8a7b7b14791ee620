"""The values that the parts of the feed engine pass to each other; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from trinity_beast.features.board import Tick

FrameKind = Literal["trades", "control", "text", "broken"]

Rejection = Literal[
    "broken_json",
    "too_deep",
    "no_array",
    "not_an_object",
    "no_symbol",
    "unknown_symbol",
    "bad_price",
]
"""Why a frame, or an element of it, made no trade; the names are part of the report."""


Stamp = Literal["own", "missing", "future"]
"""Where a trade's time is from: the venue, or the arrival because the venue gave none
that is usable, or one in the future."""


class Trade(NamedTuple):
    """One trade as a frame told it.

    Attributes:
        exchange_symbol: The venue's own name of the pair.
        asset: Our name of it; the venue's name where every symbol is accepted.
        price: Plain decimal digits, as the venue wrote them.
        traded_at_ns: The venue's trade time, or the arrival when that is unusable.
        stamp: Whether ``traded_at_ns`` is the venue's ``own``, or why not.
        place: Which element of the frame's array it is; 0 where there is none.
    """

    exchange_symbol: str
    asset: str
    price: str
    traded_at_ns: int
    stamp: Stamp
    place: int

    @property
    def stamped(self) -> bool:
        """Say whether the trade time is the venue's own."""
        return self.stamp == "own"


class Decoded(NamedTuple):
    """What a frame said.

    Attributes:
        kind: ``trades`` when at least one trade came out; ``control`` for any other
            JSON; ``text`` for what is no JSON but short and plain, such as ``pong``;
            ``broken`` for the rest.
        trades: In the frame's order.
        rejected: One reason for each element, or for the frame, that was refused.
        document: The JSON value of a control frame, or the text.
    """

    kind: FrameKind
    trades: Sequence[Trade] = ()
    rejected: Sequence[Rejection] = ()
    document: object = None


class Board(Protocol):
    """Where prices are shown; ``features.board.BoardWriter`` is one."""

    def publish(self, asset: str, tick: Tick) -> bool:
        """Show a price unless a newer trade is shown already; say which it was."""
        ...

    def heard(self, source: str, at_ns: int) -> None:
        """Note that a source's connection delivered a frame at ``at_ns``."""
        ...

    def write_report(self, report: bytes) -> None:
        """Show the engine's state, a JSON object."""
        ...
