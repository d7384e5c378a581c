"""A connection may send an order's bills as drafts, which their approval releases.

Revision ID: 0058
Revises: 0067
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0067"
branch_labels = None
depends_on = None

PERMANENT = """
create or replace trigger connections_only_approved_is_permanent before update on connections for each row
 when (old.only_approved and not ({stays}))
 execute function refuse_end_of_only_approved()
"""
BEFORE = "new.only_approved and new.approvals_enabled and new.push_when in ('approved', 'scheduled')"


def upgrade() -> None:
    op.add_column(
        "connections", sa.Column("draft_order_bills", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute(PERMANENT.format(stays=f"{BEFORE} and not new.draft_order_bills"))


def downgrade() -> None:
    op.execute(PERMANENT.format(stays=BEFORE))
    op.drop_column("connections", "draft_order_bills")
