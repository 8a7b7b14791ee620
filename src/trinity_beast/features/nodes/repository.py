"""Reads and writes the registry."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.nodes.model import ProcessRow, RunningProcess
from trinity_beast.features.nodes.tables import nodes
from trinity_beast.kernel.time import from_datetime, to_datetime


async def put(
    connection: AsyncConnection,
    process: RunningProcess,
    now_ns: int,
) -> None:
    """Write a process's row, whether or not there is one of its name and id."""
    values = {
        "region": process.region,
        "version": process.version,
        "roles": list(process.roles),
        "started_at": to_datetime(process.started_at_ns),
        "heartbeat_at": to_datetime(now_ns),
    }
    row = insert(nodes).values(node=process.node, pid=process.pid, **values)
    statement = row.on_conflict_do_update(index_elements=["node", "pid"], set_=values)
    await connection.execute(statement)


async def remove(connection: AsyncConnection, node: str, pid: int) -> None:
    """Take a process's row away."""
    here = (nodes.c.node == node) & (nodes.c.pid == pid)
    await connection.execute(delete(nodes).where(here))


async def remove_unheard(connection: AsyncConnection, since_ns: int) -> None:
    """Take away the rows of processes that were not heard of since an instant."""
    old = nodes.c.heartbeat_at < to_datetime(since_ns)
    await connection.execute(delete(nodes).where(old))


async def list_rows(connection: AsyncConnection) -> tuple[ProcessRow, ...]:
    """Return all rows, by node and process id."""
    statement = select(nodes).order_by(nodes.c.node, nodes.c.pid)
    return tuple(
        ProcessRow(
            RunningProcess(
                node=row["node"],
                pid=row["pid"],
                region=row["region"],
                version=row["version"],
                roles=tuple(row["roles"]),
                started_at_ns=from_datetime(row["started_at"]),
            ),
            from_datetime(row["heartbeat_at"]),
        )
        for row in (await connection.execute(statement)).mappings()
    )
