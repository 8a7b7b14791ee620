"""The dictionary and what we have beyond it, as a page of the reference."""

from __future__ import annotations

from collections.abc import Iterable

from trinity_beast.features.dictionary.model import TableEntry
from trinity_beast.features.dictionary.reading import (
    dictionary,
    own_indexes,
    own_tables,
)

_HEAD = """\
# Tables

The schema `public` holds the tables of the data dictionary, version 16, and nothing
else; `beast db check` compares a live database with it.

"""
_INDEXES = """
## Indexes of our own

On tables of the dictionary, for our own queries; `beast db check` knows them.

"""
_OWN = """
## Tables of our own

In the schema `beast`.

"""


def describe_tables() -> str:
    """Return the page in Markdown, a line break at its end."""
    tables = _rows(
        ("Section", "Table", "Columns", "Note"),
        (_table(entry) for entry in dictionary()),
    )
    indexes = _rows(
        ("Index", "On", "Reason"),
        (
            (f"`{index.name}`", f"`{index.table} {index.on}`", index.reason)
            for index in own_indexes()
        ),
    )
    own = _rows(
        ("Table", "Holds"),
        ((f"`beast.{table.name}`", table.reason) for table in own_tables()),
    )
    return _HEAD + tables + _INDEXES + indexes + _OWN + own


def _table(entry: TableEntry) -> tuple[str, ...]:
    return entry.section, f"`{entry.name}`", str(len(entry.columns)), entry.note


def _rows(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
