"""A bill has a match mode of its own, is small or not, and its lines may be for a substitute.

Revision ID: 0046
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bills", sa.Column("match_mode", sa.String(), nullable=True))
    op.add_column("bills", sa.Column("small", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "bills_small", "bills", ["vendor_id", "connection_id", "bill_date"], postgresql_where=sa.text("small")
    )
    op.add_column("bill_lines", sa.Column("substitute", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("bill_lines", "substitute")
    op.drop_index("bills_small", table_name="bills")
    op.drop_column("bills", "small")
    op.drop_column("bills", "match_mode")
