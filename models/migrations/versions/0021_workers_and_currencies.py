"""Worker processes give signs of life, connections know where their currency is from, and orders know when their
credits were read and under which id their workflow runs.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("identity", sa.String(), primary_key=True),
        sa.Column("alive_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        prefixes=["UNLOGGED"],
        postgresql_with={"fillfactor": "50"},
    )
    op.add_column(
        "connections",
        sa.Column("base_currency_from", sa.String(), server_default=sa.text("'assumed'"), nullable=False),
    )
    # Of these the ERP was asked when they were let in; it named the currency, or left it at US dollars.
    op.execute(
        "update connections set base_currency_from = 'erp'"
        " where erp = 'quickbooks_online' and state <> 'pending_authorization'"
    )
    # Orders that are here keep the id that their workflow runs under.
    op.add_column("purchase_orders", sa.Column("workflow_id", sa.String(), nullable=True))
    op.execute("update purchase_orders set workflow_id = 'po/' || connection_id || '/' || erp_id")
    op.alter_column("purchase_orders", "workflow_id", nullable=False)
    op.add_column("purchase_orders", sa.Column("credits_read_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("update skipped_records set code = 'OTHER_CURRENCY' where code = 'NOT_USD'")


def downgrade() -> None:
    op.execute("update skipped_records set code = 'NOT_USD' where code = 'OTHER_CURRENCY'")
    op.drop_column("purchase_orders", "credits_read_at")
    op.drop_column("purchase_orders", "workflow_id")
    op.drop_column("connections", "base_currency_from")
    op.drop_table("workers")
