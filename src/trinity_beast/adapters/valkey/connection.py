"""A client from a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from glide import (
    AdvancedGlideClientConfiguration,
    BackoffStrategy,
    GlideClient,
    GlideClientConfiguration,
    Logger,
    LogLevel,
    NodeAddress,
    ServerCredentials,
)

REQUEST_WITHIN_MS = 1_000
"""How long a command may take; connecting before the first one counts apart."""

_TLS_OF_SCHEME = {"valkey": False, "redis": False, "valkeys": True, "rediss": True}
_DEFAULT_PORT = 6379
# Pauses grow from 20 ms to 20 · 2^6 ms, then stay there for ever.
_RECONNECT = BackoffStrategy(num_of_retries=6, factor=20, exponent_base=2)


@dataclass(frozen=True, slots=True)
class ValkeyUrl:
    """Where a Valkey is and how to get in.

    Attributes:
        host: Name or address.
        port: TCP port.
        username: Empty for the default user.
        password: Empty for none.
        database: Number of the logical database.
        tls: Whether the connection is encrypted and the certificate checked.
    """

    host: str
    port: int = _DEFAULT_PORT
    username: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read ``valkey[s]://[user][:password]@host[:port][/database]``.

        ``redis`` and ``rediss`` mean the same.  User and password are percent-decoded.

        Raises:
            ValueError: It is not of this form; the message does not show the password.
        """
        try:
            return cls._of(urlsplit(url))
        except (KeyError, ValueError) as error:
            text = "a Valkey URL reads valkey://user:password@host:port/database"
            raise ValueError(text) from error

    @classmethod
    def _of(cls, parts: SplitResult) -> Self:
        if not parts.hostname:
            raise ValueError
        return cls(
            host=parts.hostname,
            port=parts.port or _DEFAULT_PORT,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=int(parts.path.strip("/") or 0),
            tls=_TLS_OF_SCHEME[parts.scheme],
        )


async def open_valkey(
    url: str,
    *,
    client_name: str,
    request_timeout_ms: int = REQUEST_WITHIN_MS,
) -> GlideClient:
    """Return a client; it connects with its first command, and again after each loss.

    GLIDE puts all commands of a client on one connection, so a blocking command needs
    a client of its own.  Its log is switched off: errors reach us as exceptions.

    Args:
        url: See ``ValkeyUrl.parse``.
        client_name: What an operator sees in ``CLIENT LIST``; no spaces.
        request_timeout_ms: How long a command may take, reconnecting included.

    Raises:
        ValueError: The URL cannot be read.
    """
    Logger.set_logger_config(LogLevel.OFF)
    return await GlideClient.create(
        _configuration(url, client_name, request_timeout_ms)
    )


def _configuration(
    url: str,
    client_name: str,
    request_timeout_ms: int,
) -> GlideClientConfiguration:
    place = ValkeyUrl.parse(url)
    credentials = None
    if place.password:
        credentials = ServerCredentials(place.password, place.username or None)
    limits = AdvancedGlideClientConfiguration(connection_timeout=request_timeout_ms)
    return GlideClientConfiguration(
        [NodeAddress(place.host, place.port)],
        use_tls=place.tls,
        credentials=credentials,
        database_id=place.database,
        client_name=client_name,
        request_timeout=request_timeout_ms,
        reconnect_strategy=_RECONNECT,
        # Creating an eager client would block the event loop while it connects.
        lazy_connect=True,
        advanced_config=limits,
    )
