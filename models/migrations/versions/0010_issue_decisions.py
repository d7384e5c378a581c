"""A sync issue keeps what a person decided on it, until whoever waits behind it has taken that in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COLUMNS = ("decision", "decided_by", "decided_why")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("sync_issues", sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    op.execute("delete from outbox where kind in ('issue_decided', 'sync_due')")
    for name in COLUMNS:
        op.drop_column("sync_issues", name)
