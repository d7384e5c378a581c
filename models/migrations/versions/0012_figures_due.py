"""An order says that figures of it were left out while a bill of ours was on its way, until it is read whole again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DUE = sa.text("figures_due")


def upgrade() -> None:
    op.add_column(
        "purchase_orders", sa.Column("figures_due", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_index("purchase_orders_due", "purchase_orders", ["connection_id"], unique=False, postgresql_where=DUE)


def downgrade() -> None:
    op.drop_index("purchase_orders_due", table_name="purchase_orders", postgresql_where=DUE)
    op.drop_column("purchase_orders", "figures_due")
