"""Lines of bills keep the warehouse: the order line's, unless people chose another one."""

import sqlalchemy as sa
from alembic import op

revision = "0171"
down_revision = "0170"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bill_lines", sa.Column("warehouse", sa.String(), nullable=True))
    op.execute(
        "update bill_lines l set warehouse = o.warehouse from purchase_order_lines o"
        " where o.purchase_order_id = l.purchase_order_id and o.line_no = l.purchase_order_line_no"
        " and o.warehouse is not null and l.reserves"
    )


def downgrade() -> None:
    op.drop_column("bill_lines", "warehouse")
