"""A table as facts: what is there, in words, by what it is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trinity_beast.features.dictionary.model import PRESENT, Difference, TableEntry
from trinity_beast.features.dictionary.wording import (
    column_words,
    index_words,
    one_of_words,
    reference_words,
)

Facts = Mapping[str, str]
TABLE = "table"
ANY_NAME = "any name"


def facts_of(entry: TableEntry) -> Facts:
    """Return the facts that the dictionary states of a table."""
    facts = {
        f"column {c.name}": column_words(c.type, c.default, nullable=c.nullable)
        for c in entry.columns
    }
    facts["primary key (id)"] = f"{entry.name}_pkey"
    for unique in entry.unique:
        what = f"unique {index_words(unique.columns, None)}"
        facts[what] = unique.name or ANY_NAME
    for index in entry.indexes:
        facts[f"index {index.name}"] = index_words(index.columns, index.where)
    for reference in entry.references:
        action = "cascade" if reference.cascade else ""
        what = f"foreign key ({reference.column})"
        facts[what] = reference_words(reference.table, action)
    for column, texts in entry.one_of.items():
        facts[f"check of {column}"] = one_of_words(texts)
    return facts


def compare(
    expected: Mapping[str, Facts],
    found: Mapping[str, Facts],
) -> Iterator[Difference]:
    """Yield the differences between the dictionary's tables and a database's.

    A table that is missing, or that should not be there, is one difference, whatever it
    has.  The order is the dictionary's; what it does not know comes last.
    """
    for table, facts in expected.items():
        if table not in found:
            yield Difference(table, TABLE, PRESENT, "")
        else:
            yield from _compare_table(table, facts, found[table])
    for table in sorted(found.keys() - expected.keys()):
        yield Difference(table, TABLE, "", PRESENT)


def _compare_table(table: str, expected: Facts, found: Facts) -> Iterator[Difference]:
    for what in (*expected, *sorted(found.keys() - expected.keys())):
        wanted, there = expected.get(what, ""), found.get(what, "")
        if wanted != there and not (wanted == ANY_NAME and there):
            yield Difference(table, what, wanted, there)
