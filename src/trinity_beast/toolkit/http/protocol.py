"""uvicorn's HTTP/1.1 connection with our manners.

What uvicorn leaves open, in the order that a connection meets it: a head has a largest
size and a longest time, a body a longest time, what is not HTTP gets our problem form,
and a server that stops tells each client so before it hangs up.

A listener may take a shortcut past parser and application for requests that it has
answered before; whatever else comes takes the ordinary way, byte for byte unchanged.

Hot path: `data_received` with a shortcut; measured in bench/http.py, budget 1
microsecond beside the shortcut's own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from trinity_beast.kernel.errors import BeastError, Invalid
from trinity_beast.toolkit.http.addresses import ClientAddresses
from trinity_beast.toolkit.http.problems import (
    PROBLEM_TYPE,
    PayloadTooLarge,
    problem_body,
    status_of,
)
from trinity_beast.toolkit.http.request_ids import RequestIds
from trinity_beast.toolkit.http.wires import CONNECTION

WHOLE_REQUEST = "trinity_beast.whole_request"
"""Key of a scope: all bytes of the request, when they are fit to be remembered.

They came in one piece, alone, and no longer than `MOST_WHOLE_BYTES`, and their answer
leaves the connection open: the same bytes on an idle connection are the same request.
Only listeners with a shortcut set it.
"""

MOST_WHOLE_BYTES = 2_048

_REASONS = {400: "Bad Request", 413: "Content Too Large"}


class NotHttp(Invalid):
    """What came over the connection is not HTTP/1.1."""

    template = "This is not a valid HTTP/1.1 request."


class Shortcut(Protocol):
    """Answers requests that are known by their bytes."""

    def try_answer(self, data: bytes, peer: str) -> bytes | None:
        """Return the whole answer, or None to let the request take the ordinary way.

        Args:
            data: All that came in, on a connection where nothing else is going on; it
                may be part of a request, several, or anything at all.
            peer: Address of the connection's other end, as `ClientAddresses` tells it.
        """
        ...


@dataclass(slots=True)
class Manners:
    """How connections of one listener behave; shared by all of them.

    Attributes:
        request_ids: Ids for refusals that no application sees.
        most_head_bytes: Largest request line and headers together.
        request_timeout_s: Longest time from the first byte of a request (or from the
            opening of the connection) to its last one.
        keep_alive_s: How long a connection is kept after an answer.
        linger_s: How long idle connections may ask once more when the listener stops.
        shortcut: Asked first; None lets every request take the ordinary way.
        draining: Set when the listener stops: each answer closes its connection.
        all_closed: Set when, while draining, the last connection has ended.
    """

    request_ids: RequestIds
    most_head_bytes: int = 65_536
    request_timeout_s: float = 30.0
    keep_alive_s: float = 75.0
    linger_s: float = 1.0
    shortcut: Shortcut | None = None
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
        app_state = {**app_state, CONNECTION: self}
        super().__init__(config, server_state, app_state, _loop)
        # uvicorn's setting knows whole seconds only.
        self.timeout_keep_alive = cast("int", manners.keep_alive_s)
        self._manners = manners
        self._head_bytes = 0
        self._in_head = False
        self._receiving = False
        self._deadline: asyncio.TimerHandle | None = None
        shortcut = manners.shortcut
        self._try_answer = None if shortcut is None else shortcut.try_answer
        self._peer = ""
        self._begun = 0
        self._short_cut_at = 0.0

    @property
    def manners(self) -> Manners:
        """How connections of the listener behave."""
        return self._manners

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

    def let_go(self) -> bool:
        """Leave the connection to another protocol, in the middle of an answer.

        Here the answer counts as complete, so all that served it can be forgotten; what
        the client sent ahead is dropped.

        Returns:
            False when the client is gone, and there is nothing to leave.
        """
        if self.transport.is_closing():
            return False
        self.cycle.response_complete = True
        self.pipeline.clear()
        self.flow.resume_reading()
        self.connections.discard(self)
        return True

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._start_deadline()
        if self._try_answer is not None:
            self._peer = ClientAddresses().of({"client": self.client})

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_deadline()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        if self._manners.draining and not self.connections:
            self._manners.all_closed.set()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, refusing a head that grows too large."""
        try_answer = self._try_answer
        cycle = self.cycle
        if (
            try_answer is None
            or self._receiving
            or (cycle is not None and not cycle.response_complete)  # pyright: ignore[reportUnnecessaryComparison] - uvicorn starts with None
            or self.flow.write_paused
            or self._manners.draining
        ):
            # An answer written now could overtake one, or is not ours to write.
            self._parse(data)
            return
        answer = try_answer(data, self._peer)
        if answer is None:
            self._parse_first(data)
            return
        self.transport.write(answer)
        self._short_cut_at = self.loop.time()
        if self._deadline is not None:
            self._stop_deadline()
        if self.timeout_keep_alive_task is None:
            self._wait_for_next(self._manners.keep_alive_s)

    def _parse_first(self, data: bytes) -> None:
        """Parse what came in on a free connection; it may be fit to be remembered."""
        self._begun = 0
        self._parse(data)
        if self._is_whole(data):
            scope = cast("dict[str, object]", self.scope)
            scope[WHOLE_REQUEST] = data

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._manners.most_head_bytes:
                self._refuse(PayloadTooLarge(most_bytes=self._manners.most_head_bytes))

    def _is_whole(self, data: bytes) -> bool:
        """Tell whether the bytes that were just parsed were exactly one request."""
        parser = self.parser
        return (
            parser is not None
            and self._begun == 1
            and not self._receiving
            and len(data) <= MOST_WHOLE_BYTES
            and not self.expect_100_continue
            and not parser.should_upgrade()
            and self.cycle.keep_alive
        )

    def _wait_for_next(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds,
            self.timeout_keep_alive_handler,
        )

    def timeout_keep_alive_handler(self) -> None:
        """Hang up on a connection that was idle for so long.

        Short answers do not set the clock anew, which would cost more than they do; so
        it may ring too early, and is then set to the rest.
        """
        idle_s = self.loop.time() - self._short_cut_at
        if idle_s < self._manners.keep_alive_s:
            self._wait_for_next(self._manners.keep_alive_s - idle_s)
        else:
            super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        """Note that a head has begun."""
        super().on_message_begin()
        self._begun += 1
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
        self._begun = 0
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
