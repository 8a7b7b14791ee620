"""The registry of running processes.

Revision ID: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS beast.nodes (
          node text NOT NULL,
          pid integer NOT NULL,
          region text NOT NULL,
          version text NOT NULL,
          roles text[] NOT NULL,
          started_at timestamptz NOT NULL,
          heartbeat_at timestamptz NOT NULL,
          CONSTRAINT nodes_pkey PRIMARY KEY (node, pid)
        )
        """,
    )


def downgrade() -> None:
    op.execute("DROP TABLE beast.nodes")
