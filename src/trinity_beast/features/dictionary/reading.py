"""Reads the dictionary's data, in the notation that its file explains."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from trinity_beast.features.dictionary.model import (
    Column,
    Index,
    OwnIndex,
    OwnTable,
    Reference,
    TableEntry,
    Unique,
)

_COLUMN = re.compile(r"(\w+) ([^?=]+?)(\?)?(?: = (.+))?")
_UNIQUE = re.compile(r"(?:(\w+) )?\((.+)\)")
_INDEX = re.compile(r"(\w+) \((.+?)\)(?: where (.+))?")
_REFERENCE = re.compile(r"(\w+) -> (\w+)( cascade)?")


def dictionary() -> tuple[TableEntry, ...]:
    """Return the tables of the data dictionary, in its order."""
    return tuple(_table(name, data) for name, data in _data("dictionary").items())


def own_indexes() -> tuple[OwnIndex, ...]:
    """Return the indexes of our own on tables of the dictionary, by name."""
    return tuple(OwnIndex(**data) for data in _data("own")["index"])


def own_tables() -> tuple[OwnTable, ...]:
    """Return the tables of our own schema, by name."""
    return tuple(OwnTable(**data) for data in _data("own")["table"])


def _data(name: str) -> dict[str, Any]:
    file = files(__package__ or "").joinpath("data", f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _table(name: str, data: Mapping[str, Any]) -> TableEntry:
    one_of: Mapping[str, list[str]] = data.get("one_of", {})
    return TableEntry(
        name=name,
        section=data["section"],
        columns=tuple(read_column(text) for text in data["columns"]),
        unique=tuple(read_unique(text) for text in data.get("unique", ())),
        indexes=tuple(read_index(text) for text in data.get("indexes", ())),
        references=tuple(_reference(text) for text in data.get("references", ())),
        one_of={column: tuple(values) for column, values in one_of.items()},
        note=data.get("note", ""),
    )


def read_column(text: str) -> Column:
    """Read ``name type? = default``."""
    name, kind, nullable, default = _groups(_COLUMN, text)
    return Column(name, kind, nullable=bool(nullable), default=default)


def read_unique(text: str) -> Unique:
    """Read ``name (columns)``, or ``(columns)``."""
    name, columns = _groups(_UNIQUE, text)
    return Unique(name, tuple(columns.split(", ")))


def read_index(text: str) -> Index:
    """Read ``name (columns) where condition``."""
    name, columns, where = _groups(_INDEX, text)
    return Index(name, tuple(columns.split(", ")), where)


def _reference(text: str) -> Reference:
    column, table, cascade = _groups(_REFERENCE, text)
    return Reference(column, table, cascade=bool(cascade))


def _groups(pattern: re.Pattern[str], text: str) -> tuple[Any, ...]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"this is not in the dictionary's notation: {text!r}")
    return match.groups()
