"""The 35 tables of the data dictionary, our own schema, indexes and triggers.

Safe on a database that has them already: what exists is kept as it is, and no row is
touched.

Revision ID: 0001
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
FILES = ("0001_own.sql", "0001_tables.sql", "0001_indexes.sql", "0001_triggers.sql")


def upgrade() -> None:
    for name in FILES:
        for statement in statements_of(SQL / name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("There is nothing before the first version.")


def statements_of(file: Path) -> list[str]:
    """Return the statements of a file in which an empty line ends each one."""
    paragraphs = file.read_text(encoding="utf-8").split("\n\n")
    return [text for text in paragraphs if text.rstrip().endswith(";")]
