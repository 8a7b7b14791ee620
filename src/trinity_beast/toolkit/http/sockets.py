"""uvicorn's WebSocket connection with our manners.

What uvicorn leaves open: a client that takes nothing is never got rid of, since closing
waits for what it is owed; its pings are answered however many answers wait; a message
may have any number of empty parts; and a head that only the WebSocket library refuses
is never answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypedDict, cast

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from uvicorn.server import ServerState

from trinity_beast.toolkit.http.problems import PROBLEM_TYPE, problem_body
from trinity_beast.toolkit.http.protocol import Manners, NotHttp
from trinity_beast.toolkit.http.wires import (
    CONNECTION,
    HANG_UP_AFTER_S,
    limit_kernel_buffer,
)

GOING_AWAY = 1001
UNSUPPORTED = 1003
NOT_TEXT = 1007
POLICY_VIOLATION = 1008
TOO_BIG = 1009
INTERNAL_ERROR = 1011
"""Close codes.  Source: RFC 6455, section 7.4.1."""

MOST_MESSAGE_BYTES = 16_384
MOST_OWED_BYTES = 262_144
"""A client that lets more than this wait, all pongs included, is cut off."""

_MOST_PARTS = 64
_PING_EVERY_S = 15.0
_PONG_WITHIN_S = 45.0


_log = structlog.get_logger("http")

Heard = Callable[[str | None], Coroutine[None, None, None] | None]
"""Takes a message in; None stands for one that is not text.

What it returns is awaited before the next message is taken in.
"""


class _SocketSettings(TypedDict):
    ws_max_size: int
    ws_ping_interval: float
    ws_ping_timeout: float
    ws_per_message_deflate: bool


SOCKET_SETTINGS: _SocketSettings = {
    "ws_max_size": MOST_MESSAGE_BYTES,
    # Together a minute: whoever reads nothing for so long is not there.
    "ws_ping_interval": _PING_EVERY_S,
    "ws_ping_timeout": _PONG_WITHIN_S,
    # A compressor a client would cost more memory than all the rest of it.
    "ws_per_message_deflate": False,
}
"""What uvicorn's configuration says of WebSockets."""


