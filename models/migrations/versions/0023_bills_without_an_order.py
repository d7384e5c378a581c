"""Bills without an order: which bills and lines they are, their entity and term. Limits of order lines.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bills", sa.Column("direct", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("bills", sa.Column("entity", sa.String(), nullable=True))
    op.add_column("bills", sa.Column("term", sa.String(), nullable=True))
    op.add_column("bill_lines", sa.Column("off_order", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.alter_column("match_results", "purchase_order_id", existing_type=sa.String(), nullable=True)
    op.create_table(
        "order_line_limits",
        sa.Column("purchase_order_id", sa.String(), sa.ForeignKey("purchase_orders.id"), nullable=False),
        sa.Column("order_line", sa.String(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("release_cap", sa.Numeric(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("purchase_order_id", "order_line"),
    )


def downgrade() -> None:
    op.drop_table("order_line_limits")
    op.execute("delete from match_results where purchase_order_id is null")
    op.alter_column("match_results", "purchase_order_id", existing_type=sa.String(), nullable=False)
    op.drop_column("bill_lines", "off_order")
    op.drop_column("bills", "term")
    op.drop_column("bills", "entity")
    op.drop_column("bills", "direct")
