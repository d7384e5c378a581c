"""A write that the ERP refused in unknown words keeps them until a look-up has shown that nothing was done."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("erp_writes", sa.Column("unknown_words", JSONB(), nullable=True))


def downgrade() -> None:
    op.execute("delete from outbox where kind = 'schedule_changed'")
    op.drop_column("erp_writes", "unknown_words")
