"""What scheduled jobs did, and the proof of monthly resets.

Source: data dictionary 8.1, 8.2, 8.3.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Date, Integer, Table, Text

from trinity_beast.toolkit.columns import MOMENT, given_key, optional
from trinity_beast.toolkit.tables import metadata

cron_execution_logs = Table(
    "cron_execution_logs",
    metadata,
    given_key(),
    optional("job_name", Text),
    optional("started_at", MOMENT),
    optional("completed_at", MOMENT),
    optional("status", Text),
    optional("rows_affected", Integer),
    optional("error_message", Text),
)

cron_reset_logs = Table(
    "cron_reset_logs",
    metadata,
    given_key(),
    optional("reset_type", Text),
    optional("keys_reset", Integer),
    optional("started_at", MOMENT),
    optional("completed_at", MOMENT),
    optional("status", Text),
    optional("error_message", Text),
)

cron_reset_summary = Table(
    "cron_reset_summary",
    metadata,
    given_key(),
    optional("reset_date", Date),
    optional("total_keys", Integer),
    optional("total_usage_before", BigInteger),
    optional("total_usage_after", BigInteger),
    optional("created_at", MOMENT),
)
