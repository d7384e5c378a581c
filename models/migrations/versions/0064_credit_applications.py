"""Credits are applied to bills from here, without money.

Revision ID: 0064
Revises: 0063
"""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    now = sa.text("now()")
    op.create_table(
        "credit_applications",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("connection_id", sa.String(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("credit_id", sa.String(), sa.ForeignKey("bills.id"), nullable=False),
        sa.Column("bill_id", sa.String(), sa.ForeignKey("bills.id"), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("on_bill", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("external_key", sa.String(), nullable=False),
        sa.Column("payment", sa.String(), nullable=True),
        sa.Column("shown", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("asks", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("problem", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
    )
    op.create_index("ix_credit_applications_external_key", "credit_applications", ["external_key"])
    op.create_index("credit_applications_by_credit", "credit_applications", ["credit_id", "created_at"])
    op.create_index("credit_applications_by_bill", "credit_applications", ["bill_id"])
    op.create_index(
        "credit_applications_under_way",
        "credit_applications",
        ["connection_id"],
        postgresql_where=sa.text("status in ('applying', 'unapplying')"),
    )


def downgrade() -> None:
    op.drop_table("credit_applications")
