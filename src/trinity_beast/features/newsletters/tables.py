"""Newsletters, their translations and who gets them.

Source: data dictionary 6.5, 6.6, 6.7, 6.8.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from trinity_beast.toolkit.columns import (
    MOMENT,
    created_at,
    optional,
    random_key,
    required,
    updated_at,
)
from trinity_beast.toolkit.tables import metadata

newsletter_templates = Table(
    "newsletter_templates",
    metadata,
    random_key(),
    optional("name", Text),
    optional("subject", Text),
    optional("html_body", Text),
    created_at(),
    updated_at(),
)

newsletters = Table(
    "newsletters",
    metadata,
    random_key(),
    optional("template_id", Uuid),
    optional("subject", Text),
    optional("status", Text),
    optional("recipients", Integer),
    optional("sent_count", Integer),
    optional("failed_count", Integer),
    created_at(),
    optional("sent_at", MOMENT),
)

newsletter_subscribers = Table(
    "newsletter_subscribers",
    metadata,
    random_key(),
    required("email", Text),
    optional("name", Text),
    optional("source", Text),
    optional("preferred_lang", String, "'en'"),
    required("subscribed", Boolean, "true"),
    created_at(),
    UniqueConstraint("email"),
)

newsletter_translations = Table(
    "newsletter_translations",
    metadata,
    random_key(),
    required("newsletter_id", Uuid),
    required("lang", String),
    required("subject", Text),
    required("body_html", Text),
    optional("auto_translated", Boolean, "true"),
    optional("reviewed", Boolean, "false"),
    optional("created_at", MOMENT, "now()"),
    optional("updated_at", MOMENT, "now()"),
    ForeignKeyConstraint(["newsletter_id"], ["newsletters.id"]),
    UniqueConstraint("newsletter_id", "lang"),
)
