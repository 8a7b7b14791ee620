"""One connection by asyncpg, with types and with errors of our own kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

import asyncpg

CONNECT_WITHIN_S = 5
"""How long opening a connection may take, sign-in included."""

_DRIVER_PREFIXES = ("postgresql+asyncpg://", "postgres://", "postgresql://")
_AWAY = (
    asyncpg.CannotConnectNowError,  # starting up, or shutting down
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)


class Connection(Protocol):
    """What we use of an asyncpg connection."""

    async def execute(self, query: str, *, timeout: float | None = None) -> str:  # noqa: ASYNC109 - the driver's own argument
        """Run statements; return the tag of the last one."""
        ...

    async def add_listener(
        self,
        channel: str,
        callback: Callable[[object, int, str, str], None],
    ) -> None:
        """Call back with (connection, pid, channel, payload) for each notice."""
        ...

    def add_termination_listener(self, callback: Callable[[object], None]) -> None:
        """Call back once when the connection has ended, for whatever reason."""
        ...

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the driver's own argument
        """Say good-bye and close."""
        ...

    def terminate(self) -> None:
        """Close without a word."""
        ...


def plain_dsn(url: str) -> str:
    """Return a URL in the form that libpq and asyncpg know: ``postgresql://…``.

    Takes ``postgresql://``, ``postgres://`` and SQLAlchemy's ``postgresql+asyncpg://``.

    Raises:
        ValueError: It is none of these.
    """
    for prefix in _DRIVER_PREFIXES:
        if url.startswith(prefix):
            return "postgresql://" + url.removeprefix(prefix)
    scheme = url.partition(":")[0]
    text = f"a database URL starts with postgresql://, not with {scheme}:"
    raise ValueError(text)


async def connect(url: str, **options: Any) -> Connection:  # noqa: ANN401 - the driver's own arguments
    """Open a connection.

    Args:
        url: Any of the forms of ``plain_dsn``, with libpq's parameters
            (``?host=/socket/directory``, ``sslmode``, ``sslrootcert`` …).
        options: Passed on to ``asyncpg.connect``.

    Raises:
        ConnectionError: The server is away, starting, stopping or full.
        TimeoutError: It did not answer in time.
        OSError: The network or the socket's path does not work.
        asyncpg.PostgresError: It refuses us for good (password, database).
    """
    opener = cast(
        "Callable[..., Awaitable[Connection]]",
        asyncpg.connect,
    )
    try:
        return await opener(
            plain_dsn(url),
            **{"timeout": CONNECT_WITHIN_S, **options},
        )
    except _AWAY as error:
        raise ConnectionError(str(error)) from error
