"""Orders of the caller's own system, to be uploaded as bills or purchase orders, and their contacts' vendors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

JSON_LIST = sa.text("'[]'::jsonb")


def upgrade() -> None:
    op.create_table(
        "source_orders",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organization_id", sa.String(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("connection_id", sa.String(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("invoice_date", sa.Date(), nullable=True),
        sa.Column("invoice_number", sa.String(), nullable=False),
        sa.Column("dispatch_date", sa.Date(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("memo", sa.String(), nullable=False),
        sa.Column("lines", postgresql.JSONB(), server_default=JSON_LIST, nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("accounting_status", sa.String(), nullable=False),
        sa.Column("upload_state", sa.String(), nullable=False),
        sa.Column("upload_as", sa.String(), nullable=True),
        sa.Column("upload_no", sa.Integer(), nullable=False),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("uploaded_version", sa.Integer(), nullable=True),
        sa.Column("document_number", sa.String(), nullable=True),
        sa.Column("repeats_number", sa.Boolean(), nullable=False),
        sa.Column("vendor_id", sa.String(), nullable=True),
        sa.Column("outgoing", postgresql.JSONB(), nullable=True),
        sa.Column("erp_id", sa.String(), nullable=True),
        sa.Column("document_id", sa.String(), nullable=True),
        sa.Column("problems", postgresql.JSONB(), server_default=JSON_LIST, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.UniqueConstraint("reference", "connection_id"),
    )
    op.create_index("source_orders_by_age", "source_orders", ["organization_id", "created_at", "id"])
    op.create_index(
        "source_orders_numbers",
        "source_orders",
        ["document_number", "upload_as", "connection_id"],
        unique=True,
        postgresql_where=sa.text("document_number is not null and not repeats_number"),
    )
    op.create_index(
        "source_orders_uploading",
        "source_orders",
        ["connection_id"],
        postgresql_where=sa.text("upload_state = 'uploading'"),
    )
    op.create_table(
        "contacts",
        sa.Column("connection_id", sa.String(), sa.ForeignKey("connections.id"), primary_key=True),
        sa.Column("contact", sa.String(), primary_key=True),
        sa.Column("vendor_id", sa.String(), nullable=False),
        sa.Column("linked_by", sa.String(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    # What connections that were let in before may do now.
    offered = '{"order_upload": true, "longest_number": 21, "bills_explain_billed": true}'
    op.execute(
        f"update connections set capabilities = capabilities || '{offered}'::jsonb"
        " where erp = 'quickbooks_online' and capabilities <> '{}'::jsonb"
    )


def downgrade() -> None:
    # Their writes have no subject any more before this revision.
    op.execute("delete from erp_writes where kind = 'source_order'")
    op.execute("delete from outbox where kind = 'source_order_upload'")
    op.drop_table("contacts")
    op.drop_table("source_orders")
