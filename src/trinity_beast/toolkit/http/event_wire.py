"""What is left of an HTTP connection once its answer has no end.

Parser, request and application are forgotten, which is most of what a connection costs;
the stream writes its chunks, and nothing that the client sends is read any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from trinity_beast.toolkit.http.protocol import PoliteProtocol
from trinity_beast.toolkit.http.wires import HANG_UP_AFTER_S, limit_kernel_buffer

_LAST_CHUNK = b"0\r\n\r\n"


class EventWire(asyncio.Protocol):
    """The wire of an answer in chunks, and the protocol of its connection.

    Args:
        connection: Over which the request came.
    """

    def __init__(self, connection: PoliteProtocol) -> None:
        self.transport = connection.transport
        self._loop = connection.loop
        self._manners = connection.manners
        self._connections = cast("set[object]", connection.connections)
        self._lost: Callable[[], None] | None = None
        self._is_ended = False
        limit_kernel_buffer(self.transport)

    def take_over(self, connection: PoliteProtocol, lost: Callable[[], None]) -> bool:
        """Take the connection over; the head of the answer has been written.

        Args:
            connection: The same as before.
            lost: Called when it has ended, whoever ended it.

        Returns:
            False when it has ended already.
        """
        if not connection.let_go():
            return False
        self._lost = lost
        self._connections.add(self)
        self.transport.set_protocol(self)
        return True

    @property
    def draining(self) -> bool:
        """Whether the listener is about to stop."""
        return self._manners.draining

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost by hanging up."""
        return self._is_ended

    @property
    def owed_bytes(self) -> int:
        """Bytes that were written and that the client's system did not take yet."""
        return self.transport.get_write_buffer_size()

    def announce_close(self) -> None:
        """Leave it to the stream, which sees that the listener is draining."""

    def write(self, data: bytes) -> None:
        """Write whole chunks; see ``chunk_of``."""
        if not self._is_ended and not self.transport.is_closing():
            self.transport.write(data)

    def end(self, last: bytes, code: int, reason: str) -> None:
        """Write the last chunks and hang up."""
        del code, reason
        self.write(last + _LAST_CHUNK)
        self._is_ended = True
        self.transport.close()
        self._loop.call_later(HANG_UP_AFTER_S, self.transport.abort)

    def abort(self) -> None:
        """Hang up at once."""
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the stream, and a listener that waits for it."""
        del exc
        self._connections.discard(self)
        if self._manners.draining and not self._connections:
            self._manners.all_closed.set()
        if self._lost is not None:
            self._lost()
            self._lost = None
