"""An ERP write has no hash of its body: nothing ever read it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("erp_writes", "body_hash")


def downgrade() -> None:
    op.add_column("erp_writes", sa.Column("body_hash", sa.String(), nullable=False, server_default=""))
    op.alter_column("erp_writes", "body_hash", server_default=None)
