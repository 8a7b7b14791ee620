"""People who asked for a demonstration.

Source: data dictionary 7.1.
"""

from __future__ import annotations

from sqlalchemy import Table, Text

from trinity_beast.toolkit.columns import created_at, optional, random_key
from trinity_beast.toolkit.tables import metadata

demo_leads = Table(
    "demo_leads",
    metadata,
    random_key(),
    optional("email", Text),
    optional("name", Text),
    optional("company", Text),
    optional("use_case", Text),
    created_at(),
)
