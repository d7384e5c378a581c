"""The GRNI report looks for what is open by index, instead of laying out every line that was ever ordered. What a sync
run counts and the code of a notice follow the glossary."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UNSETTLED = (
    "not deleted and case basis when 'amount' then received * price <> billed_amount - credited_amount"
    " else received <> billed - credited end"
)


def upgrade() -> None:
    op.create_index(
        "purchase_order_lines_unsettled",
        "purchase_order_lines",
        [sa.text("split_part(chain_line, '/', 1)"), "chain_line"],
        postgresql_where=sa.text(UNSETTLED),
    )
    op.create_index("receipts_by_day", "receipts", ["received_on", "connection_id"])
    op.create_index("bills_by_posting_date", "bills", ["posting_date", "connection_id"])
    op.create_index("bill_lines_reserving", "bill_lines", ["purchase_order_id"], postgresql_where=sa.text("reserves"))
    _rename_count("woken", "notified")
    op.execute("update notices set code = 'DELETIONS_BY_SCAN' where code = 'DELETIONS_BY_SWEEP'")


def downgrade() -> None:
    op.execute("update notices set code = 'DELETIONS_BY_SWEEP' where code = 'DELETIONS_BY_SCAN'")
    _rename_count("notified", "woken")
    op.drop_index("bill_lines_reserving", table_name="bill_lines")
    op.drop_index("bills_by_posting_date", table_name="bills")
    op.drop_index("receipts_by_day", table_name="receipts")
    op.drop_index("purchase_order_lines_unsettled", table_name="purchase_order_lines")


def _rename_count(old: str, new: str) -> None:
    op.execute(
        f"update sync_runs set counts = counts - '{old}' || jsonb_build_object('{new}', counts -> '{old}')"
        f" where jsonb_exists(counts, '{old}')"
    )
