"""A payment can be voided from here: its day and reason, and its workflow counts as open meanwhile.

Revision ID: 0068
Revises: 0059
"""

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0059"
branch_labels = None
depends_on = None

OPEN = "origin = 'posync' and status in ('scheduled', 'submitted', 'sync_issue'{more})"


def upgrade() -> None:
    op.add_column("payments", sa.Column("void_on", sa.Date(), nullable=True))
    op.add_column("payments", sa.Column("void_why", sa.String(), nullable=True))
    _index(", 'voiding'")


def downgrade() -> None:
    _index("")
    op.drop_column("payments", "void_why")
    op.drop_column("payments", "void_on")


def _index(more: str) -> None:
    op.drop_index("payments_open", table_name="payments")
    op.create_index("payments_open", "payments", ["connection_id"], postgresql_where=sa.text(OPEN.format(more=more)))
