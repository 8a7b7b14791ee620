"""Endpoints: one bound socket on an event loop, by the batch or one at a time.

Hot path: ``BatchedEndpoint.read``, measured in bench/udp.py; budget 4 microseconds a
call beside the system calls and the handler.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import structlog

from trinity_beast.toolkit.udp.batch import Batch, Handler, WayBack, sender_of
from trinity_beast.toolkit.udp.messages import MOST_AT_ONCE, MOST_BYTES, Messages

_log = structlog.get_logger("udp")

_LAST_BATCHES = 256
"""Batches that are still read when reading stops: 16,384 datagrams, about what the
kernel keeps for a socket."""


class Endpoint(Protocol):
    """A socket whose datagrams are answered."""

    @property
    def unsent(self) -> int:
        """Return how many answers the system did not take."""
        ...

    async def start(self) -> None:
        """Begin to read."""
        ...

    async def stop_reading(self) -> None:
        """Answer what has arrived, then read no more."""
        ...

    def close(self) -> None:
        """Let go of the socket, after the last late answer."""
        ...


class BatchedEndpoint:
    """Reads and answers by ``recvmmsg`` and ``sendmmsg``."""

    def __init__(self, sock: socket.socket, handler: Handler) -> None:
        self._socket = sock
        self._handler = handler
        self._messages = Messages(sock)
        self._unsent_late = 0

    @property
    def unsent(self) -> int:
        """Return how many answers the system did not take."""
        return self._messages.unsent + self._unsent_late

    async def start(self) -> None:
        """Begin to read."""
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self.read)

    async def stop_reading(self) -> None:
        """Answer what has arrived, then read no more."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        for _ in range(_LAST_BATCHES):
            if not self.read():
                return

    def close(self) -> None:
        """Let go of the socket, after the last late answer."""
        self._socket.close()

    def read(self) -> int:
        """Answer one batch, and return of how many datagrams it was.

        One batch a turn of the event loop, so that a flood leaves room for others.
        """
        messages = self._messages
        datagrams = messages.receive()
        if not datagrams:
            return 0
        count = len(datagrams)
        batch = Batch(datagrams, messages.senders(count), self._way_back)
        answers = _answers(self._handler, batch)
        if answers:
            messages.answer(answers)
        return count

    def _way_back(self, index: int) -> WayBack:
        return partial(self._send_late, self._messages.return_address(index))

    def _send_late(self, address: tuple[str | int, ...], answer: bytes) -> None:
        try:
            self._socket.sendto(answer, address)
        except OSError:
            self._unsent_late += 1


class PlainEndpoint(asyncio.DatagramProtocol):
    """Reads and answers one datagram at a time, wherever asyncio runs."""

    def __init__(self, sock: socket.socket, handler: Handler) -> None:
        self.unsent = 0
        self._socket = sock
        self._handler = handler
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()

    async def start(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self,
            sock=self._socket,
        )

    async def stop_reading(self) -> None:
        """Answer what has arrived, then read no more.

        Datagrams are answered as they are read; asyncio cannot be told to stop reading
        and go on sending, so what arrives from now on is simply not looked at.
        """
        # Once around the loop: what the socket holds now is read and answered.
        for _ in range(MOST_AT_ONCE):
            await asyncio.sleep(0)
        self._closed.set()

    def close(self) -> None:
        """Let go of the socket, after the last late answer."""
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Answer a datagram."""
        if self._closed.is_set():
            return
        sender = sender_of(str(addr[0]))
        way_back = partial(self._send, addr)
        batch = Batch([data[: MOST_BYTES + 1]], [sender], lambda _index: way_back)
        for answer in _answers(self._handler, batch):
            if answer:
                way_back(answer)

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002 - asyncio's name
        """Count an answer that the system gave back."""
        self.unsent += 1

    def _send(self, address: tuple[str | int, ...], answer: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(answer, address)


def _answers(handler: Handler, batch: Batch) -> Sequence[bytes | None]:
    try:
        return handler.answers_to(batch)
    except Exception:  # noqa: BLE001 - one bad batch must not end the listener
        _log.exception("datagrams dropped", datagrams=len(batch.datagrams))
        return ()


def kernel_buffers(sock: socket.socket, size_bytes: int) -> None:
    """Ask for room in the kernel for bursts; it gives what its limits allow."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size_bytes)
