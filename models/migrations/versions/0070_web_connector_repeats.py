"""What a session of a Web Connector took in last: the same answer brought once more is not the next document's.

Revision ID: 0070
Revises: 0064
"""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("web_connector_sessions", sa.Column("last_taken", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("web_connector_sessions", "last_taken")
