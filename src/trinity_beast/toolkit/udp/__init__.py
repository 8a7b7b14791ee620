"""UDP manners: a socket that reads and answers datagrams by the batch.

A batch is what one call of ``recvmmsg`` returned, 64 datagrams at the most; its answers
leave by one call of ``sendmmsg``.  Where the system has neither, asyncio's own datagram
endpoint does the same, one datagram at a time.
"""

from trinity_beast.toolkit.udp.batch import (
    Batch,
    Handler,
    Sender,
    WayBack,
    address_text,
    sender_of,
)
from trinity_beast.toolkit.udp.messages import MOST_AT_ONCE, MOST_BYTES, has_batches
from trinity_beast.toolkit.udp.server import UdpServer, UdpState

__all__ = [
    "MOST_AT_ONCE",
    "MOST_BYTES",
    "Batch",
    "Handler",
    "Sender",
    "UdpServer",
    "UdpState",
    "WayBack",
    "address_text",
    "has_batches",
    "sender_of",
]
