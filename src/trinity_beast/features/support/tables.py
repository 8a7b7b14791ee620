"""Tickets and what was answered.

Source: data dictionary 7.4, 7.5.
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, String, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from trinity_beast.toolkit.columns import (
    created_at,
    optional,
    random_key,
    required,
    updated_at,
)
from trinity_beast.toolkit.tables import metadata

support_tickets = Table(
    "support_tickets",
    metadata,
    random_key(),
    required("ticket_number", Text),
    optional("email", Text),
    optional("name", Text),
    optional("subject", Text),
    optional("message", Text),
    required("status", Text, "'open'"),
    required("priority", Text, "'normal'"),
    optional("category", Text),
    optional("preferred_lang", String, "'en'"),
    created_at(),
    updated_at(),
    UniqueConstraint("ticket_number"),
)

support_replies = Table(
    "support_replies",
    metadata,
    random_key(),
    required("ticket_id", Uuid),
    optional("sender", Text),
    optional("message", Text),
    optional("attachments", JSONB),
    created_at(),
    updated_at(),
    ForeignKeyConstraint(["ticket_id"], ["support_tickets.id"]),
)
