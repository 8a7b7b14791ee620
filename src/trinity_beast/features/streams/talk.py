"""The conversation over one WebSocket."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace

import msgspec

from trinity_beast.features.limits import TokenBucket
from trinity_beast.features.prices import PriceRequest
from trinity_beast.features.streams.errors import (
    OperationUnreadable,
    TooManyOperations,
)
from trinity_beast.features.streams.hub import Client, StreamHub, error_event
from trinity_beast.features.streams.model import frame_of, point_in, text_of
from trinity_beast.features.streams.operations import (
    Operation,
    assets_of,
    operation_in,
)
from trinity_beast.features.streams.service import StreamService
from trinity_beast.kernel.errors import BeastError
from trinity_beast.kernel.time import NS_PER_MS
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.http.sockets import UNSUPPORTED

_OPERATIONS_PER_S = 10
_OPERATIONS_AT_ONCE = 50
_PONG = frame_of(text_of("pong", b"{}"))


class Talk:
    """Does what a client asks for, one message after the other.

    Args:
        service: For subscriptions.
        hub: For the end of them.
        client: Who talks.
        request: How the connection was opened.
        clock: The time.
    """

    def __init__(
        self,
        service: StreamService,
        hub: StreamHub,
        client: Client,
        *,
        request: PriceRequest,
        clock: Clock,
    ) -> None:
        self._service = service
        self._hub = hub
        self._client = client
        self._request = request
        self._clock = clock
        self._patience = TokenBucket(
            _OPERATIONS_PER_S,
            _OPERATIONS_AT_ONCE,
            clock.monotonic_ns(),
        )

    def hear(self, text: str | None) -> Coroutine[None, None, None] | None:
        """Do what a message asks for, and write the answer.

        Messages that are not text, and more of them than anybody needs, end the
        connection.

        Args:
            text: The message; None when it is not text.

        Returns:
            What is left to do before the next message is heard.
        """
        if not self._client.is_open:
            return None
        if text is None:
            self._hub.end(self._client, OperationUnreadable(), UNSUPPORTED)
            return None
        wait_ns = self._patience.take(self._clock.monotonic_ns())
        if wait_ns:
            error = TooManyOperations(retry_after_ms=-(-wait_ns // NS_PER_MS))
            self._hub.end(self._client, error)
            return None
        try:
            operation = operation_in(text)
            if operation.op == "subscribe":
                return self._subscribe(operation)
            answer = self._done(operation)
        except BeastError as error:
            answer = error_event("frames", error)
        self._client.write(answer)
        return None

    def _done(self, operation: Operation) -> bytes:
        if operation.op == "ping":
            return _PONG
        assets = assets_of(operation.assets)
        left = self._hub.unfollow(self._client, assets)
        data = msgspec.json.encode({"assets": left})
        return frame_of(text_of("unsubscribed", data))

    async def _subscribe(self, operation: Operation) -> None:
        asked = self._request
        try:
            asked = replace(asked, assets=assets_of(operation.assets))
        except BeastError as fault:
            asked = replace(asked, fault=fault)
        point = point_in(operation.last_event_id)
        answer = await self._service.subscribe(self._client, asked, point)
        if answer.error is None:
            self._client.write(answer.body)
        else:
            self._client.write(error_event("frames", answer.error))
