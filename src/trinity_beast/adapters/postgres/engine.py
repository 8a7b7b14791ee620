"""The SQLAlchemy engine that every repository works on."""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from trinity_beast.adapters.postgres.connection import Connection, connect, plain_dsn

_POOL_WAIT_S = 5.0
_COMMAND_WITHIN_S = 30.0


def make_engine(
    url: str,
    *,
    application_name: str,
    pool_size: int = 10,
    command_timeout_s: float = _COMMAND_WITHIN_S,
) -> AsyncEngine:
    """Return an engine; nothing is connected before the first use.

    A connection is tried before it is handed out, so a restart of the server costs its
    users nothing; one that breaks in the middle of a transaction takes all pooled ones
    with it.

    Args:
        url: ``postgresql://``, ``postgres://`` or ``postgresql+asyncpg://``, with the
            parameters of libpq.
        application_name: What an operator sees in ``pg_stat_activity``.
        pool_size: Connections at most; the next user waits up to 5 s for one.
        command_timeout_s: How long one statement may take.

    Raises:
        ValueError: The URL is not one of PostgreSQL.
    """
    dsn = plain_dsn(url)
    settings = {
        "application_name": application_name,
        "timezone": "UTC",
        # PostgreSQL's own begins with a schema of the user's name: a user "beast"
        # would look for the dictionary's tables among ours first.
        "search_path": "public",
    }

    async def open_connection() -> Connection:
        return await connect(
            dsn,
            command_timeout=command_timeout_s,
            server_settings=settings,
        )

    return create_async_engine(
        make_url(dsn).set(drivername="postgresql+asyncpg"),
        async_creator=open_connection,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_S,
        pool_pre_ping=True,
    )
