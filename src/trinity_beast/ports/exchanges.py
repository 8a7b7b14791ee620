"""Exchanges: a WebSocket to a venue, as far as the feed engine needs one."""

from __future__ import annotations

from typing import Protocol

from trinity_beast.kernel.errors import Unavailable


class ExchangeUnreachable(Unavailable):
    """The venue could not be connected to (refused, DNS, TLS, HTTP 403, time-out)."""

    code = "exchange_unreachable"
    template = "The exchange cannot be reached: {reason}."


class ExchangeClosed(Unavailable):
    """The connection ended, by either side, for whatever reason."""

    code = "exchange_closed"
    template = "The exchange closed the connection: {reason}."


class ExchangeSocket(Protocol):
    """One open connection; frames arrive in order."""

    async def send(self, text: str) -> None:
        """Send a text frame.

        Raises:
            ExchangeClosed: The connection has ended.
        """
        ...

    async def receive(self) -> str | bytes:
        """Return the next frame.

        Raises:
            ExchangeClosed: The connection has ended.
        """
        ...

    async def close(self) -> None:
        """Close; closing twice is not an error."""
        ...


class Exchanges(Protocol):
    """Opens connections to venues."""

    async def connect(self, url: str) -> ExchangeSocket:
        """Return an open connection, within 10 seconds.

        Raises:
            ExchangeUnreachable: It did not work; the reason says why.
        """
        ...
