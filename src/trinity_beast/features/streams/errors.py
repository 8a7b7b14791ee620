"""Why somebody has no stream, or has one no longer."""

from __future__ import annotations

from trinity_beast.kernel.errors import Forbidden, Invalid, Throttled, Unavailable


class TierNotAllowed(Forbidden):
    """The key is served as a tier that has no streams."""

    template = "Streams are not part of the plan of this key."


class TooManyStreams(Throttled):
    """The key has as many streams open as it may have."""

    template = (
        "This key may have {most} streams open at a time, and has; close one first."
    )


class StreamsEnding(Unavailable):
    """The listener is about to stop."""

    template = "This listener is about to stop; connect again."


class SocketOnly(Invalid):
    """A plain request came to the path of the WebSocket."""

    template = "This path takes WebSocket connections only."


class TooManyOperations(Throttled):
    """More operations came over one WebSocket than anybody needs."""

    template = "Too many operations over this connection."


class OperationUnreadable(Invalid):
    """A message over the WebSocket says nothing that we understand."""

    template = (
        'An operation reads {{"op":"subscribe","assets":["BTC"]}}; the others are'
        " unsubscribe and ping."
    )
