"""A bill has a match mode of its own, is small or not, and its lines may be for a substitute.

"Only approved bills" also keeps a connection from going back to a `push_when` that sends others.

Revision ID: 0046
Revises: 0048
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0048"
branch_labels = None
depends_on = None

PERMANENT = """
create or replace trigger connections_only_approved_is_permanent before update on connections for each row
 when (old.only_approved and not ({stays}))
 execute function refuse_end_of_only_approved()
"""
BEFORE = "new.only_approved and new.approvals_enabled"


def upgrade() -> None:
    op.add_column("bills", sa.Column("match_mode", sa.String(), nullable=True))
    op.add_column("bills", sa.Column("small", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "bills_small", "bills", ["vendor_id", "connection_id", "bill_date"], postgresql_where=sa.text("small")
    )
    op.add_column("bill_lines", sa.Column("substitute", sa.String(), nullable=True))
    op.execute(PERMANENT.format(stays=f"{BEFORE} and new.push_when in ('approved', 'scheduled')"))


def downgrade() -> None:
    op.execute(PERMANENT.format(stays=BEFORE))
    op.drop_column("bill_lines", "substitute")
    op.drop_index("bills_small", table_name="bills")
    op.drop_column("bills", "small")
    op.drop_column("bills", "match_mode")
