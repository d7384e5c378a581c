"""People, who an API key belongs to, who approves which bills, and when bills are sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

JSON_LIST = sa.text("'[]'::jsonb")
JSON_OBJECT = sa.text("'{}'::jsonb")

ONLY_APPROVED_STAYS = """
create function refuse_end_of_only_approved() returns trigger language plpgsql as $$
begin
    raise exception 'only approved bills are sent: that is permanent';
end $$
"""


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("roles", postgresql.JSONB(), server_default=JSON_LIST, nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.UniqueConstraint("email", "organization_id"),
    )
    op.create_index("ix_people_organization_id", "people", ["organization_id"])
    op.add_column("api_keys", sa.Column("person_id", sa.String(), sa.ForeignKey("people.id"), nullable=True))
    op.create_index("ix_api_keys_person_id", "api_keys", ["person_id"])
    op.add_column(
        "api_keys", sa.Column("acts_for_people", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "connections", sa.Column("approvals_enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "connections", sa.Column("push_when", sa.String(), server_default=sa.text("'matched'"), nullable=False)
    )
    op.add_column(
        "connections", sa.Column("only_approved", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute(ONLY_APPROVED_STAYS)
    op.execute(
        "create trigger connections_only_approved_is_permanent before update on connections for each row"
        " when (old.only_approved and not (new.only_approved and new.approvals_enabled))"
        " execute function refuse_end_of_only_approved()"
    )
    op.add_column("bills", sa.Column("approval", sa.String(), server_default=sa.text("'not_required'"), nullable=False))
    op.add_column("bills", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("bills_by_change", "bills", ["organization_id", "changed_at", "id"])
    op.create_table(
        "approval_rules",
        sa.Column("connection_id", sa.String(), sa.ForeignKey("connections.id"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("total_from", sa.Numeric(), nullable=True),
        sa.Column("total_below", sa.Numeric(), nullable=True),
        sa.Column("vendor_id", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("entity", sa.String(), nullable=True),
        sa.Column("steps", postgresql.JSONB(), server_default=JSON_LIST, nullable=False),
    )
    op.create_table(
        "approval_steps",
        sa.Column("bill_id", sa.String(), sa.ForeignKey("bills.id"), primary_key=True),
        sa.Column("step_no", sa.Integer(), primary_key=True),
        sa.Column("approvers", postgresql.JSONB(), server_default=JSON_LIST, nullable=False),
        sa.Column("acts_for", postgresql.JSONB(), server_default=JSON_OBJECT, nullable=False),
        sa.Column("approved_by", sa.String(), sa.ForeignKey("people.id"), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "approval_steps_awaited",
        "approval_steps",
        ["approvers"],
        postgresql_using="gin",
        postgresql_where=sa.text("approved_by is null"),
    )


def downgrade() -> None:
    # Nothing before this revision sends or shows such a bill: it waits for a person, with its write on hold.
    op.execute("update bills set status = 'on_hold' where status in ('awaiting_approval', 'awaiting_payment')")
    op.drop_table("approval_steps")
    op.drop_table("approval_rules")
    op.drop_index("bills_by_change", table_name="bills")
    op.drop_column("bills", "approved_at")
    op.drop_column("bills", "approval")
    op.execute("drop trigger connections_only_approved_is_permanent on connections")
    op.execute("drop function refuse_end_of_only_approved")
    for name in ("only_approved", "push_when", "approvals_enabled"):
        op.drop_column("connections", name)
    op.drop_column("api_keys", "acts_for_people")
    op.drop_index("ix_api_keys_person_id", table_name="api_keys")
    op.drop_column("api_keys", "person_id")
    op.drop_table("people")
