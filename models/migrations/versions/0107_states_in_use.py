"""Connections to Intacct know the states in which it makes nothing of an order or receipt."""

from alembic import op

revision = "0107"
down_revision = "0100"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """update connections set capabilities = capabilities || '{"states_in_use": ["In Progress", "G"]}'::jsonb"""
        " where erp = 'intacct' and capabilities <> '{}'::jsonb"
    )


def downgrade() -> None:
    op.execute("update connections set capabilities = capabilities - 'states_in_use'")
