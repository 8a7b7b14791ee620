"""uvicorn's HTTP/1.1 connection with our manners.

What uvicorn leaves open, in the order that a connection meets it: a head has a largest
size and a longest time, a body a longest time, what is not HTTP gets our problem form,
and a server that stops tells each client so before it hangs up.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from trinity_beast.kernel.errors import BeastError, Invalid
from trinity_beast.toolkit.http.problems import (
    PROBLEM_TYPE,
    PayloadTooLarge,
    problem_body,
    status_of,
)
from trinity_beast.toolkit.http.request_ids import RequestIds

_REASONS = {400: "Bad Request", 413: "Content Too Large"}


class NotHttp(Invalid):
    """What came over the connection is not HTTP/1.1."""

    template = "This is not a valid HTTP/1.1 request."


@dataclass(slots=True)
class Manners:
    """How connections of one listener behave; shared by all of them.

    Attributes:
        request_ids: Ids for refusals that no application sees.
        most_head_bytes: Largest request line and headers together.
        request_timeout_s: Longest time from the first byte of a request (or from the
            opening of the connection) to its last one.
        linger_s: How long idle connections may ask once more when the listener stops.
        draining: Set when the listener stops: each answer closes its connection.
        all_closed: Set when, while draining, the last connection has ended.
    """

    request_ids: RequestIds
    most_head_bytes: int = 65_536
    request_timeout_s: float = 30.0
    linger_s: float = 1.0
    draining: bool = field(default=False, init=False)
    all_closed: asyncio.Event = field(default_factory=asyncio.Event, init=False)


class PoliteProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        manners: Manners,
        *,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._manners = manners
        self._head_bytes = 0
        self._in_head = False
        self._receiving = False
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is being received or answered."""
        if self._receiving:
            return False
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison] - uvicorn starts with None

    def announce_close(self) -> None:
        """Let the answer that is being made be the connection's last one."""
        if self.cycle is not None:  # pyright: ignore[reportUnnecessaryComparison] - uvicorn starts with None
            self.cycle.keep_alive = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_deadline()
        super().connection_lost(exc)
        if self._manners.draining and not self.connections:
            self._manners.all_closed.set()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, refusing a head that grows too large."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._manners.most_head_bytes:
                self._refuse(PayloadTooLarge(most_bytes=self._manners.most_head_bytes))

    def on_message_begin(self) -> None:
        """Note that a head has begun."""
        super().on_message_begin()
        self._in_head = self._receiving = True
        self._head_bytes = 0
        if self._deadline is None:
            self._start_deadline()

    def on_headers_complete(self) -> None:
        """Hand the request to the application."""
        self._in_head = False
        super().on_headers_complete()
        if self._manners.draining:
            self.announce_close()

    def on_message_complete(self) -> None:
        """Stop the clock: the request is whole."""
        self._receiving = False
        self._stop_deadline()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in the form of all our refusals."""
        del msg
        self._refuse(NotHttp())

    def _refuse(self, error: BeastError) -> None:
        self._in_head = False
        self._stop_deadline()
        request_id = self._manners.request_ids.new()
        body = problem_body(error, request_id)
        status = status_of(error)
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
            f"content-type: {PROBLEM_TYPE}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\n"
            "cache-control: no-store\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(
            self._manners.request_timeout_s,
            self._give_up,
        )

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.abort()
