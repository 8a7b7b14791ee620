"""The log of calls, and what keeps it exact and countable.

``usage_logs`` is partitioned by ``id``: ids are UUIDv7 of the request's time, so a
month is a range of ids and the dictionary's primary key stays ``id`` alone.  A table
that came from an older database is not partitioned and works too.

Source: data dictionary 4.4; schema ``beast`` is our own.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from trinity_beast.toolkit.columns import MOMENT, optional, random_key, required
from trinity_beast.toolkit.tables import OWN_SCHEMA, metadata

usage_logs = Table(
    "usage_logs",
    metadata,
    random_key(),
    optional("user_id", Text),
    optional("api_key_id", Text),
    required("timestamp", MOMENT, "now()"),
    optional("ip_address", Text),
    optional("query_type", Text),
    optional("duration_ms", BigInteger),
    optional("token_count", Integer),
    optional("latency_ms", BigInteger),
    optional("status", Text),
    optional("error", Text),
    optional("cached", Boolean),
    optional("asset", Text),
    optional("cache_age_seconds", Double),
    optional("price", Double),
    optional("source", Text),
    optional("cluster_node", Text),
    optional("aws_region", Text),
    Index("idx_usage_logs_api_key_id", "api_key_id", "id"),
    postgresql_partition_by="RANGE (id)",
)

# The id of each batch that was written, in the transaction that wrote it: a batch that
# the queue delivers twice is found here and skipped.
usage_batches = Table(
    "usage_batches",
    metadata,
    Column("batch_id", Uuid, primary_key=True),
    required("node", Text),
    required("records", Integer),
    required("written_at", MOMENT, "now()"),
    Index("idx_usage_batches_written_at", "written_at"),
    schema=OWN_SCHEMA,
)

# Calls of a key in a month (year * 100 + month, UTC, by request time): what
# current_usage must agree with.
usage_ledger = Table(
    "usage_ledger",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("month", Integer, primary_key=True, autoincrement=False),
    required("answered", BigInteger, "0"),
    required("refused", BigInteger, "0"),
    schema=OWN_SCHEMA,
)

# One row an hour, key, source, status and cached; source is empty when nothing was
# served, and cached is false then.
usage_hourly = Table(
    "usage_hourly",
    metadata,
    Column("hour", MOMENT, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("cached", Boolean, primary_key=True),
    required("calls", BigInteger, "0"),
    required("duration_ms_sum", BigInteger, "0"),
    schema=OWN_SCHEMA,
)

# Batches that can never be written, kept with the reason until somebody looks.
dead_letters = Table(
    "dead_letters",
    metadata,
    random_key(),
    required("received_at", MOMENT, "now()"),
    required("reason", Text),
    required("body", LargeBinary),
    schema=OWN_SCHEMA,
)
