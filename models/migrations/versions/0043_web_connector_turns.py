"""When a session of a Web Connector called last: while it goes on, a second Web Connector is told to come later.

Revision ID: 0043
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "web_connector_sessions",
        sa.Column("last_call_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("web_connector_sessions", "last_call_at")
