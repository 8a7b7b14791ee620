"""One client's conversation with a venue: what it asked for, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Joined(NamedTuple):
    """A subscription that was just made.

    Attributes:
        channel: The venue's channel.
        symbol: The venue's symbol.
        primed: The client wants what the venue sends to a fresh subscriber.
    """

    channel: str
    symbol: str
    primed: bool


@dataclass(slots=True)
class Conversation:
    """State of one connection; the dialects read and change it, nobody else.

    Attributes:
        token: Hexadecimal digits that the venue names the connection by.
        opened_ns: Monotonic time at which it was opened.
        heard_ns: Monotonic time at which the client last said anything.
        channels: Subscribed symbols by channel, in the order of subscribing.
    """

    token: str
    opened_ns: int
    heard_ns: int
    channels: dict[str, dict[str, None]] = field(
        default_factory=dict[str, dict[str, None]],
    )
    _fresh: list[Joined] = field(default_factory=list[Joined])

    @property
    def subscribed(self) -> bool:
        """Return whether the client is subscribed to anything."""
        return any(self.channels.values())

    def join(
        self,
        channel: str,
        symbols: Iterable[str],
        *,
        primed: bool = True,
    ) -> None:
        """Subscribe; symbols already subscribed are subscribed still.

        Args:
            channel: The venue's channel.
            symbols: The venue's symbols.
            primed: The client wants what the venue sends to a fresh subscriber.
        """
        joined = self.channels.setdefault(channel, {})
        for symbol in symbols:
            joined[symbol] = None
            self._fresh.append(Joined(channel, symbol, primed))

    def leave(self, channel: str, symbols: Iterable[str]) -> None:
        """Unsubscribe; what was not subscribed is no error."""
        joined = self.channels.get(channel, {})
        for symbol in symbols:
            joined.pop(symbol, None)

    def wants(self, channel: str, symbol: str) -> bool:
        """Return whether the client is subscribed to this symbol's channel."""
        return symbol in self.channels.get(channel, ())

    def follows(self, symbol: str) -> bool:
        """Return whether the client is subscribed to any channel of this symbol."""
        return any(symbol in joined for joined in self.channels.values())

    def symbols(self, channel: str) -> tuple[str, ...]:
        """Return what is subscribed on a channel."""
        return tuple(self.channels.get(channel, ()))

    def take_fresh(self) -> list[Joined]:
        """Return what was subscribed since the last call."""
        fresh, self._fresh = self._fresh, []
        return fresh


class Listing:
    """Which symbols a venue trades."""

    def __init__(self, symbols: Iterable[str] | None) -> None:
        """List some symbols, or, with None, any symbol that somebody asks for."""
        self._symbols = None if symbols is None else set(symbols)
        self._refused: set[str] = set()

    def has(self, symbol: str) -> bool:
        """Return whether a subscription to this symbol is accepted."""
        if symbol in self._refused:
            return False
        return self._symbols is None or symbol in self._symbols

    def unknown_of(self, symbols: Iterable[str]) -> list[str]:
        """Return those that are not listed, in their order."""
        return [symbol for symbol in symbols if not self.has(symbol)]

    def refuse(self, symbol: str) -> None:
        """Take a symbol off the list."""
        self._refused.add(symbol)

    def accept(self, symbol: str) -> None:
        """Put a symbol on the list, or on it again."""
        self._refused.discard(symbol)
        if self._symbols is not None:
            self._symbols.add(symbol)
