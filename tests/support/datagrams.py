"""Batches of datagrams without a network, and clients with one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

from trinity_beast.toolkit.udp import Batch, Sender, WayBack, sender_of

STRANGER = sender_of("203.0.113.9")


class Post:
    """Hands datagrams to a handler and keeps the answers that come later."""

    def __init__(self, answers_to: Callable[[Batch], Sequence[bytes | None]]) -> None:
        self._answers_to = answers_to
        self.late: list[bytes] = []

    def ask(self, datagram: bytes, sender: Sender = STRANGER) -> bytes | None:
        """Return the answer to one datagram, if it comes at once."""
        [answer] = self.ask_all([datagram], sender)
        return answer

    def ask_all(
        self,
        datagrams: Sequence[bytes],
        sender: Sender = STRANGER,
    ) -> Sequence[bytes | None]:
        """Return the answers to datagrams that come at once."""
        batch = Batch(datagrams, [sender] * len(datagrams), self._way_back)
        return self._answers_to(batch)

    def _way_back(self, _index: int) -> WayBack:
        return self.late.append


class Caller:
    """A client with a socket of its own."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 - the socket module's own word
        self._socket.connect((host, port))

    @property
    def port(self) -> int:
        """The port that answers come to."""
        port: int = self._socket.getsockname()[1]
        return port

    def send(self, *datagrams: bytes) -> None:
        """Send datagrams."""
        for datagram in datagrams:
            self._socket.send(datagram)

    async def hear(self, count: int = 1, within_s: float = 5.0) -> list[bytes]:
        """Return the next datagrams that come, as many as asked."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(within_s):
            return [await loop.sock_recv(self._socket, 4096) for _ in range(count)]

    def hears_nothing(self) -> bool:
        """Tell whether nothing has come."""
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
