"""A bill over several sources is one document per source in the ERP: its parts, each under a key of its own.

Revision ID: 0045
Revises: 0044
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bill_parts",
        sa.Column("external_key", sa.String(), primary_key=True),
        sa.Column("bill_id", sa.String(), sa.ForeignKey("bills.id"), nullable=False),
        sa.Column("connection_id", sa.String(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("part_no", sa.Integer(), nullable=False),
        sa.Column("times_remade", sa.Integer(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("source_document", sa.String(), nullable=False),
        sa.Column("purchase_order_id", sa.String(), sa.ForeignKey("purchase_orders.id"), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("paid", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=True),
        sa.Column("document_id", sa.String(), nullable=True),
        sa.Column("payable_id", sa.String(), nullable=True),
        sa.Column("erp_revision", sa.String(), nullable=True),
        sa.Column("payable_revision", sa.String(), nullable=True),
        sa.Column("shown", postgresql.JSONB(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_index("bill_parts_by_bill", "bill_parts", ["bill_id", "generation", "part_no"])
    op.create_index("bill_parts_by_erp_id", "bill_parts", ["erp_id", "connection_id"])
    op.create_index("bill_parts_by_document", "bill_parts", ["document_id", "connection_id"])
    op.create_index("bill_parts_by_payable", "bill_parts", ["payable_id", "connection_id"])
    for name in ("settled_quantity", "settled_amount"):
        op.add_column("bill_lines", sa.Column(name, sa.Numeric(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    for name in ("settled_quantity", "settled_amount"):
        op.drop_column("bill_lines", name)
    op.drop_table("bill_parts")
