"""Sockets that listen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import NamedTuple

BACKLOG = 2048
"""Connections that may wait to be accepted."""


class Address(NamedTuple):
    """Somewhere to listen: the address family and the address."""

    family: int
    host: str


async def addresses_of(host: str, port: int) -> list[Address]:
    """Return the addresses that a name stands for, each once.

    Raises:
        OSError: The name is not known.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host,
        port,
        type=socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE,
    )
    return list(dict.fromkeys(Address(each[0], str(each[4][0])) for each in found))


def bind_all(
    addresses: Sequence[Address],
    port: int,
    *,
    reuse_port: bool,
) -> list[socket.socket]:
    """Return a listening socket for each address, or none at all.

    Args:
        addresses: Where.
        port: TCP port; 0 takes a free one, the same for all addresses.
        reuse_port: Share the port with other processes.

    Raises:
        OSError: One of them cannot be bound.
    """
    bound: list[socket.socket] = []
    try:
        for address in addresses:
            bound.append(_listening(address, port, reuse_port=reuse_port))
            port = bound[0].getsockname()[1]
    except OSError:
        for listener in bound:
            listener.close()
        raise
    return bound


def _listening(address: Address, port: int, *, reuse_port: bool) -> socket.socket:
    listener = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if address.family == socket.AF_INET6:
            # Else one for all IPv6 addresses would take those of IPv4 as well.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address.host, port))
        # Claimed at once: several sockets may be bound to one port until one listens.
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003 - the socket module's own word
    return listener
