"""Goods that go back to the vendor are documents of their own: they count as returned (T) whether credited or not."""

import sqlalchemy as sa
from alembic import op

revision = "0083"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receipts", sa.Column("kind", sa.String(), server_default=sa.text("'receipt'"), nullable=False))
    op.add_column("receipts", sa.Column("credit_document", sa.String(), nullable=True))
    op.create_index(
        "returns_by_day",
        "receipts",
        ["connection_id", "received_on", "id"],
        postgresql_where=sa.text("kind = 'return'"),
    )
    op.add_column("receipt_lines", sa.Column("credited", sa.Numeric(), server_default=sa.text("0"), nullable=False))
    for name in ("returned_by_credits", "credited_by_returns", "credited_by_returns_amount"):
        op.add_column(
            "purchase_order_lines", sa.Column(name, sa.Numeric(), server_default=sa.text("0"), nullable=False)
        )
    # Until now only what was credited counted as returned.
    op.execute("update purchase_order_lines set returned_by_credits = returned where returned <> 0")


def downgrade() -> None:
    op.execute("update purchase_order_lines set returned = returned_by_credits where returned <> returned_by_credits")
    op.execute(
        "update purchase_order_lines set credited = credited - credited_by_returns,"
        " credited_amount = credited_amount - credited_by_returns_amount where credited_by_returns <> 0"
    )
    for name in ("returned_by_credits", "credited_by_returns", "credited_by_returns_amount"):
        op.drop_column("purchase_order_lines", name)
    op.drop_column("receipt_lines", "credited")
    op.drop_index("returns_by_day", table_name="receipts")
    op.drop_column("receipts", "credit_document")
    op.execute("delete from receipt_lines where receipt_id in (select id from receipts where kind = 'return')")
    op.execute("delete from receipts where kind = 'return'")
    op.drop_column("receipts", "kind")
