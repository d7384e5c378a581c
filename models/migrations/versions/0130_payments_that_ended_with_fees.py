"""Payments that ended while a fee of theirs may still be a credit are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0130"
down_revision = "0110"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "payments_ended_with_fees",
        "payments",
        ["connection_id"],
        postgresql_where=sa.text("fees <> '[]' and status in ('abandoned', 'voided')"),
    )


def downgrade() -> None:
    op.drop_index("payments_ended_with_fees", "payments")