class PoliteSocket(WebSocketsSansIOProtocol):
    """One WebSocket; also the wire of a stream over it."""

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
        self._manners = manners
        self._heard: Heard | None = None
        self._lost: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: deque[str | None] = deque()

    def listen(self, heard: Heard, lost: Callable[[], None]) -> None:
        """Take messages as they come, without a task that waits for them.

        The application may return then, and all that it had of the request is
        forgotten, which is most of what a connection costs.

        Args:
            heard: Called with each message; whatever it raises ends the connection.
            lost: Called when the connection has ended, whoever ended it.
        """
        self._heard, self._lost = heard, lost
        while not self.queue.empty():
            event = cast("dict[str, Any]", self.queue.get_nowait())
            if event["type"] == "websocket.receive":
                self._hear(event.get("text"))
        if self._task is None:
            self._read_on()

    async def run_asgi(self) -> None:
        """Run the application; a connection that is listened to outlives it."""
        try:
            app = cast("ASGIApp", self.app)
            await app(
                cast("Scope", self.scope),
                cast("Receive", self.receive),
                cast("Send", self.send),
            )
        except ClientDisconnected:
            pass
        except Exception:  # noqa: BLE001 - one connection ends, the listener goes on
            _log.exception("socket failed", path=self.scope["path"])
            self.end(b"", INTERNAL_ERROR, "internal")
        if not self.handshake_complete:
            self.send_500_response()
        if self._heard is None:
            self._close_at_last()
        self._forget()

    @property
    def draining(self) -> bool:
        """Whether the listener is about to stop."""
        return self._manners.draining

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost by hanging up."""
        return self.close_sent

    @property
    def owed_bytes(self) -> int:
        """Bytes that were written and that the client's system did not take yet."""
        return self.transport.get_write_buffer_size()

    def announce_close(self) -> None:
        """Say that the listener goes away."""
        self.end(b"", GOING_AWAY, "")

    def write(self, data: bytes) -> None:
        """Write whole frames; see ``frame_of``."""
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(data)

    def end(self, last: bytes, code: int, reason: str) -> None:
        """Write last frames, say why the connection ends, and see to it that it does.

        A connection that is not open yet, or is closing already, is left alone.
        """
        if not self.handshake_complete or self.close_sent:
            return
        if self.conn.close_sent is not None or self.conn.close_rcvd is not None:
            return
        self.write(last)
        self.conn.send_close(code, reason)
        if self._heard is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # Its answer would never be seen if reading stayed paused.
        self._read_on()
        self.close_timer = self.loop.call_later(HANG_UP_AFTER_S, self.abort)

    def abort(self) -> None:
        """Hang up at once."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over from HTTP."""
        super().connection_made(transport)
        limit_kernel_buffer(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application, and a listener that waits for it."""
        super().connection_lost(exc)
        if self._manners.draining and not self.connections:
            self._manners.all_closed.set()
        if self._lost is not None:
            self._lost()
            self._heard = self._lost = None
            self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; whoever lets too much wait in return is cut off."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_head()
        elif self.owed_bytes > MOST_OWED_BYTES:
            self.abort()

    def handle_close(self, event: Any) -> None:  # noqa: ANN401 - a vendor's frame
        """Close because the client wants it, or agrees to it."""
        super().handle_close(event)
        self._abort_later()

    def handle_cont(self, event: Any) -> None:  # noqa: ANN401 - a vendor's frame
        """Take a part of a message in; bytes are bounded, empty parts are not."""
        if len(self.frames) < _MOST_PARTS:
            super().handle_cont(event)
        else:
            self.frames = []
            self.end(b"", TOO_BIG, "too many parts")

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on."""
        if self._heard is None:
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        if self.close_sent:
            return
        if self.curr_msg_data_type != "text":
            self._hear(None)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.end(b"", NOT_TEXT, "not UTF-8")
        else:
            self._hear(text)

    def handle_parser_exception(self) -> None:
        """Close after frames that break the protocol."""
        super().handle_parser_exception()
        self._abort_later()

    def keepalive_timeout(self) -> None:
        """Close when a ping stays without its pong."""
        super().keepalive_timeout()
        self._abort_later()

    def _hear(self, text: str | None) -> None:
        """Hand a message on, after those that came before it."""
        self._waiting.append(text)
        self._hear_those_waiting()

    def _hear_those_waiting(self) -> None:
        while self._waiting and self._task is None and self._heard is not None:
            try:
                rest = self._heard(self._waiting.popleft())
            except Exception:  # noqa: BLE001 - one connection ends, not the listener
                self._fail()
                return
            if rest is not None:
                # The client must wait too, or it could have any number waiting here.
                self._pause_reading()
                self._task = self.loop.create_task(self._finish(rest))

    async def _finish(self, rest: Coroutine[None, None, None]) -> None:
        try:
            await rest
        except Exception:  # noqa: BLE001 - one connection ends, not the listener
            self._fail()
        self._task = None
        self._hear_those_waiting()
        if self._task is None:
            self._read_on()

    def _fail(self) -> None:
        _log.exception("socket failed")
        self.end(b"", INTERNAL_ERROR, "internal")

    def _pause_reading(self) -> None:
        # uvloop refuses both of a connection that is about to close.
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def _close_at_last(self) -> None:
        if self.close_timer is None:
            self.transport.close()
            self._abort_later()

    def _forget(self) -> None:
        """Drop what only the handshake needed."""
        # uvicorn reads none of it once the connection is open.
        vars(self).pop("request", None)
        vars(self).pop("response", None)
        vars(self).pop("scope", None)

    def _abort_later(self) -> None:
        # uvicorn's close waits for what the client is owed, for ever if need be.
        self.loop.call_later(HANG_UP_AFTER_S, self.abort)

    def _read_on(self) -> None:
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def _refuse_head(self) -> None:
        request_id = self._manners.request_ids.new()
        body = problem_body(NotHttp(), request_id)
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {PROBLEM_TYPE}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\n"
            "cache-control: no-store\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
        self._abort_later()
