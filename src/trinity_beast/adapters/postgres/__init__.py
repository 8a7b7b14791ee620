"""PostgreSQL as the rented world: an engine for queries, a line for changes.

Works with the embedded server and with any PostgreSQL 15 or later outside, over TCP,
TLS or a Unix socket.  Errors that mean "the database is away" leave this package as
``ConnectionError``, which the unit of work turns into ``DatabaseAway``.
"""

from trinity_beast.adapters.postgres.changes import PostgresChanges
from trinity_beast.adapters.postgres.connection import Connection, connect, plain_dsn
from trinity_beast.adapters.postgres.engine import make_engine

__all__ = [
    "Connection",
    "PostgresChanges",
    "connect",
    "make_engine",
    "plain_dsn",
]
