"""What a record of accounts payable is: a bill, a credit, or an adjustment; what is open of a credit, and its bill.

Revision ID: 0062
Revises: 0071
"""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bills", sa.Column("kind", sa.String(), server_default=sa.text("'bill'"), nullable=False))
    op.execute("update bills set kind = 'credit' where origin = 'erp' and total < 0")
    op.add_column("bills", sa.Column("credit_of", sa.String(), sa.ForeignKey("bills.id"), nullable=True))
    op.add_column(
        "bills",
        sa.Column(
            "credit_open",
            sa.Numeric(),
            sa.Computed(
                # As PostgreSQL writes it down, so that both can be compared.
                "CASE WHEN kind::text = 'credit'::text AND status::text <> 'deleted'::text"
                " AND status::text <> 'abandoned'::text THEN GREATEST(paid - total, 0::numeric)"
                " ELSE 0::numeric END",
                persisted=True,
            ),
            nullable=False,
        ),
    )
    op.create_index(
        "bills_credits", "bills", ["organization_id", "bill_date", "id"], postgresql_where=sa.text("kind <> 'bill'")
    )
    op.create_index("bills_credit_of", "bills", ["credit_of"], postgresql_where=sa.text("credit_of is not null"))
    # Adjustments of before the cursor were never read: the next sync reads all bills of these connections again.
    op.execute(
        "delete from cursors where stream = 'bills'"
        " and connection_id in (select id from connections where erp = 'intacct')"
    )


def downgrade() -> None:
    op.drop_index("bills_credit_of", table_name="bills")
    op.drop_index("bills_credits", table_name="bills")
    op.drop_column("bills", "credit_open")
    op.drop_column("bills", "credit_of")
    op.drop_column("bills", "kind")
