"""The raw end of a connection, for answers that have no end.

A stream writes the same bytes to many clients, and must know which of them take what
they are sent; neither can be said through ASGI.  So our connections put themselves into
the state of each scope, and a stream takes its wire from there.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol, TypeVar

from starlette.types import Scope

from trinity_beast.kernel.errors import Unavailable

CONNECTION = "trinity_beast.connection"
"""Key of a scope's ``state``: the connection that the request came over."""

HANG_UP_AFTER_S = 1.0
"""How long a client may take to fetch what it is still owed when a stream ends."""

_KERNEL_BUFFER_BYTES = 65_536

Kind = TypeVar("Kind")


class NotStreamable(Unavailable):
    """The server in front of the application is none of ours."""

    template = "This listener cannot stream."


class Wire(Protocol):
    """Where a stream's bytes go."""

    @property
    def draining(self) -> bool:
        """Whether the listener is about to stop."""
        ...

    @property
    def owed_bytes(self) -> int:
        """Bytes that were written and that the client's system did not take yet."""
        ...

    def write(self, data: bytes) -> None:
        """Write bytes, already framed; never waits, and after the end does nothing."""
        ...

    def end(self, last: bytes, code: int, reason: str) -> None:
        """Write last bytes and hang up, at the latest after ``HANG_UP_AFTER_S``.

        Args:
            last: Already framed, like all others.
            code: Close code for a WebSocket; an event stream has none.
            reason: A word with the code.
        """
        ...

    def abort(self) -> None:
        """Hang up at once."""
        ...


def connection_of(scope: Scope, kind: type[Kind]) -> Kind:
    """Return the connection that a request came over.

    Args:
        scope: The request.
        kind: What kind of connection it must be.

    Raises:
        NotStreamable: Another server than ours serves the application.
    """
    connection: object = scope.get("state", {}).get(CONNECTION)
    if not isinstance(connection, kind):
        raise NotStreamable
    return connection


def chunk_of(data: bytes) -> bytes:
    """Return bytes as a chunk.  Source: RFC 9112, section 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def limit_kernel_buffer(transport: asyncio.Transport) -> None:
    """Let the kernel hold little for a client that does not read.

    Left alone it takes megabytes for each connection before a writer notices anything.
    """
    raw: socket.socket | None = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER_BYTES)
