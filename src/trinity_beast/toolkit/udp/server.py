"""A listener: one handler on one UDP port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from trinity_beast.toolkit.http.listening import Address, addresses_of
from trinity_beast.toolkit.http.server import CannotListen, PortInUse
from trinity_beast.toolkit.udp.batch import Handler
from trinity_beast.toolkit.udp.endpoints import (
    BatchedEndpoint,
    Endpoint,
    PlainEndpoint,
    kernel_buffers,
)
from trinity_beast.toolkit.udp.messages import has_batches

BUFFER_BYTES = 4 << 20
"""Room in the kernel for datagrams that wait, each way; it gives what it allows."""


@dataclass(frozen=True, slots=True)
class UdpState:
    """How a listener is doing.

    Attributes:
        batched: Datagrams are moved by the batch.
        unsent: Answers that the system did not take, since the start.
    """

    batched: bool
    unsent: int


class UdpServer:
    """Answers the datagrams of one address.

    Args:
        handler: Answers them; it is finished when the server stops.
        host: Address or name to bind to.
        port: UDP port; 0 takes a free one, see `port`.
        variable: Environment variable that sets the port, for messages.
        reuse_port: Share the port with other processes (``SO_REUSEPORT``); the kernel
            then gives all datagrams of one sender to one of them.
        batched: Move datagrams by the batch, if the system can.
    """

    def __init__(
        self,
        handler: Handler,
        host: str,
        port: int,
        *,
        variable: str,
        reuse_port: bool = False,
        batched: bool = True,
    ) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._variable = variable
        self._reuse_port = reuse_port
        self._batched = batched and has_batches()
        self._endpoints: list[Endpoint] = []
        self._running = False

    @property
    def port(self) -> int:
        """The port that is listened on; before `start`, the one asked for."""
        return self._port

    @property
    def state(self) -> UdpState:
        """How the listener is doing."""
        unsent = sum(endpoint.unsent for endpoint in self._endpoints)
        return UdpState(self._batched, unsent)

    async def start(self) -> None:
        """Bind and answer; when this returns, datagrams are read.

        Raises:
            PortInUse: Somebody else listens there.
            CannotListen: The address cannot be bound for another reason.
        """
        make = BatchedEndpoint if self._batched else PlainEndpoint
        sockets = await self._bind()
        self._endpoints = [make(each, self._handler) for each in sockets]
        self._running = True
        for endpoint in self._endpoints:
            await endpoint.start()

    async def stop(self) -> None:
        """Answer what has arrived, then let go of the port.

        Stopping twice, or before the start, is not an error.
        """
        if not self._running:
            return
        self._running = False
        for endpoint in self._endpoints:
            await endpoint.stop_reading()
        await self._handler.finish()
        for endpoint in self._endpoints:
            endpoint.close()

    async def _bind(self) -> list[socket.socket]:
        try:
            addresses = await addresses_of(self._host, self._port)
            bound = _bind_all(addresses, self._port, reuse_port=self._reuse_port)
        except OSError as error:
            kind = PortInUse if error.errno == errno.EADDRINUSE else CannotListen
            raise kind(
                host=self._host,
                port=self._port,
                variable=self._variable,
                reason=error.strerror or type(error).__name__,
            ) from error
        self._port = bound[0].getsockname()[1]
        return bound


def _bind_all(
    addresses: Sequence[Address],
    port: int,
    *,
    reuse_port: bool,
) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        for address in addresses:
            bound.append(_bound(address, port, reuse_port=reuse_port))
            port = bound[0].getsockname()[1]
    except OSError:
        for each in bound:
            each.close()
        raise
    return bound


def _bound(address: Address, port: int, *, reuse_port: bool) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_DGRAM)
    try:
        kernel_buffers(sock, BUFFER_BYTES)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if address.family == socket.AF_INET6:
            # Else one for all IPv6 addresses would take those of IPv4 as well.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address.host, port))
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)  # noqa: FBT003 - the socket module's own word
    return sock
