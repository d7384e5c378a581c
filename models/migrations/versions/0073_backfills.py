"""Backfills: older orders that somebody asked for, and how far each is.

Revision ID: 0073
Revises: 0072
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)

    def facts(name: str) -> sa.Column[object]:
        kind = postgresql.JSONB(astext_type=sa.Text())
        return sa.Column(name, kind, server_default=sa.text("'{}'::jsonb"), nullable=False)

    op.create_table(
        "backfills",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        facts("wanted"),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("after", sa.String(), nullable=True),
        facts("counts"),
        facts("seen_numbers"),
        sa.Column("problem_code", sa.String(), nullable=True),
        sa.Column("problem_message", sa.String(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("started_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_backfills_connection_id", "backfills", ["connection_id"])


def downgrade() -> None:
    op.drop_table("backfills")
