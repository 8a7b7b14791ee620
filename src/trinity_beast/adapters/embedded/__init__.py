"""PostgreSQL 18 and Valkey 9 out of installed wheels, as children of this process.

One command starts the whole platform on a machine that has nothing but Python: the
servers are the real ones, their data lives in one directory (the home), PostgreSQL
listens on a Unix socket and Valkey on loopback with a password.  They die with their
owner, even one killed with ``SIGKILL``; a crashed server is started again in place; a
home has one owner at a time.  Linux only: it leans on ``/proc`` and ``prctl``.
"""

from trinity_beast.adapters.embedded.errors import (
    HomeInUse,
    HomeUnusable,
    ServerFailed,
    ServerMissing,
)
from trinity_beast.adapters.embedded.servers import (
    EmbeddedServers,
    ServerUrls,
    attach,
)

__all__ = [
    "EmbeddedServers",
    "HomeInUse",
    "HomeUnusable",
    "ServerFailed",
    "ServerMissing",
    "ServerUrls",
    "attach",
]
