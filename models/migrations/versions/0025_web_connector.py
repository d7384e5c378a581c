"""The QuickBooks Web Connector: who may call, what was handed to it in which session, and pages of its answers.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", _json("erp_facts"))
    op.add_column("exchanges", sa.Column("generation", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("exchanges", sa.Column("document", sa.String(), nullable=True))
    op.add_column("exchanges", sa.Column("handed_to", sa.String(), nullable=True))
    op.add_column("exchanges", sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("exchanges", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.add_column("exchanges", sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("exchanges", sa.Column("losses", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("exchanges", sa.Column("pages", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.create_table(
        "exchange_pages",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id", "key"], ["exchanges.connection_id", "exchanges.key"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "key", "page"),
    )
    op.create_table(
        "web_connector_logins",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("password_made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("every_minutes", sa.Integer(), nullable=False),
        sa.Column("company_file", sa.String(), server_default="", nullable=False),
        sa.Column("recognized_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id"),
        sa.UniqueConstraint("user_name"),
    )
    op.create_table(
        "web_connector_sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("company_file", sa.String(), server_default="", nullable=False),
        sa.Column("recognized", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.String(), server_default="", nullable=False),
        sa.Column("kind", sa.String(), server_default="", nullable=False),
        sa.Column("exchange_key", sa.String(), nullable=True),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("iterator_id", sa.String(), nullable=True),
        sa.Column("answered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.String(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_web_connector_sessions_connection_id", "web_connector_sessions", ["connection_id"])


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)


def downgrade() -> None:
    op.drop_table("web_connector_sessions")
    op.drop_table("web_connector_logins")
    op.drop_table("exchange_pages")
    for column in ("pages", "losses", "lost_at", "not_before", "handed_at", "handed_to", "document", "generation"):
        op.drop_column("exchanges", column)
    op.drop_column("connections", "erp_facts")
