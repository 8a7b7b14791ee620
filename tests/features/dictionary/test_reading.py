"""The dictionary's data, compared with the published one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from trinity_beast.features.dictionary import (
    Column,
    Index,
    Reference,
    TableEntry,
    Unique,
    dictionary,
)
from trinity_beast.features.dictionary.reading import (
    read_column,
    read_index,
    read_unique,
)

SCHEMA = Path(__file__).resolve().parents[4] / "shared" / "spec" / "schema.json"


@pytest.fixture(scope="session")
def published() -> dict[str, Any]:
    if not SCHEMA.exists():
        pytest.skip(f"the published dictionary is not at {SCHEMA}")
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def entry_of(name: str, table: dict[str, Any]) -> TableEntry:
    """Read the published form of a table, which is prose in part."""
    indexes = [text for text in table["indexes"] if "Primary key" not in text]
    return TableEntry(
        name=name,
        section=table["section"],
        columns=tuple(
            Column(it["name"], it["type"], it["nullable"], it["default"])
            for it in table["columns"]
        ),
        unique=tuple(unique_of(it) for it in indexes if "Unique on" in it),
        indexes=tuple(index_of(it) for it in indexes if "Unique on" not in it),
        references=tuple(reference_of(it) for it in table["foreign_keys"]),
        one_of=dict(one_of(it) for it in table["checks"]),
    )


def unique_of(text: str) -> Unique:
    name, _, columns = text.partition("Unique on ")
    names = tuple(columns.strip("()").split(", "))
    return Unique(name.removesuffix(" — ") or None, names)


def index_of(text: str) -> Index:
    name, _, rest = text.partition(" — ")
    columns = re.search(
        r"index on \(?([\w, ]+?)\)?(?: for| WHERE|$)", rest, re.IGNORECASE
    )
    assert columns, text
    where = rest.partition(" WHERE ")[2] or None
    return Index(name, tuple(columns[1].split(", ")), where)


def reference_of(text: str) -> Reference:
    column, _, rest = text.partition(" -> ")
    target, _, action = rest.partition(" ON DELETE ")
    return Reference(column, target.removesuffix(".id"), action == "CASCADE")


def one_of(text: str) -> tuple[str, tuple[str, ...]]:
    column, _, texts = text.partition(" IN ")
    return column, tuple(re.findall(r"'([^']*)'", texts))


def test_our_data_says_what_the_published_dictionary_says(
    published: dict[str, Any],
) -> None:
    ours = {entry.name: entry for entry in dictionary()}

    assert list(ours) == list(published)
    for name, table in published.items():
        expected = entry_of(name, table)
        assert (name, ours[name].columns) == (name, expected.columns)
        assert (name, ours[name].unique) == (name, expected.unique)
        assert (name, ours[name].indexes) == (name, expected.indexes)
        assert (name, ours[name].references) == (name, expected.references)
        assert (name, ours[name].one_of) == (name, expected.one_of)
        assert (name, ours[name].section) == (name, expected.section)


def test_the_published_primary_keys_are_all_id(published: dict[str, Any]) -> None:
    for name, table in published.items():
        keys = [it["name"] for it in table["columns"] if it["primary_key"]]
        assert (name, keys) == (name, ["id"])
        assert f"{name}_pkey — Primary key on id" in table["indexes"]


def test_there_are_35_tables_and_two_need_a_note() -> None:
    entries = dictionary()

    assert len(entries) == 35
    assert [entry.name for entry in entries if entry.note] == [
        "payment_links",
        "email_drafts",
    ]


def test_the_notation_is_read_in_all_its_forms() -> None:
    assert read_column("a double precision?") == Column(
        "a", "double precision", nullable=True
    )
    assert read_column("b text? = ''") == Column(
        "b", "text", nullable=True, default="''"
    )
    assert read_column("c varchar(5)") == Column("c", "varchar(5)")
    assert read_unique("(a, b)") == Unique(None, ("a", "b"))
    assert read_unique("name (a)") == Unique("name", ("a",))
    assert read_index("i (a) where a > 1") == Index("i", ("a",), "a > 1")


def test_a_line_that_is_not_in_the_notation_is_refused() -> None:
    with pytest.raises(ValueError, match="'what is this"):
        read_index("what is this")
