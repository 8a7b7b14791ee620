"""Report allowances and the log of reports.

Source: data dictionary 4.1, 4.2, 4.3.
"""

from __future__ import annotations

from sqlalchemy import Date, ForeignKeyConstraint, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from trinity_beast.toolkit.columns import (
    MOMENT,
    given_key,
    optional,
    random_key,
    required,
)
from trinity_beast.toolkit.tables import metadata

monthly_report_counts = Table(
    "monthly_report_counts",
    metadata,
    given_key(),
    optional("api_key_id", Uuid),
    optional("month", Date),
    optional("count", Integer),
)

report_count = Table(
    "report_count",
    metadata,
    random_key(),
    required("api_key", Uuid),
    required("monthly_count", Integer, "0"),
    required("daily_count", Integer, "0"),
    required("last_report_date", MOMENT, "now()"),
    required("monthly_limit", Integer, "10"),
    required("daily_limit", Integer, "5"),
    required("reset_month", Integer, "EXTRACT(MONTH FROM NOW())"),
    ForeignKeyConstraint(["api_key"], ["api_keys.id"]),
)

report_usage_logs = Table(
    "report_usage_logs",
    metadata,
    random_key(),
    optional("api_key_id", Text),
    optional("report_type", Text),
    optional("report_run_date", MOMENT),
    optional("asset_filter", Text),
    optional("start_date_filter", MOMENT),
    optional("end_date_filter", MOMENT),
    optional("max_rows_returned", Integer),
    optional("report_duration_ms", Integer),
    optional("output_format", Text),
    optional("additional_filters", JSONB),
    optional("region", Text),
    optional("cluster_node", Text),
)
