"""Records that named no currency are in the connection's own: an order was stored without any.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("purchase_orders", "bills", "payments"):
        op.execute(
            f"update {table} r set currency = c.base_currency from connections c"
            " where c.id = r.connection_id and r.currency = ''"
        )


def downgrade() -> None:
    pass
