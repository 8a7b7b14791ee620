"""What the dictionary says of a table, and how a table can differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        type: In the dictionary's words: ``varchar(5)``, ``timestamptz``, ``serial``.
        nullable: Whether it may be NULL.
        default: SQL, or None.
    """

    name: str
    type: str
    nullable: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Unique:
    """Columns that are unique together; ``name`` is None if any name will do."""

    name: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A named index; ``where`` is the condition of a partial one."""

    name: str
    columns: tuple[str, ...]
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key to another table's ``id``; ``cascade`` is ON DELETE CASCADE."""

    column: str
    table: str
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One table of the dictionary; its primary key is ``id``.

    Attributes:
        name: Its name.
        section: Where the dictionary describes it.
        columns: In the dictionary's order.
        unique: Unique constraints.
        indexes: Named indexes.
        references: Foreign keys.
        one_of: Columns that allow some texts only.
        note: What the reader of the dictionary should know.
    """

    name: str
    section: str
    columns: tuple[Column, ...]
    unique: tuple[Unique, ...] = ()
    indexes: tuple[Index, ...] = ()
    references: tuple[Reference, ...] = ()
    one_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str]])
    note: str = ""


@dataclass(frozen=True, slots=True)
class OwnIndex:
    """An index of our own on a table of the dictionary, and why it is there."""

    name: str
    table: str
    on: str
    reason: str


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A table of our own schema, and what it is for."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a database is not as the dictionary says.

    Attributes:
        table: Where.
        what: Which thing: ``column tier``, ``index idx_…``, ``table``.
        expected: What the dictionary says; empty: there should be no such thing.
        found: What the database has; empty: there is no such thing.
    """

    table: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Return one line to be read by an operator."""
        words = f"{self.table}: {self.what}"
        if not self.found:
            return f"{words} is missing{_after('; expected ', self.expected)}"
        if not self.expected:
            return f"{words} is not in the dictionary{_after(': ', self.found)}"
        return f"{words}: expected {self.expected}, found {self.found}"


def _after(words: str, value: str) -> str:
    return "" if value == PRESENT else f"{words}{value}"
