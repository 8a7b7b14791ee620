"""Batches of datagrams, and who answers them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Sender = int | bytes
"""A sender's address without its port, as the kernel writes it: the number of an IPv4
address in this machine's byte order, the 16 bytes of an IPv6 one."""

WayBack = Callable[[bytes], None]
"""Sends an answer to where a datagram came from, at any later time."""

_IPV4_BYTES = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """Datagrams that were read together.

    Attributes:
        datagrams: Oldest first; one that is longer than ``MOST_BYTES`` is cut to one
            byte more than that.
        senders: Who sent each.
        way_back: Returns how to answer the datagram of an index later than now; to be
            called before the handler returns.
    """

    datagrams: Sequence[bytes]
    senders: Sequence[Sender]
    way_back: Callable[[int], WayBack]


class Handler(Protocol):
    """Answers datagrams."""

    def answers_to(self, batch: Batch) -> Sequence[bytes | None]:
        """Return the answer to each datagram; None is no answer, or a later one.

        Answers are at most ``MOST_BYTES`` long.  It must not wait.
        """
        ...

    async def finish(self) -> None:
        """Send what is still to be answered; no more datagrams come."""
        ...


def address_text(sender: Sender) -> str:
    """Return an address as text, such as ``192.0.2.7``."""
    if isinstance(sender, int):
        return socket.inet_ntoa(sender.to_bytes(_IPV4_BYTES, sys.byteorder))
    return socket.inet_ntop(socket.AF_INET6, sender)


def sender_of(host: str) -> Sender:
    """Return the sender whose address reads like this; a zone is left out."""
    if ":" in host:
        return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return int.from_bytes(socket.inet_aton(host), sys.byteorder)
