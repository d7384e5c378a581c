"""Consents are bound to the key they were started with and to the browser in which they were opened.

Revision ID: 0075
Revises: 0074
"""

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consents", sa.Column("api_key_id", sa.String(), nullable=True))
    op.create_foreign_key("consents_api_key_id_fkey", "consents", "api_keys", ["api_key_id"], ["id"])
    op.add_column("consents", sa.Column("page", sa.LargeBinary(), nullable=True))
    op.add_column("consents", sa.Column("browser_digest", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("consents", "browser_digest")
    op.drop_column("consents", "page")
    op.drop_column("consents", "api_key_id")
