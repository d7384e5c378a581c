"""That a bill's workflow is to be told of a change is a row of the outbox, no mark on the bill."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CHANGED = sa.text("has_undelivered_change")


def upgrade() -> None:
    op.execute(
        "insert into outbox (organization_id, connection_id, kind, subject_id, request_key)"
        " select organization_id, connection_id, 'bill_changed', id, 'revision 0006' from bills"
        " where has_undelivered_change order by id"
    )
    op.drop_index("bills_with_undelivered_change", table_name="bills", postgresql_where=CHANGED)
    op.drop_column("bills", "has_undelivered_change")


def downgrade() -> None:
    op.add_column(
        "bills", sa.Column("has_undelivered_change", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_index("bills_with_undelivered_change", "bills", ["connection_id"], unique=False, postgresql_where=CHANGED)
    op.execute(
        "update bills set has_undelivered_change = true"
        " where id in (select subject_id from outbox where kind = 'bill_changed')"
    )
    op.execute("delete from outbox where kind = 'bill_changed'")
