"""Carries out what the logic asks for, blocking."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

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
from trinity_beast.client.sockets import LoopThread, Socket
from trinity_beast.client.translating import (
    LINE_CLOSED,
    STREAM_ENDED,
    lost_by,
    reply_of,
)

_LARGEST_DATAGRAM = 65_535


def open_http(parts: Parts) -> httpx.Client:
    """Return a pool of connections to the server; it follows no redirects."""
    return httpx.Client(
        base_url=parts.origin,
        headers=parts.headers(),
        timeout=parts.options.timeout_s,
        verify=parts.verify(),
        trust_env=parts.options.use_proxies,
    )


def send(http: httpx.Client, effect: Send) -> Reply | Lost:
    """Send a request and read the whole answer."""
    request = effect.request
    try:
        response = http.request(
            request.method,
            request.path,
            headers=request.headers,
            content=request.content,
            timeout=effect.timeout_s,
        )
    except httpx.RequestError as error:
        return lost_by(error)
    return reply_of(response, response.content)


def exchange(
    parts: Parts,
    effect: Exchange,
) -> bytes | Lost:
    """Send a datagram from a port of its own and receive the answer that fits."""
    around = parts.around
    try:
        ends_at_s = around.monotonic_s() + effect.timeout_s
        found = socket.getaddrinfo(*parts.udp_address, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as line:
            line.connect(place)
            line.send(effect.datagram)
            while True:
                # At least a moment: a timeout of zero would mean not to wait at all.
                line.settimeout(max(ends_at_s - around.monotonic_s(), 0.001))
                datagram = line.recv(_LARGEST_DATAGRAM)
                if effect.fits(datagram):
                    return datagram
    except OSError as error:
        return lost_by(error)


class Line:
    """The connection of one stream.

    Args:
        parts: Where the server is.
        http: Its connections.
    """

    def __init__(self, parts: Parts, http: httpx.Client) -> None:
        self._parts = parts
        self._http = http
        self._ends = ExitStack()
        self._read: Callable[[], bytes | Lost] = _nothing

    def do(self, effect: OpenEvents | OpenSocket | Read | Wait) -> Outcome:
        """Carry out what the logic asks for."""
        if isinstance(effect, Read):
            return self._read()
        self.close()
        if isinstance(effect, OpenEvents):
            return self._open_events(effect)
        if isinstance(effect, OpenSocket):
            return self._open_socket(effect)
        return self._parts.around.sleep(effect.seconds)

    def close(self) -> None:
        """Close the connection, if one is open."""
        self._read = _nothing
        self._ends.close()

    def _open_events(self, effect: OpenEvents) -> Reply | Lost:
        options, request = self._parts.options, effect.request
        patience = httpx.Timeout(options.timeout_s, read=options.silence_s)
        opening = self._http.stream(
            request.method,
            request.path,
            headers=request.headers,
            timeout=patience,
        )
        try:
            response = self._ends.enter_context(opening)
            if response.is_error:
                return reply_of(response, response.read())
        except httpx.RequestError as error:
            return lost_by(error)
        chunks = response.iter_bytes()
        self._read = lambda: _next_chunk(chunks)
        return reply_of(response)

    def _open_socket(self, effect: OpenSocket) -> Reply | Lost:
        loop, line = LoopThread(), Socket(self._parts)
        self._ends.callback(loop.close)
        self._ends.callback(lambda: loop.run(line.close()))
        self._read = lambda: loop.run(line.read())
        return loop.run(line.open(effect))


def _nothing() -> Lost:
    return LINE_CLOSED


def _next_chunk(chunks: Iterator[bytes]) -> bytes | Lost:
    try:
        return next(chunks, STREAM_ENDED)
    except httpx.RequestError as error:
        return lost_by(error)
