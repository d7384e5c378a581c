"""Applications of credits and voids of payments keep who asked for them, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0098"
down_revision = "0097"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("void_by", sa.String(), nullable=True))
    for name in ("why", "unapplied_why"):
        op.add_column("credit_applications", sa.Column(name, sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("credit_applications", sa.Column("unapplied_by", sa.String(), nullable=True))


def downgrade() -> None:
    for name in ("unapplied_by", "unapplied_why", "why"):
        op.drop_column("credit_applications", name)
    op.drop_column("payments", "void_by")
