"""Columns as the data dictionary writes them: required or not, with a SQL default.

Defaults stand in the database, never in Python, so that a row inserted with psql and
one inserted by us are alike.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Integer, Uuid, text
from sqlalchemy.types import TypeEngine

MOMENT = DateTime(timezone=True)
"""``timestamptz``; read and written as aware datetimes."""


def required(
    name: str,
    kind: TypeEngine[Any] | type[TypeEngine[Any]],
    default: str | None = None,
) -> Column[Any]:
    """Return a NOT NULL column; ``default`` is SQL."""
    return Column(name, kind, nullable=False, server_default=_sql(default))


def optional(
    name: str,
    kind: TypeEngine[Any] | type[TypeEngine[Any]],
    default: str | None = None,
) -> Column[Any]:
    """Return a column that may be NULL; ``default`` is SQL."""
    return Column(name, kind, nullable=True, server_default=_sql(default))


def random_key() -> Column[UUID]:
    """Return ``id uuid``, the primary key, filled by the database when left out."""
    default = text("gen_random_uuid()")
    return Column("id", Uuid, primary_key=True, server_default=default)


def given_key() -> Column[UUID]:
    """Return ``id uuid``, the primary key that whoever inserts must give."""
    return Column("id", Uuid, primary_key=True)


def counted_key() -> Column[int]:
    """Return ``id serial``, the primary key."""
    return Column("id", Integer, primary_key=True, autoincrement=True)


def long_counted_key() -> Column[int]:
    """Return ``id bigserial``, the primary key."""
    return Column("id", BigInteger, primary_key=True, autoincrement=True)


def created_at() -> Column[datetime]:
    """Return when the row was inserted."""
    return required("created_at", MOMENT, "now()")


def updated_at() -> Column[datetime]:
    """Return when the row was last changed; whoever changes it sets it."""
    return required("updated_at", MOMENT, "now()")


def _sql(default: str | None) -> Any:  # noqa: ANN401 - whatever Column takes
    return None if default is None else text(default)
