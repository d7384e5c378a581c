"""Receipts of several orders are here once for each: those parts are found by the receipt's own id."""

import sqlalchemy as sa
from alembic import op

revision = "0120"
down_revision = "0140"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "receipts_by_parts",
        "receipts",
        [sa.text("split_part(erp_id, '/', 1)"), "connection_id"],
        postgresql_where=sa.text("strpos(erp_id, '/') > 0"),
    )


def downgrade() -> None:
    op.drop_index("receipts_by_parts", table_name="receipts")
