"""The outbox: what a decision owes a workflow is stored with it. Bills keep the terms they were matched under."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_by_turn", "outbox", ["next_try", "id"], unique=False)
    op.create_index("outbox_by_subject", "outbox", ["subject_id"], unique=False)
    op.add_column("bills", sa.Column("matched_terms", sa.String(), server_default=sa.text("''"), nullable=False))
    op.create_index(
        "bills_open",
        "bills",
        ["connection_id"],
        unique=False,
        postgresql_where=sa.text("origin = 'posync' and status not in ('paid', 'abandoned', 'deleted')"),
    )
    op.create_index(
        "payments_open",
        "payments",
        ["connection_id"],
        unique=False,
        postgresql_where=sa.text("origin = 'posync' and status in ('scheduled', 'submitted', 'sync_issue')"),
    )


def downgrade() -> None:
    op.drop_index(
        "payments_open",
        table_name="payments",
        postgresql_where=sa.text("origin = 'posync' and status in ('scheduled', 'submitted', 'sync_issue')"),
    )
    op.drop_index(
        "bills_open",
        table_name="bills",
        postgresql_where=sa.text("origin = 'posync' and status not in ('paid', 'abandoned', 'deleted')"),
    )
    op.drop_column("bills", "matched_terms")
    op.drop_index("outbox_by_subject", table_name="outbox")
    op.drop_index("outbox_by_turn", table_name="outbox")
    op.drop_table("outbox")
