"""Payments take credits with them: each row is a credit that goes to one of the payment's bills beside the money."""

import sqlalchemy as sa
from alembic import op

revision = "0096"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_credits",
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("credit_id", sa.String(), nullable=False),
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("applied_before", sa.Numeric(), nullable=True),
        sa.Column("stays_applied", sa.Numeric(), nullable=True),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"]),
        sa.ForeignKeyConstraint(["credit_id"], ["bills.id"]),
        sa.ForeignKeyConstraint(["bill_id"], ["bills.id"]),
        sa.PrimaryKeyConstraint("payment_id", "credit_id", "bill_id"),
    )
    op.create_index("payment_credits_by_credit", "payment_credits", ["credit_id"])
    op.create_index("payment_credits_by_bill", "payment_credits", ["bill_id"])


def downgrade() -> None:
    op.drop_table("payment_credits")
