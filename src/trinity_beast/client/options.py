"""What a caller may decide about a client."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

UDP_PORT = 2679
DEFAULT_URL = "http://127.0.0.1:8080"

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a question is asked again.

    Asked again is what was refused with ``rate_limited`` or a 503, and what met a
    broken connection.  The server's ``retry_after_ms`` is always waited for; where it
    says nothing the wait doubles from try to try.

    Attributes:
        most_retries: Tries after the first one; 0 is never.
        within_s: No try begins later than this after the first one did.
        first_wait_s: Wait before the second try, at most.
        longest_wait_s: What the doubling stops at.
    """

    most_retries: int = 3
    within_s: float = 10.0
    first_wait_s: float = 0.1
    longest_wait_s: float = 2.0


NEVER = RetryPolicy(most_retries=0)
"""Ask once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a client behaves.

    Attributes:
        timeout_s: How long to wait to connect, and for each part of an answer.
        retry: When a question is asked again.
        reconnect: When a stream that was open is opened again; whatever it says
            starts the count anew.  To open it first, ``retry`` holds.
        silence_s: A stream that says nothing for so long is taken for broken; the
            server sends a heartbeat every 15 s.
        udp_host: Where UDP goes; that of the URL by default.
        udp_port: Likewise.
        udp_timeout_s: How long to wait for a datagram; each question is asked twice.
        tls: For ``https`` and ``wss``; the system's certificates by default.
        use_proxies: Whether the proxies of the environment are used.
    """

    timeout_s: float = 5.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    reconnect: RetryPolicy = field(
        default_factory=lambda: RetryPolicy(
            most_retries=1_000_000,
            within_s=300.0,
            first_wait_s=0.5,
            longest_wait_s=15.0,
        ),
    )
    silence_s: float = 45.0
    udp_host: str | None = None
    udp_port: int = UDP_PORT
    udp_timeout_s: float = 1.0
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    use_proxies: bool = True


def _unix_ms() -> int:
    # This package can be shipped alone, so it reads its own clock.
    return time.time_ns() // _NS_PER_MS  # noqa: TID251 - as said above


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Time and chance, for tests to replace.

    Attributes:
        unix_ms: The wall clock: what a signature is dated by.
        monotonic_s: A clock that only grows, for deadlines.
        chance: A number from 0 to 1, for jitter.
        token_hex: So many random bytes in hex, for nonces.
        sleep: Waits, for the blocking client.
        sleep_async: Waits, for the asyncio client.
    """

    unix_ms: Callable[[], int] = _unix_ms
    monotonic_s: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = field(
        default_factory=lambda: secrets.SystemRandom().random,
    )
    token_hex: Callable[[int], str] = secrets.token_hex
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = asyncio.sleep
