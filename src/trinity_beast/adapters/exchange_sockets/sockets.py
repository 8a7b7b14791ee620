"""`ports.exchanges` over the ``websockets`` client."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)

from trinity_beast.ports.exchanges import (
    ExchangeClosed,
    ExchangeSocket,
    ExchangeUnreachable,
)

MOST_BYTES: Final = 8 * 2**20
"""Order book snapshots reach 5 MB; a trade feed stays below 20 kB."""

OPEN_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0
PING_INTERVAL_S: Final = 20.0

_BROKEN: Final = 1006
_REASON_LENGTH: Final = 120
_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (TimeoutError, f"no answer within {OPEN_TIMEOUT_S:g} s"),
    (socket.gaierror, "the name cannot be resolved"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionResetError, "the connection was reset"),
)


class WebSocketExchanges:
    """Opens WebSockets to venues; no proxy of the environment is used."""

    async def connect(self, url: str) -> ExchangeSocket:
        """Return an open connection, within ``OPEN_TIMEOUT_S``.

        Frames come as bytes: decoding JSON from bytes takes half the time.

        Raises:
            ExchangeUnreachable: It did not work; the reason says why, ``HTTP 403`` for
                an address that the venue does not serve.
        """
        try:
            connection = await connect(
                url,
                proxy=None,
                max_size=MOST_BYTES,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=PING_INTERVAL_S,
                ping_timeout=PING_INTERVAL_S,
            )
        except (
            OSError,
            TimeoutError,
            InvalidHandshake,
            InvalidURI,
            ValueError,
        ) as error:
            raise ExchangeUnreachable(reason=why_not(error)) from error
        return _Socket(connection)


class _Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise ExchangeClosed(reason=why_closed(error)) from error

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise ExchangeClosed(reason=why_closed(error)) from error

    async def close(self) -> None:
        await self._connection.close()


def why_not(error: Exception) -> str:
    """Return in a few words why a connection could not be opened."""
    if isinstance(error, InvalidStatus):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error})"[:_REASON_LENGTH]
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return str(error)[:_REASON_LENGTH] or type(error).__name__


def why_closed(error: ConnectionClosed) -> str:
    """Return in a few words why a connection ended, its close code first.

    Source: RFC 6455, section 7.4; 1006 stands for no close frame at all.
    """
    received = error.rcvd
    if received is None:
        sent = error.sent
        told = f" ({sent.reason})" if sent is not None and sent.reason else ""
        return f"{_BROKEN} the connection broke{told}"
    return f"{received.code} {received.reason}".strip()[:_REASON_LENGTH]
