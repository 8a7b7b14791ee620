"""The registry of processes; schema ``beast`` is our own."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, Integer, Table, Text

from trinity_beast.toolkit.columns import MOMENT, required
from trinity_beast.toolkit.tables import OWN_SCHEMA, metadata

nodes = Table(
    "nodes",
    metadata,
    Column("node", Text, primary_key=True),
    Column("pid", Integer, primary_key=True, autoincrement=False),
    required("region", Text),
    required("version", Text),
    required("roles", ARRAY(Text)),
    required("started_at", MOMENT),
    required("heartbeat_at", MOMENT),
    schema=OWN_SCHEMA,
)
