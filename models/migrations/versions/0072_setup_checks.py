"""Set-up checks: the last answer to each, and what a person confirmed.

Revision ID: 0072
Revises: 0062
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0072"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "setup_checks",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("seen", sa.String(), nullable=False),
        sa.Column("breaks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fix", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("checked_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.Column("confirmed_state", sa.String(), nullable=True),
        sa.Column("confirmed_value", sa.String(), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("confirmed_at", instant, nullable=True),
        sa.Column("reopened_at", instant, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.PrimaryKeyConstraint("connection_id", "code"),
    )


def downgrade() -> None:
    op.drop_table("setup_checks")
