"""Request ids: one for each request, on each answer, in each log line of it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trinity_beast.kernel.ids import RANDOM_BYTES, uuid7
from trinity_beast.ports.clock import Clock
from trinity_beast.ports.randomness import Randomness

_SCOPE_KEY = "trinity_beast.request_id"


class RequestIds:
    """Makes request ids: UUIDv7 text, so they sort by time.

    A client's own id is never taken over: it could pass for somebody else's, and it
    would end in our logs unread.
    """

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    def new(self) -> str:
        """Return an id that no other request has."""
        random = self._randomness.token_bytes(RANDOM_BYTES)
        return str(uuid7(self._clock.now_ns(), random))


def request_id_of(scope: Scope) -> str:
    """Return the id of the request of a scope."""
    return str(scope[_SCOPE_KEY])


class AnswerHeaders:
    """Puts the headers on each answer that each answer has.

    ``X-Request-Id`` and ``X-Content-Type-Options`` always; ``Cache-Control: no-store``
    unless the route said something else: an answer that may be kept is the exception.
    """

    def __init__(self, app: ASGIApp, request_ids: RequestIds) -> None:
        self._app = app
        self._request_ids = request_ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the request an id and its answer the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_ids.new()
        scope[_SCOPE_KEY] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)
