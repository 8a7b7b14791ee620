"""A database as somebody made it by hand from the data dictionary, version 16.

Made of plain DDL from the dictionary's data, not of our SQLAlchemy tables: nothing in
it knows of partitions, of the schema ``beast`` or of triggers.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from trinity_beast.features.dictionary import Column, TableEntry, dictionary


async def create_v16(connection: AsyncConnection) -> None:
    """Create the 35 tables, without a row."""
    for statement in ddl_of(dictionary()):
        await connection.exec_driver_sql(statement)


def ddl_of(tables: tuple[TableEntry, ...]) -> Iterator[str]:
    """Yield the statements that create these tables, in an order that works."""
    for table in tables:
        columns = ", ".join(_column(column) for column in table.columns)
        yield f"CREATE TABLE {table.name} ({columns})"
    for table in tables:
        yield from _indexes(table)
    for table in tables:
        yield from _references(table)


def _column(column: Column) -> str:
    key = " PRIMARY KEY" if column.name == "id" else ""
    null = "" if column.nullable else " NOT NULL"
    default = "" if column.default is None else f" DEFAULT {column.default}"
    return f"{column.name} {column.type}{key}{null}{default}"


def _indexes(table: TableEntry) -> Iterator[str]:
    for unique in table.unique:
        name = "" if unique.name is None else f"CONSTRAINT {unique.name}"
        columns = ", ".join(unique.columns)
        yield f"ALTER TABLE {table.name} ADD {name} UNIQUE ({columns})"
    for index in table.indexes:
        where = "" if index.where is None else f"WHERE {index.where}"
        columns = ", ".join(index.columns)
        yield f"CREATE INDEX {index.name} ON {table.name} ({columns}) {where}"
    for column, texts in table.one_of.items():
        allowed = ", ".join(f"'{text}'" for text in texts)
        yield f"ALTER TABLE {table.name} ADD CHECK ({column} IN ({allowed}))"


def _references(table: TableEntry) -> Iterator[str]:
    for it in table.references:
        cascade = "ON DELETE CASCADE" if it.cascade else ""
        yield (
            f"ALTER TABLE {table.name} ADD FOREIGN KEY ({it.column})"
            f" REFERENCES {it.table} (id) {cascade}"
        )
