"""One owner per table, and one list of what we have beyond the data dictionary."""

from __future__ import annotations

import re
from importlib import import_module
from types import ModuleType

import pytest
from sqlalchemy import Table

from trinity_beast.apps.all_tables import TABLE_MODULES, metadata
from trinity_beast.features.dictionary import dictionary, own_indexes, own_tables
from trinity_beast.toolkit.tables import OWN_SCHEMA

DICTIONARY = {entry.name for entry in dictionary()}
FEATURES = [it for it in TABLE_MODULES if ".features." in it.__name__]


def tables_of(module: ModuleType) -> list[Table]:
    return [value for value in vars(module).values() if isinstance(value, Table)]


def test_each_table_of_the_dictionary_has_exactly_one_feature() -> None:
    owned = [
        table.name
        for module in FEATURES
        for table in tables_of(module)
        if table.schema is None
    ]

    assert len(owned) == 35
    assert sorted(owned) == sorted(DICTIONARY)


def test_the_collection_holds_what_the_modules_define_and_no_more() -> None:
    defined = [table.key for module in TABLE_MODULES for table in tables_of(module)]

    assert sorted(defined) == sorted(metadata.tables)


@pytest.mark.parametrize("module", FEATURES, ids=lambda it: it.__name__.split(".")[-2])
def test_a_feature_says_which_tables_it_owns(module: ModuleType) -> None:
    package = import_module(module.__name__.removesuffix(".tables"))
    said = re.search(r"Owns:\s(.+?)\.\s", f"{package.__doc__} ", re.DOTALL)

    assert said, f"{package.__name__} does not say what it owns"
    names = {name.removeprefix("beast.") for name in re.split(r"[,\s]+", said[1])}
    assert names == {table.name for table in tables_of(module)}


def test_our_own_tables_are_listed_with_their_reason() -> None:
    ours = sorted(t.name for t in metadata.tables.values() if t.schema == OWN_SCHEMA)

    assert [table.name for table in own_tables()] == ours
    assert all(table.reason for table in own_tables())


def test_our_own_indexes_are_listed_with_their_reason() -> None:
    known = {index.name for entry in dictionary() for index in entry.indexes}
    ours = sorted(
        (str(index.name), table.name)
        for table in metadata.tables.values()
        if table.schema is None
        for index in table.indexes
        if index.name not in known
    )

    assert [(index.name, index.table) for index in own_indexes()] == ours
    assert all(index.reason for index in own_indexes())
