"""Lines of bills keep values of the company's own dimensions and fields."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0150"
down_revision = "0130"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("custom", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)
    op.add_column("bill_lines", column)


def downgrade() -> None:
    op.drop_column("bill_lines", "custom")
