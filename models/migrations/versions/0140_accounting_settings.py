"""A connection says which dimensions its bills carry, and which day they post on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0140"
down_revision = "0150"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "connections", sa.Column("dimensions", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)
    )
    op.add_column(
        "connections", sa.Column("posting_day", sa.String(), server_default=sa.text("'bill_date'"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("connections", "posting_day")
    op.drop_column("connections", "dimensions")
