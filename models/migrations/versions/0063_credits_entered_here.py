"""Lines of credits that were entered here give back quantities of order lines.

Revision ID: 0063
Revises: 0059
"""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bill_lines", sa.Column("gives_back", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "bill_lines_giving_back",
        "bill_lines",
        ["purchase_order_id", "purchase_order_line_no"],
        postgresql_where=sa.text("gives_back"),
    )


def downgrade() -> None:
    op.drop_index("bill_lines_giving_back", table_name="bill_lines")
    op.drop_column("bill_lines", "gives_back")
