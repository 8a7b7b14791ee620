"""The routes of the streams."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from trinity_beast.features.prices import (
    Answer,
    Described,
    LpoParts,
    read_request,
    refusal_response,
)
from trinity_beast.features.streams import described
from trinity_beast.features.streams.errors import SocketOnly
from trinity_beast.features.streams.hub import Client, StreamHub
from trinity_beast.features.streams.market import Market
from trinity_beast.features.streams.model import RETRY_MS, Tape, point_in
from trinity_beast.features.streams.operations import (
    SOCKET_PATH,
    STREAM,
    STREAM_PATH,
)
from trinity_beast.features.streams.service import Admission, StreamService
from trinity_beast.features.streams.sockets import PriceSocket
from trinity_beast.features.usage import UsageIds
from trinity_beast.toolkit.http.addresses import ClientAddresses
from trinity_beast.toolkit.http.envelope import Envelope
from trinity_beast.toolkit.http.event_wire import EventWire
from trinity_beast.toolkit.http.problems import MethodNotAllowed
from trinity_beast.toolkit.http.protocol import PoliteProtocol
from trinity_beast.toolkit.http.wires import connection_of

_EPOCH_BYTES = 4
_OTHERS = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_EVENT_STREAM = "text/event-stream; charset=utf-8"
_RETRY = f"retry: {RETRY_MS}\n".encode()
_UNBUFFERED = {
    "Cache-Control": "no-store",
    # Said to nginx, and understood by others: pass each event on at once.
    "X-Accel-Buffering": "no",
}


def add_streams(app: FastAPI, parts: LpoParts) -> StreamHub:
    """Add the streams to an application, and return the hub, whose ``run`` must run.

    Args:
        app: The application of the price listener.
        parts: Its collaborators.
    """
    tape = Tape(parts.randomness.token_bytes(_EPOCH_BYTES).hex())
    admission = Admission(parts)
    hub = StreamHub(
        Market(parts, tape),
        tape,
        parts.clock,
        welcome=admission.why_not,
    )
    service = StreamService(parts, hub, admission, UsageIds(parts.randomness))
    StreamRoutes(parts, hub, service).add_to(app)
    return hub


Handler = Callable[[Request], Awaitable[Response]]


class EventStream(Response):
    """An answer that begins with a snapshot and ends with the connection."""

    def __init__(
        self,
        hub: StreamHub,
        client: Client,
        answer: Answer,
        connection: PoliteProtocol,
    ) -> None:
        super().__init__(headers=_UNBUFFERED | answer.headers, media_type=_EVENT_STREAM)
        # The length of what has no end.
        del self.headers["content-length"]
        self._hub = hub
        self._client = client
        self._connection = connection
        self._opening = _RETRY + answer.body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the beginning, and leave the connection to the hub."""
        del scope, receive
        hub, client = self._hub, self._client
        start = {"type": "http.response.start", "status": 200}
        opening = {"type": "http.response.body", "body": self._opening}
        is_open = False
        try:
            await send({**start, "headers": self.raw_headers})
            await send({**opening, "more_body": True})
            wire = cast("EventWire", client.wire)
            is_open = wire.take_over(self._connection, partial(hub.leave, client))
            hub.open(client)
        finally:
            if not is_open:
                hub.leave(client)


class StreamRoutes:
    """The event stream and the WebSocket."""

    def __init__(self, parts: LpoParts, hub: StreamHub, service: StreamService) -> None:
        self._hub = hub
        self._service = service
        self._envelope = Envelope("LPO", parts.identity.region, parts.identity.node)
        self._addresses = ClientAddresses(parts.trusted_hops)
        self._socket = PriceSocket(parts, hub, service)

    def add_to(self, app: FastAPI) -> None:
        """Add the routes, and behind each one its refusal of other methods."""
        _document(app, STREAM_PATH, self._stream, described.STREAM)
        _document(app, SOCKET_PATH, _socket_only, described.SOCKET)
        for path in (STREAM_PATH, SOCKET_PATH):
            app.add_route(path, _get_only, _OTHERS, include_in_schema=False)
        app.router.routes.append(WebSocketRoute(SOCKET_PATH, self._socket))

    async def _stream(self, request: Request) -> Response:
        connection = connection_of(request.scope, PoliteProtocol)
        wire = EventWire(connection)
        read = await read_request(request, STREAM, self._addresses.of(request.scope))
        point = point_in(request.headers.get("last-event-id", ""))
        opened = await self._service.stream(read, wire, point)
        if opened.client is None:
            return refusal_response(opened.answer, read, self._envelope)
        return EventStream(self._hub, opened.client, opened.answer, connection)


async def _socket_only(_: Request) -> Response:
    raise SocketOnly


async def _get_only(_: Request) -> Response:
    raise MethodNotAllowed(allow="GET")


def _document(app: FastAPI, path: str, handle: Handler, said: Described) -> None:
    app.add_api_route(
        path,
        handle,
        operation_id="get_" + path.strip("/").replace("/", "_"),
        summary=said.summary,
        description=said.description,
        tags=[said.tag],
        responses=said.responses,
        openapi_extra=said.extra,
        response_model=None,
        response_class=EventStream,
        status_code=min(int(status) for status in said.responses),
    )
