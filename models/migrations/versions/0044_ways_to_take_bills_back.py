"""A connection says how its bills are taken back from the ERP: deleted, reversed or credited.

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("retract_by", "retract_direct_by"):
        op.add_column("connections", sa.Column(column, sa.String(), server_default=sa.text("'delete'"), nullable=False))
    op.add_column("bill_retractions", sa.Column("freed", sa.Boolean(), server_default=sa.text("true"), nullable=False))


def downgrade() -> None:
    op.drop_column("bill_retractions", "freed")
    for column in ("retract_direct_by", "retract_by"):
        op.drop_column("connections", column)
