"""The WebSocket of one stream.

It lives on an event loop for both clients: a blocking one over TLS can neither be read
with a deadline nor be closed while it is read, so a server that falls silent during the
handshake would hold its caller for ever.  The blocking client runs a loop in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from threading import Thread
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from trinity_beast.client.effects import Lost, OpenSocket, Reply
from trinity_beast.client.parts import Parts
from trinity_beast.client.translating import (
    LINE_CLOSED,
    SOCKET_FAULTS,
    SWITCHED,
    lost_socket,
    refusal_of_socket,
)

Result = TypeVar("Result")

_CLOSE_TIMEOUT_S = 1.0


class Socket:
    """A WebSocket, opened once.

    Args:
        parts: Where the server is, and for whom it is opened.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ends = AsyncExitStack()
        self._connection: ClientConnection | None = None

    async def open(self, effect: OpenSocket) -> Reply | Lost:
        """Connect and send the greeting."""
        parts = self._parts
        opening = connect(
            parts.socket_origin + effect.path,
            additional_headers=parts.credentials.headers(),
            open_timeout=parts.options.timeout_s,
            close_timeout=_CLOSE_TIMEOUT_S,
            ping_interval=parts.beat_s(),
            ping_timeout=2 * parts.beat_s(),
            proxy=parts.options.use_proxies or None,
            ssl=parts.socket_tls(),
            logger=parts.silent_log,
        )
        try:
            connection = await self._ends.enter_async_context(opening)
            await connection.send(effect.greeting)
        except InvalidStatus as refused:
            return refusal_of_socket(refused)
        except SOCKET_FAULTS as error:
            return lost_socket(error)
        self._connection = connection
        return SWITCHED

    async def read(self) -> bytes | Lost:
        """Return the next message."""
        if self._connection is None:
            return LINE_CLOSED
        try:
            return await self._connection.recv(decode=False)
        except SOCKET_FAULTS as error:
            return lost_socket(error)

    async def close(self) -> None:
        """Say farewell and hang up."""
        await self._ends.aclose()


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something on the loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the loop and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
