"""Since when a connection's metered reads are refused, and the request id that a write has in the ERP.

Revision ID: 0074
Revises: 0070
"""

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "refused_reads",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("until", instant, nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("used_up", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id"),
    )
    op.add_column("erp_writes", sa.Column("request_id", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("erp_writes", "request_id")
    op.drop_table("refused_reads")
