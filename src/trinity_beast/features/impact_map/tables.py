"""Places on the map of what the donations did.

Source: data dictionary 7.2.
"""

from __future__ import annotations

from sqlalchemy import Double, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from trinity_beast.toolkit.columns import MOMENT, optional, random_key
from trinity_beast.toolkit.tables import metadata

map_pins = Table(
    "map_pins",
    metadata,
    random_key(),
    optional("type", Text),
    optional("lat", Double),
    optional("lng", Double),
    optional("region", Text),
    optional("caption", Text),
    optional("media_url", Text),
    optional("date", MOMENT),
    optional("status", Text),
    optional("media_urls", JSONB),
)
