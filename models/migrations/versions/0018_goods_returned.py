"""What went back to the vendor and was credited is received no more: an order line keeps how much, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "purchase_order_lines", sa.Column("returned", sa.Numeric(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("purchase_order_lines", sa.Column("returned_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("purchase_order_lines", "returned_on")
    op.drop_column("purchase_order_lines", "returned")
