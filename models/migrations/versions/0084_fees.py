"""A payment has fees and what the vendor gets net; a credit of a fee is applied to its bill once the ERP holds it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("net", sa.Numeric(), nullable=True))
    op.add_column(
        "payments",
        sa.Column("fees", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column("bills", sa.Column("apply_when_sent", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.drop_column("bills", "apply_when_sent")
    op.drop_column("payments", "fees")
    op.drop_column("payments", "net")
