"""A payment has shares, one per bill that it pays, a reference of its own, and the day it was submitted.

Revision ID: 0067
Revises: 0073
"""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_shares",
        sa.Column("payment_id", sa.String(), sa.ForeignKey("payments.id"), primary_key=True),
        sa.Column("bill_id", sa.String(), sa.ForeignKey("bills.id"), primary_key=True),
        sa.Column("amount", sa.Numeric(), nullable=False),
    )
    op.create_index("payment_shares_by_bill", "payment_shares", ["bill_id"])
    op.execute("insert into payment_shares (payment_id, bill_id, amount) select id, bill_id, amount from payments")
    op.add_column("payments", sa.Column("stands_alone", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("payments", sa.Column("paid_outside", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("payments", sa.Column("reference", sa.String(), nullable=True))
    op.add_column("payments", sa.Column("external_id", sa.String(), nullable=True))
    op.add_column("payments", sa.Column("submitted_on", sa.Date(), nullable=True))
    op.create_index("payments_by_reference", "payments", ["organization_id", "reference"])


def downgrade() -> None:
    op.drop_index("payments_by_reference", table_name="payments")
    for name in ("submitted_on", "external_id", "reference", "paid_outside", "stands_alone"):
        op.drop_column("payments", name)
    op.drop_index("payment_shares_by_bill", table_name="payment_shares")
    op.drop_table("payment_shares")
