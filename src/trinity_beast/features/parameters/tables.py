"""What operators change at run time.

Source: data dictionary 2.1, 2.2, 2.3.
"""

from __future__ import annotations

from sqlalchemy import Integer, Table, Text, UniqueConstraint

from trinity_beast.toolkit.columns import (
    counted_key,
    created_at,
    optional,
    required,
    updated_at,
)
from trinity_beast.toolkit.tables import metadata

application_parameter_profiles = Table(
    "application_parameter_profiles",
    metadata,
    counted_key(),
    required("profile_name", Text),
    optional("description", Text),
    required("qps", Integer, "1000"),
    required("burst", Integer, "1000"),
    required("log_level", Text, "'info'"),
    required("sqs_batch_size", Integer, "10"),
    required("sqs_flush_ms", Integer, "100"),
    required("sqs_buffer_size", Integer, "50000"),
    required("sqs_timeout_ms", Integer, "3000"),
    required("db_max_open", Integer, "150"),
    required("db_max_idle", Integer, "75"),
    required("db_conn_lifetime_min", Integer, "10"),
    required("db_conn_idle_min", Integer, "5"),
    required("cache_ttl", Integer, "9"),
    required("config_poll", Integer, "300"),
    required("cache_pool_size", Integer, "600"),
    required("cache_min_idle", Integer, "120"),
    required("cache_max_retries", Integer, "1"),
    required("cache_dial_ms", Integer, "500"),
    required("cache_read_ms", Integer, "500"),
    required("cache_write_ms", Integer, "500"),
    created_at(),
    updated_at(),
    UniqueConstraint("profile_name"),
)

application_parameters = Table(
    "application_parameters",
    metadata,
    counted_key(),
    required("key", Text),
    required("value", Text),
    updated_at(),
    UniqueConstraint("key"),
)

report_parameters = Table(
    "report_parameters",
    metadata,
    counted_key(),
    required("key", Text),
    required("value", Text),
    updated_at(),
    UniqueConstraint("key"),
)
