"""The one collection of tables that every feature adds its own to.

Names of constraints follow PostgreSQL's own defaults, so that a database made by hand
from the data dictionary and one made by us look alike.
"""

from __future__ import annotations

from sqlalchemy import MetaData

OWN_SCHEMA = "beast"
"""Schema of the tables that the data dictionary does not know."""

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "idx_%(table_name)s_%(column_0_N_name)s",
    },
)
