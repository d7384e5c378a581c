"""Bills are taken back from the ERP: each generation of a bill has its key, and what was taken back is kept.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bills", sa.Column("generation", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.create_table(
        "bill_retractions",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("bill_id", sa.String(), sa.ForeignKey("bills.id"), nullable=False),
        sa.Column("connection_id", sa.String(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("retract_for", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=True),
        sa.Column("external_key", sa.String(), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("payable_id", sa.String(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("ix_bill_retractions_bill_id", "bill_retractions", ["bill_id"])
    op.create_index("bill_retractions_by_key", "bill_retractions", ["external_key", "connection_id"])
    op.create_index("bill_retractions_by_document", "bill_retractions", ["document_id", "connection_id"])
    op.create_index("bill_retractions_by_payable", "bill_retractions", ["payable_id", "connection_id"])
    op.create_index(
        "bill_retractions_once",
        "bill_retractions",
        ["bill_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )


def downgrade() -> None:
    op.drop_table("bill_retractions")
    op.drop_column("bills", "generation")
