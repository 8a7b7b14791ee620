"""What both clients are put together from."""

from __future__ import annotations

import logging
import ssl
from urllib.parse import urlsplit

from trinity_beast.client.asking import Asking
from trinity_beast.client.credentials import Credentials
from trinity_beast.client.datagrams import UdpAsking
from trinity_beast.client.errors import InvalidRequest
from trinity_beast.client.following import Following
from trinity_beast.client.options import Options, Surroundings

_USER_AGENT = "trinity-beast-client"


class Parts:
    """The logic of a client and its addresses.

    Attributes:
        options: How the client behaves.
        around: Time and chance.
        origin: Scheme, host and port of the server.
        socket_origin: Likewise of its WebSockets.
        udp_address: Host and port of its UDP.
        credentials: The key.
        asking: Questions over HTTP.
        udp_asking: Questions over UDP.
        following: Streams.
        silent_log: A log that says nothing.

    Raises:
        MissingKey: The key is empty.
        UnknownKey: No key reads like this one.
        InvalidRequest: The URL is none of ``http`` or ``https``.
    """

    def __init__(
        self,
        key: str,
        url: str,
        options: Options,
        around: Surroundings,
    ) -> None:
        self.options = options
        self.around = around
        self.origin, host = _origin_of(url)
        self.socket_origin = "ws" + self.origin.removeprefix("http")
        self.udp_address = (options.udp_host or host, options.udp_port)
        self.credentials = Credentials(key)
        self.asking = Asking(options, around)
        self.udp_asking = UdpAsking(self.credentials, options, around)
        self.following = Following(options, around)
        # At its lowest level websockets logs the headers, and with them the key.
        self.silent_log = logging.Logger(_USER_AGENT, logging.CRITICAL + 1)  # noqa: LOG001 - it must have no parent

    def beat_s(self) -> float:
        """Return how often a WebSocket is pinged; a pong may take twice as long."""
        return self.options.silence_s / 3

    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        accepted = {"Accept": "application/json, application/problem+json"}
        return {"User-Agent": _USER_AGENT} | accepted | self.credentials.headers()

    def verify(self) -> ssl.SSLContext | bool:
        """Return how a server is known over ``https``."""
        if self.origin.startswith("https"):
            return self.options.tls or True
        # Nothing is encrypted, so nobody needs to be trusted; reading all certificates
        # of the system would take longer than everything else here.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def socket_tls(self) -> ssl.SSLContext | None:
        """Return how a server is known over ``wss``."""
        if not self.origin.startswith("https"):
            return None
        return self.options.tls or ssl.create_default_context()


def _origin_of(url: str) -> tuple[str, str]:
    """Return scheme, host and port of a URL as one text, and its host alone."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    is_plain = not (parts.path.strip("/") or parts.query or parts.username)
    if parts.scheme not in {"http", "https"} or not host or not is_plain:
        raise InvalidRequest("The URL must read like https://prices.example.org.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else ""), host
