"""What a venue says and understands; every dialect is one of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple, TypeAlias

from trinity_beast.adapters.market.dialects.conversation import Conversation, Listing
from trinity_beast.adapters.market.tape import Trade
from trinity_beast.kernel.time import NS_PER_S

LastTrade: TypeAlias = Callable[[str], Trade | None]
"""Gives the last trade of a symbol, or None if it was never traded."""


class Closing(NamedTuple):
    """Why and how a venue hangs up; code 1006 is a line that just breaks."""

    code: int
    reason: str


class Dialect:
    """A venue of no words: each real one says more.

    No sockets, no clock, no chance.  ``hear`` changes the conversation, everything else
    only reads it.

    Attributes:
        listing: The symbols that can be subscribed.
        subscribe_within_s: A client that has subscribed to nothing by then is hung up
            on; None where the venue waits.
        silence_limit_s: A client that says nothing for so long is hung up on.
        silent: How.
    """

    subscribe_within_s: ClassVar[float | None] = None
    silence_limit_s: ClassVar[float | None] = None
    silent: ClassVar[Closing] = Closing(1001, "No data received")

    def __init__(self, listing: Listing) -> None:
        self.listing = listing

    def symbol_of(self, asset: str) -> str:
        """Return how the venue writes an asset's market."""
        return asset

    def hello(self, talk: Conversation, at_ns: int) -> Sequence[str]:
        """Return what the venue says before it was asked anything."""
        del talk, at_ns
        return ()

    def hear(self, talk: Conversation, text: str, at_ns: int) -> Sequence[str]:
        """Take a message of the client into account and return the answers."""
        del talk, text, at_ns
        return ()

    def primer(
        self,
        channel: str,
        history: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[str]:
        """Return what a fresh subscriber of a channel is sent at once.

        Args:
            channel: The channel that was joined.
            history: The last trades of the symbol, oldest first; not empty.
            at_ns: The wall clock.
        """
        del channel, history, at_ns
        return ()

    def frames(
        self,
        trades: Sequence[Trade],
        at_ns: int,
    ) -> Sequence[tuple[str, str]]:
        """Return (channel, frame) of the trades that one order made.

        Args:
            trades: Of one symbol, oldest first; not empty.
            at_ns: The wall clock.
        """
        del trades, at_ns
        return ()

    def heartbeats(
        self,
        talk: Conversation,
        last: LastTrade,
        at_ns: int,
    ) -> Sequence[str]:
        """Return what this client is sent every second, trades or none."""
        del talk, last, at_ns
        return ()

    def notice(self, talk: Conversation) -> str | None:
        """Return the announcement that the connection will be closed, if any."""
        del talk
        return None

    def overdue(self, talk: Conversation, monotonic_ns: int) -> Closing | None:
        """Return how the venue hangs up on a client that was silent too long."""
        waited_s = (monotonic_ns - talk.opened_ns) / NS_PER_S
        silent_s = (monotonic_ns - talk.heard_ns) / NS_PER_S
        patience_s = self.subscribe_within_s
        if patience_s is not None and waited_s >= patience_s and not talk.subscribed:
            return Closing(1000, "No subscription received")
        if self.silence_limit_s is not None and silent_s >= self.silence_limit_s:
            return self.silent
        return None
