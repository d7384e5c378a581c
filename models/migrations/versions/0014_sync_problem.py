"""A connection says since when its sync cannot read and why; no cursor and no revision is beyond the present.

A record dated into the future had moved the cursor of its stream there, and nothing later came in. Where that happened,
the stream is read again from a day ago, and the record counts as seen a day ago.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

REVISIONS = (
    ("purchase_orders", "revision"),
    ("receipts", "revision"),
    ("bills", "payable_revision"),
    ("payments", "erp_revision"),
    ("list_entries", "revision"),
    ("skipped_records", "revision"),
)


def upgrade() -> None:
    op.add_column("connections", sa.Column("sync_problem_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("connections", sa.Column("sync_problem_code", sa.String(), nullable=True))
    op.add_column("connections", sa.Column("sync_problem_message", sa.String(), nullable=True))
    days = "to_char(now() at time zone 'UTC' {} interval '1 day', 'YYYY-MM-DD HH24:MI:SS')"
    for table, column in (("cursors", "position"), *REVISIONS):
        op.execute(f"update {table} set {column} = {days.format('-')} where {column} > {days.format('+')}")


def downgrade() -> None:
    for name in ("sync_problem_since", "sync_problem_code", "sync_problem_message"):
        op.drop_column("connections", name)
