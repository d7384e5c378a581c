"""Tokens that an ERP changes while they are used, and the journal of exchanges with an ERP that answers later."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connection_tokens",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("credentials_version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.PrimaryKeyConstraint("connection_id"),
    )
    op.create_table(
        "exchanges",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("workflow_id", sa.String(), nullable=False),
        sa.Column("workflow_run_id", sa.String(), nullable=False),
        sa.Column("activity_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.PrimaryKeyConstraint("connection_id", "key"),
    )
    op.create_index(
        "exchanges_unanswered",
        "exchanges",
        ["connection_id", "sequence"],
        unique=False,
        postgresql_where=sa.text("answered_at is null"),
    )
    op.create_index(
        "exchanges_by_age",
        "exchanges",
        ["answered_at"],
        unique=False,
        postgresql_where=sa.text("answered_at is not null"),
    )


def downgrade() -> None:
    op.drop_index("exchanges_by_age", table_name="exchanges", postgresql_where=sa.text("answered_at is not null"))
    op.drop_index("exchanges_unanswered", table_name="exchanges", postgresql_where=sa.text("answered_at is null"))
    op.drop_table("exchanges")
    op.drop_table("connection_tokens")
