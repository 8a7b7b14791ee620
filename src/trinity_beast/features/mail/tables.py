"""Senders, templates, their translations, and drafts.

Source: data dictionary 6.1, 6.2, 6.3, 6.4.
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, String, Table, Text, UniqueConstraint, Uuid

from trinity_beast.toolkit.columns import (
    MOMENT,
    created_at,
    optional,
    random_key,
    required,
    updated_at,
)
from trinity_beast.toolkit.tables import metadata

email_senders = Table(
    "email_senders",
    metadata,
    random_key(),
    required("display_name", String(255)),
    required("email", String(255)),
    required("reply_to", String(255), "''"),
    created_at(),
    UniqueConstraint("email"),
)

email_templates = Table(
    "email_templates",
    metadata,
    random_key(),
    required("topic", String(100)),
    required("name", String(255)),
    required("subject", String(500), "''"),
    required("content", Text),
    created_at(),
)

email_drafts = Table(
    "email_drafts",
    metadata,
    random_key(),
    optional("template_id", Uuid),
    optional("sender_id", Uuid),
    required("subject", String(500), "''"),
    required("content", Text, "''"),
    required("recipients", Text, "''"),
    required("cc", Text, "''"),
    required("bcc", Text, "''"),
    required("status", String(20), "'draft'"),
    created_at(),
    updated_at(),
    optional("sent_at", MOMENT),
    ForeignKeyConstraint(["template_id"], ["email_templates.id"]),
    ForeignKeyConstraint(["sender_id"], ["email_senders.id"]),
)

email_translations = Table(
    "email_translations",
    metadata,
    random_key(),
    required("template_name", String),
    required("lang", String),
    required("field_name", String),
    required("field_value", Text),
    optional("created_at", MOMENT, "now()"),
    UniqueConstraint("template_name", "lang", "field_name"),
)
