"""The route of the WebSocket: from the handshake to the close."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from trinity_beast.features.prices import (
    Answer,
    LpoParts,
    PriceRequest,
    refusal_response,
)
from trinity_beast.features.streams.hub import Client, StreamHub
from trinity_beast.features.streams.operations import QUERY_TYPE, SOCKET_PATH
from trinity_beast.features.streams.service import StreamService
from trinity_beast.features.streams.talk import Talk
from trinity_beast.kernel.errors import Invalid
from trinity_beast.toolkit.http.addresses import ClientAddresses
from trinity_beast.toolkit.http.credentials import (
    KeyInQuery,
    check_no_key_in,
    secret_of,
)
from trinity_beast.toolkit.http.envelope import Envelope
from trinity_beast.toolkit.http.request_ids import RequestIds
from trinity_beast.toolkit.http.requests import query_of
from trinity_beast.toolkit.http.sockets import PoliteSocket
from trinity_beast.toolkit.http.wires import connection_of


class PriceSocket:
    """Serves ``/ws/prices``; what is refused, is refused as an HTTP answer."""

    def __init__(self, parts: LpoParts, hub: StreamHub, service: StreamService) -> None:
        self._clock = parts.clock
        self._hub = hub
        self._service = service
        self._envelope = Envelope("LPO", parts.identity.region, parts.identity.node)
        self._addresses = ClientAddresses(parts.trusted_hops)
        self._request_ids = RequestIds(parts.clock, parts.randomness)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until it is closed."""
        wire = connection_of(scope, PoliteSocket)
        await receive()
        request = PriceRequest(
            secret="",
            endpoint=SOCKET_PATH,
            query_type=QUERY_TYPE,
            ip=self._addresses.of(scope),
            request_id=self._request_ids.new(),
            is_batch=True,
        )
        try:
            request = _read(scope, request)
        except Invalid as error:
            opened_answer, client = Answer(error=error), None
        else:
            opened = await self._service.connect(request, wire)
            opened_answer, client = opened.answer, opened.client
        if client is None:
            await self._refuse(opened_answer, request)(scope, receive, send)
        else:
            await self._begin(client, request, wire, send)

    def _refuse(self, answer: Answer, request: PriceRequest) -> Response:
        refused = refusal_response(answer, request, self._envelope)
        refused.headers["X-Request-Id"] = request.request_id
        refused.headers["Cache-Control"] = "no-store"
        return refused

    async def _begin(
        self,
        client: Client,
        request: PriceRequest,
        wire: PoliteSocket,
        send: Send,
    ) -> None:
        headers = [(b"x-request-id", request.request_id.encode("ascii"))]
        is_open = False
        try:
            await send({"type": "websocket.accept", "headers": headers})
            self._hub.open(client)
            talk = Talk(
                self._service,
                self._hub,
                client,
                request=request,
                clock=self._clock,
            )
            wire.listen(talk.hear, partial(self._hub.leave, client))
            is_open = True
        finally:
            if not is_open:
                self._hub.leave(client)


def _read(scope: Scope, request: PriceRequest) -> PriceRequest:
    """Return the request with what its handshake says.

    Raises:
        HeaderRepeated: A key header comes twice.
        KeysDiffer: Two keys were sent.
        KeyInQuery: A key stands in the URL, and none where it belongs.
    """
    request = replace(request, secret=secret_of(scope))
    try:
        check_no_key_in(query_of(scope))
    except KeyInQuery as fault:
        if not request.secret:
            raise
        return replace(request, fault=fault)
    except Invalid as fault:
        return replace(request, fault=fault)
    return request
