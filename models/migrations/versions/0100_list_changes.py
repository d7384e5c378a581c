"""List entries are made and changed here: the changes on their way, who is the master, and what only we keep."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0100"
down_revision = "0096"
branch_labels = None
depends_on = None


def _json(name: str, default: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text(f"'{default}'::jsonb"), nullable=False)


def upgrade() -> None:
    now = sa.text("now()")
    op.create_table(
        "list_changes",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("connection_id", sa.String(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("erp_id", sa.String(), nullable=True),
        sa.Column("entity", sa.String(), nullable=True),
        _json("wanted", "{}"),
        _json("agreed", "{}"),
        _json("conflicts", "[]"),
        sa.Column("external_key", sa.String(), nullable=False),
        sa.Column("asks", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("problem", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
    )
    op.create_index("ix_list_changes_external_key", "list_changes", ["external_key"])
    op.create_index("list_changes_by_age", "list_changes", ["connection_id", "created_at", "id"])
    op.create_index(
        "list_changes_one_at_a_time",
        "list_changes",
        ["connection_id", "kind", "erp_id"],
        unique=True,
        postgresql_where=sa.text("status = 'sending' and action = 'change'"),
    )
    op.create_index(
        "list_changes_one_of_a_key",
        "list_changes",
        ["connection_id", "kind", "key"],
        unique=True,
        postgresql_where=sa.text("status = 'sending' and action = 'create' and key is not null"),
    )
    op.add_column("list_entries", _json("kept_here", "{}"))
    op.add_column("connections", _json("list_masters", "{}"))
    op.add_column(
        "connections", sa.Column("list_level", sa.String(), server_default=sa.text("'entity'"), nullable=False)
    )
    op.add_column(
        "connections", sa.Column("vendor_ids", sa.String(), server_default=sa.text("'given'"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("connections", "vendor_ids")
    op.drop_column("connections", "list_level")
    op.drop_column("connections", "list_masters")
    op.drop_column("list_entries", "kept_here")
    op.drop_table("list_changes")
