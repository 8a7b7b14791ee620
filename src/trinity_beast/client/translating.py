"""What the HTTP and WebSocket libraries say, in the words of this package.

Errors become values here and are not chained further: those of the libraries hold the
request, and with it the key.
"""

from __future__ import annotations

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from trinity_beast.client.effects import Lost, Reply

SOCKET_FAULTS = (OSError, EOFError, WebSocketException)
"""What opening and reading a WebSocket may raise."""

SWITCHED = Reply(101, {})
"""What a WebSocket that opened was answered with."""

STREAM_ENDED = Lost("The server ended the stream.")
LINE_CLOSED = Lost("The stream is closed.")


def lost_by(error: httpx.RequestError | OSError) -> Lost:
    """Return why no answer came."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Lost("The server did not answer in time.", too_late=True)
    return Lost(f"The server cannot be reached: {error or type(error).__name__}.")


def reply_of(response: httpx.Response, body: bytes = b"") -> Reply:
    """Return an answer as this package sees it."""
    return Reply(response.status_code, dict(response.headers.items()), body)


def refusal_of_socket(error: InvalidStatus) -> Reply:
    """Return what a WebSocket that did not open was answered with."""
    refused = error.response
    headers = {name.lower(): text for name, text in refused.headers.raw_items()}
    return Reply(refused.status_code, headers, bytes(refused.body or b""))


def lost_socket(error: Exception) -> Lost:
    """Return why a WebSocket did not open, or how it broke."""
    if isinstance(error, ConnectionClosed):
        if error.rcvd is None:
            return Lost("The stream broke, or its server fell silent.")
        reason = error.rcvd.reason
        said = f"The server closed the stream: {reason or 'without a reason'}."
        return Lost(said, close_reason=reason)
    if isinstance(error, OSError):
        return lost_by(error)
    return Lost(f"The WebSocket failed: {type(error).__name__}.")
