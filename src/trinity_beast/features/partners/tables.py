"""Companies that asked for a private connection.

Source: data dictionary 7.3.
"""

from __future__ import annotations

from sqlalchemy import Index, Table, Text, Uuid

from trinity_beast.toolkit.columns import (
    MOMENT,
    created_at,
    optional,
    random_key,
    required,
)
from trinity_beast.toolkit.tables import metadata

partner_applications = Table(
    "partner_applications",
    metadata,
    random_key(),
    required("company_name", Text),
    required("contact_name", Text),
    required("contact_email", Text),
    required("aws_account_id", Text),
    required("aws_region", Text),
    optional("vpc_cidr", Text),
    required("connection_type", Text),
    optional("data_provided", Text),
    optional("estimated_volume", Text),
    optional("notes", Text),
    required("status", Text, "'pending'"),
    optional("reviewed_at", MOMENT),
    optional("reviewer_notes", Text),
    optional("api_key_id", Uuid),
    created_at(),
    Index("idx_partner_apps_status", "status"),
    Index("idx_partner_apps_email", "contact_email"),
)
