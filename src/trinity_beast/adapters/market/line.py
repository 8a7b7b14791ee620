"""A local WebSocket server, and what it does to one connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosedError

from trinity_beast.adapters.market.dialects import Closing
from trinity_beast.toolkit.tolerating import tolerating

HOST = "127.0.0.1"
_BROKEN = 1006
_CLOSE_TIMEOUT_S = 1.0
_MOST_UNREAD_BYTES = 8 << 20


class LocalServer:
    """Listens on a free loopback port and has each connection served.

    Compression and keep-alive pings stay off: the first costs more than it saves here,
    the second would hide the silence that a stalled venue is meant to show.
    """

    def __init__(self, serving: Callable[[ServerConnection], Awaitable[None]]) -> None:
        self._serving = serving
        self._server: Server | None = None

    async def open(self) -> str:
        """Listen, and return the URL to connect to."""
        self._server = await serve(
            self._guarded,
            HOST,
            0,
            compression=None,
            ping_interval=None,
            close_timeout=_CLOSE_TIMEOUT_S,
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://{HOST}:{port}"

    async def close(self) -> None:
        """Hang up on everybody and stop listening; twice is not an error."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _guarded(self, connection: ServerConnection) -> None:
        with tolerating(ConnectionClosedError, because="a client may just go away"):
            await self._serving(connection)


def say(connection: ServerConnection, texts: Iterable[str]) -> None:
    """Send frames at once, in order, to a client that may be gone by now."""
    for text in texts:
        broadcast((connection,), text)


def reads_too_slowly(connection: ServerConnection) -> bool:
    """Return whether so much waits for a client that a venue would drop it."""
    return connection.transport.get_write_buffer_size() > _MOST_UNREAD_BYTES


async def hang_up(connection: ServerConnection, closing: Closing) -> None:
    """Close a connection, or break it if that is how it should end."""
    if closing.code == _BROKEN:
        connection.transport.abort()
    else:
        await connection.close(closing.code, closing.reason)


def text_of(message: str | bytes) -> str:
    """Return a client's message as text; venues take binary frames for text too."""
    if isinstance(message, str):
        return message
    return message.decode("utf-8", errors="replace")
