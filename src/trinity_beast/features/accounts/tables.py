"""Accounts: the people behind keys and payments.

Source: data dictionary 1.3.
"""

from __future__ import annotations

from sqlalchemy import String, Table, Text, UniqueConstraint

from trinity_beast.toolkit.columns import created_at, optional, random_key, required
from trinity_beast.toolkit.tables import metadata

users = Table(
    "users",
    metadata,
    random_key(),
    required("email", Text),
    optional("name", Text),
    optional("tier", Text),
    optional("preferred_lang", String(5)),
    created_at(),
    UniqueConstraint("email"),
)
