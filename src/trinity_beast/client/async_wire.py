"""Carries out what the logic asks for, on an asyncio event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx

from trinity_beast.client.effects import (
    Exchange,
    Lost,
    OpenEvents,
    OpenSocket,
    Outcome,
    Read,
    Reply,
    Send,
    Wait,
)
from trinity_beast.client.parts import Parts
from trinity_beast.client.sockets import Socket
from trinity_beast.client.translating import (
    LINE_CLOSED,
    STREAM_ENDED,
    lost_by,
    reply_of,
)


def open_http(parts: Parts) -> httpx.AsyncClient:
    """Return a pool of connections to the server; it follows no redirects."""
    return httpx.AsyncClient(
        base_url=parts.origin,
        headers=parts.headers(),
        timeout=parts.options.timeout_s,
        verify=parts.verify(),
        trust_env=parts.options.use_proxies,
    )


async def send(http: httpx.AsyncClient, effect: Send) -> Reply | Lost:
    """Send a request and read the whole answer."""
    request = effect.request
    try:
        response = await http.request(
            request.method,
            request.path,
            headers=request.headers,
            content=request.content,
            timeout=effect.timeout_s,
        )
    except httpx.RequestError as error:
        return lost_by(error)
    return reply_of(response, response.content)


async def exchange(parts: Parts, effect: Exchange) -> bytes | Lost:
    """Send a datagram from a port of its own and receive the answer that fits."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(effect.timeout_s):
            answer: asyncio.Future[bytes] = loop.create_future()
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Ear(answer, effect.fits),
                remote_addr=parts.udp_address,
            )
            try:
                transport.sendto(effect.datagram)
                return await answer
            finally:
                transport.close()
    except OSError as error:
        return lost_by(error)


class _Ear(asyncio.DatagramProtocol):
    """Hears datagrams until the one that fits."""

    def __init__(
        self,
        answer: asyncio.Future[bytes],
        fits: Callable[[bytes], bool],
    ) -> None:
        self._answer = answer
        self._fits = fits

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the protocol has it
        """Take a datagram."""
        if not self._answer.done() and self._fits(data):
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Take what the network says: that nobody listens there, mostly."""
        if not self._answer.done():
            self._answer.set_exception(exc)


class Line:
    """The connection of one stream.

    Args:
        parts: Where the server is.
        http: Its connections.
    """

    def __init__(self, parts: Parts, http: httpx.AsyncClient) -> None:
        self._parts = parts
        self._http = http
        self._ends = AsyncExitStack()
        self._read: Callable[[], Awaitable[bytes | Lost]] = _nothing

    async def do(self, effect: OpenEvents | OpenSocket | Read | Wait) -> Outcome:
        """Carry out what the logic asks for."""
        if isinstance(effect, Read):
            return await self._read()
        await self.close()
        if isinstance(effect, OpenEvents):
            return await self._open_events(effect)
        if isinstance(effect, OpenSocket):
            return await self._open_socket(effect)
        await self._parts.around.sleep_async(effect.seconds)
        return None

    async def close(self) -> None:
        """Close the connection, if one is open."""
        self._read = _nothing
        await self._ends.aclose()

    async def _open_events(self, effect: OpenEvents) -> Reply | Lost:
        options, request = self._parts.options, effect.request
        patience = httpx.Timeout(options.timeout_s, read=options.silence_s)
        opening = self._http.stream(
            request.method,
            request.path,
            headers=request.headers,
            timeout=patience,
        )
        try:
            response = await self._ends.enter_async_context(opening)
            if response.is_error:
                return reply_of(response, await response.aread())
        except httpx.RequestError as error:
            return lost_by(error)
        chunks = response.aiter_bytes()
        self._read = lambda: _next_chunk(chunks)
        return reply_of(response)

    async def _open_socket(self, effect: OpenSocket) -> Reply | Lost:
        line = Socket(self._parts)
        self._ends.push_async_callback(line.close)
        self._read = line.read
        return await line.open(effect)


async def _nothing() -> Lost:
    return LINE_CLOSED


async def _next_chunk(chunks: AsyncIterator[bytes]) -> bytes | Lost:
    try:
        return await anext(chunks, STREAM_ENDED)
    except httpx.RequestError as error:
        return lost_by(error)
