"""What visitors of the site looked at and did.

Source: data dictionary 9.1, 9.2.
"""

from __future__ import annotations

from sqlalchemy import Integer, String, Table
from sqlalchemy.dialects.postgresql import JSONB

from trinity_beast.toolkit.columns import created_at, random_key, required
from trinity_beast.toolkit.tables import metadata

page_events = Table(
    "page_events",
    metadata,
    random_key(),
    required("page_path", String),
    required("event_type", String),
    required("event_target", String, "''"),
    required("event_data", JSONB, "'{}'"),
    required("visitor_id", String, "''"),
    required("session_id", String, "''"),
    created_at(),
)

page_views = Table(
    "page_views",
    metadata,
    random_key(),
    required("page_path", String),
    required("page_title", String, "''"),
    required("referrer", String, "''"),
    required("user_agent", String, "''"),
    required("visitor_id", String, "''"),
    required("session_id", String, "''"),
    required("screen_width", Integer, "0"),
    required("screen_height", Integer, "0"),
    required("country", String, "''"),
    created_at(),
)
