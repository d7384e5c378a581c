"""A bill that the ERP rejected, and an order that stays out from now on: both take nothing more."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bills", sa.Column("rejected_in_erp", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("purchase_orders", sa.Column("left_out", sa.String(), server_default=sa.text("''"), nullable=False))
    op.execute(
        """update connections set capabilities = capabilities || '{"bills_of_other_vendors": false}'::jsonb"""
        " where erp = 'intacct' and capabilities <> '{}'::jsonb"
    )


def downgrade() -> None:
    op.drop_column("purchase_orders", "left_out")
    op.drop_column("bills", "rejected_in_erp")
