"""How much of a request we read."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trinity_beast.toolkit.http.problems import PayloadTooLarge

MOST_BODY_BYTES = 65_536


class BodyLimit:
    """Stops reading a body that is too large, whatever its framing.

    The refusal is raised where the route reads the body, so a route that knows who is
    asking can answer in its own form; a route that reads no body is not troubled.

    Raises:
        PayloadTooLarge: From ``receive``: announced by its length before the first
            byte is read, or found while reading.
    """

    def __init__(self, app: ASGIApp, most_bytes: int = MOST_BODY_BYTES) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a ``receive`` that counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = 0
        announced = _announced_bytes(scope)

        async def receive_counted() -> Message:
            nonlocal seen
            if announced > self._most_bytes:
                raise PayloadTooLarge(most_bytes=self._most_bytes)
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most_bytes:
                raise PayloadTooLarge(most_bytes=self._most_bytes)
            return message

        await self._app(scope, receive_counted, send)


def _announced_bytes(scope: Scope) -> int:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
