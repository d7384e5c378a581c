"""What a queued write was decided by is kept with it: it is asked once more where it was not just seen.

Revision ID: 0086
Revises: 0084
"""

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exchanges", sa.Column("look_up", sa.String(), nullable=True))
    op.add_column("exchanges", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("exchanges", "withdrawn_at")
    op.drop_column("exchanges", "look_up")
