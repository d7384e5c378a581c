"""A part of a bill knows the edit that it took while others did not, so that it can be put back.

Revision ID: 0059
Revises: 0058
"""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bill_parts", sa.Column("edition", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("bill_parts", "edition")
