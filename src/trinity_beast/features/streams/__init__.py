"""Streams: prices as they change, as server-sent events or over a WebSocket.

A stream begins with a snapshot of the assets asked; then each change of one is an
event.  Streams conflate: a client that reads slowly is told the newest price of each
asset and none of those before, so it costs bounded memory, and one that reads nothing
for a minute is hung up on.  Who has been told up to an event goes on from there.
Opening a stream, or subscribing over a WebSocket, is one request; what follows costs
nothing.  A key that is revoked, or no longer of a tier with streams, loses them within
a second.

Owns: no tables.
"""

from trinity_beast.features.streams.http import add_streams
from trinity_beast.features.streams.hub import StreamHub

__all__ = ["StreamHub", "add_streams"]
