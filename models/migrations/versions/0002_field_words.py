"""Call columns by the field's words: no column changes its meaning or its values.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = (
    ("connections", "match_again_since", "rematch_requested_at"),
    ("connections", "match_again_why", "rematch_why"),
    ("purchase_orders", "woken_hash", "notified_hash"),
    ("bills", "has_news", "has_undelivered_change"),
    ("bills", "edit_undo", "edit_baseline"),
    ("unit_factors", "told_by", "entered_by"),
)
INDEXES = (
    ("purchase_orders_to_wake", "purchase_orders_to_notify"),
    ("bills_with_news", "bills_with_undelivered_change"),
)


def upgrade() -> None:
    for table, old, new in COLUMNS:
        op.alter_column(table, old, new_column_name=new)
    for old, new in INDEXES:
        op.execute(f"alter index {old} rename to {new}")


def downgrade() -> None:
    for table, old, new in COLUMNS:
        op.alter_column(table, new, new_column_name=old)
    for old, new in INDEXES:
        op.execute(f"alter index {new} rename to {old}")
