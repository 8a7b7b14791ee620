"""What the logic asks the outside for.

All logic of the client is generators that do no I/O: they yield one of these requests
and are sent its outcome.  The blocking and the asyncio client are two small machines
that carry such requests out; there is one copy of everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from trinity_beast.client.prices import PriceEvent

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request; the key is added by who sends it.

    Attributes:
        path: Path with the query.
        method: The HTTP method.
        headers: Beyond those that all requests have.
        content: The body.
    """

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request, read the whole answer: `Reply` or `Lost`.

    Attributes:
        request: What to send.
        timeout_s: How long each step of it may take.
    """

    request: Request
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait: ``None``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send one datagram, receive the first that fits: ``bytes`` or `Lost`.

    Attributes:
        datagram: It may hold the key, so it is never shown.
        fits: Tells whether a datagram is the answer.
        timeout_s: How long to wait for it.
    """

    datagram: bytes = field(repr=False)
    fits: Callable[[bytes], bool]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class OpenEvents:
    """Open an event stream, closing the one before: `Reply` or `Lost`.

    The reply to a stream that opened has no body: that is what `Read` reads.
    """

    request: Request


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """Open a WebSocket, closing the one before: `Reply` or `Lost`.

    Attributes:
        path: Path of the socket.
        greeting: The first message to send.
    """

    path: str
    greeting: str


@dataclass(frozen=True, slots=True)
class Read:
    """Read what the open stream says next: ``bytes`` or `Lost`.

    A stream that says nothing for too long is lost, heartbeats included.
    """


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer.

    Attributes:
        status: Its status.
        headers: With names in lower case.
        body: The whole body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer, and why.

    Attributes:
        reason: For people; never holds the key.
        too_late: It may still come, but not in time.
        close_reason: What a WebSocket was closed with.
    """

    reason: str
    too_late: bool = False
    close_reason: str = ""


Outcome = Reply | Lost | bytes | None
Flow = Generator[Send | Wait | Exchange, Outcome, Result]
"""One question: requests out, outcomes in, a result at the end."""

StreamFlow = Generator[OpenEvents | OpenSocket | Read | Wait | PriceEvent, Outcome]
"""An endless stream: events come out between the requests."""
