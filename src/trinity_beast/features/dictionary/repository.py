"""Reads PostgreSQL's own catalogue: what the tables of a live database are like."""

from __future__ import annotations

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.dictionary.facts import Facts
from trinity_beast.features.dictionary.wording import (
    check_words,
    column_words,
    index_words,
    reference_words,
)

# Each query looks at the tables of "public", without partitions: those are parts of a
# table, not tables of their own.
_TABLES = text("""
  SELECT tab.relname AS name FROM pg_class tab
  WHERE tab.relnamespace = 'public'::regnamespace AND tab.relkind IN ('r', 'p')
    AND NOT tab.relispartition
""")
_COLUMNS = text("""
  SELECT tab.relname AS table_name, col.attname AS name,
    format_type(col.atttypid, col.atttypmod) AS type, NOT col.attnotnull AS nullable,
    CASE WHEN col.attidentity <> '' THEN 'nextval(identity)'
      ELSE pg_get_expr(def.adbin, def.adrelid) END AS default_text
  FROM pg_class tab
  JOIN pg_attribute col ON col.attrelid = tab.oid
    AND col.attnum > 0 AND NOT col.attisdropped
  LEFT JOIN pg_attrdef def ON def.adrelid = col.attrelid AND def.adnum = col.attnum
  WHERE tab.relnamespace = 'public'::regnamespace AND tab.relkind IN ('r', 'p')
    AND NOT tab.relispartition
  ORDER BY col.attname
""")
# An index that is not valid was left behind by a failed CREATE INDEX CONCURRENTLY.
_INDEXES = text("""
  SELECT tab.relname AS table_name, own.relname AS name, method.amname AS method,
    ind.indisprimary AS is_primary, ind.indisunique AS is_unique,
    (SELECT array_agg(pg_get_indexdef(own.oid, place, true) ||
        CASE WHEN ind.indoption[place - 1] & 1 = 1 THEN ' DESC' ELSE '' END
        ORDER BY place)
      FROM generate_series(1, ind.indnkeyatts) AS place) AS columns,
    pg_get_expr(ind.indpred, ind.indrelid, true) AS condition
  FROM pg_class tab
  JOIN pg_index ind ON ind.indrelid = tab.oid AND ind.indisvalid
  JOIN pg_class own ON own.oid = ind.indexrelid
  JOIN pg_am method ON method.oid = own.relam
  WHERE tab.relnamespace = 'public'::regnamespace AND tab.relkind IN ('r', 'p')
    AND NOT tab.relispartition
  ORDER BY own.relname
""")
_REFERENCES = text("""
  SELECT tab.relname AS table_name, other.relname AS target,
    CASE con.confdeltype WHEN 'a' THEN '' WHEN 'r' THEN 'restrict'
      WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE 'set default' END AS action,
    (SELECT array_agg(col.attname::text ORDER BY col.attnum) FROM pg_attribute col
      WHERE col.attrelid = con.conrelid AND col.attnum = ANY (con.conkey)) AS columns
  FROM pg_class tab
  JOIN pg_constraint con ON con.conrelid = tab.oid AND con.contype = 'f'
  JOIN pg_class other ON other.oid = con.confrelid
  WHERE tab.relnamespace = 'public'::regnamespace AND tab.relkind IN ('r', 'p')
    AND NOT tab.relispartition
  ORDER BY con.conname
""")
_CHECKS = text("""
  SELECT tab.relname AS table_name, con.conname AS name,
    pg_get_constraintdef(con.oid) AS definition
  FROM pg_class tab
  JOIN pg_constraint con ON con.conrelid = tab.oid AND con.contype = 'c'
  WHERE tab.relnamespace = 'public'::regnamespace AND tab.relkind IN ('r', 'p')
    AND NOT tab.relispartition
  ORDER BY con.conname
""")


async def facts_of_tables(connection: AsyncConnection) -> dict[str, Facts]:
    """Return the facts of each table of the schema ``public``."""
    names = await connection.scalars(_TABLES)
    facts: dict[str, dict[str, str]] = {name: {} for name in names}
    for query, fact_of in (
        (_COLUMNS, _column),
        (_INDEXES, _index),
        (_REFERENCES, _reference),
        (_CHECKS, _check),
    ):
        for row in await connection.execute(query):
            what, words = fact_of(row)
            table = facts[row.table_name]
            # A second check of a column, or a second index on the same ones, must not
            # hide behind the first.
            while what in table:
                what += " again"
            table[what] = words
    return dict(facts)


def _column(row: Row[tuple[object, ...]]) -> tuple[str, str]:
    words = column_words(row.type, row.default_text, nullable=row.nullable)
    return f"column {row.name}", words


def _index(row: Row[tuple[object, ...]]) -> tuple[str, str]:
    words = index_words(tuple(row.columns), row.condition)
    if row.method != "btree":
        words += f" using {row.method}"
    if row.is_primary:
        return f"primary key {words}", row.name
    # A unique index and a unique constraint are the same to whoever inserts.
    if row.is_unique:
        return f"unique {words}", row.name
    return f"index {row.name}", words


def _reference(row: Row[tuple[object, ...]]) -> tuple[str, str]:
    what = f"foreign key ({', '.join(row.columns)})"
    return what, reference_words(row.target, row.action)


def _check(row: Row[tuple[object, ...]]) -> tuple[str, str]:
    known = check_words(row.definition)
    if known is None:
        return f"check {row.name}", row.definition
    column, words = known
    return f"check of {column}", words
