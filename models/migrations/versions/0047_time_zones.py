"""A connection may say in which time zone its days begin and end.

Revision ID: 0047
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("time_zone", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("connections", "time_zone")
