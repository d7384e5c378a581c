"""What the ERP keeps as billed of a bill that was credited there stays with the bill, by source and line.

Revision ID: 0079
Revises: 0075
"""

import sqlalchemy as sa
from alembic import op

revision = "0079"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_quantities",
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("source_document", sa.String(), nullable=False),
        sa.Column("source_line", sa.String(), nullable=False),
        sa.Column("purchase_order_id", sa.String(), nullable=False),
        sa.Column("purchase_order_line_no", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bills.id"]),
        sa.ForeignKeyConstraint(
            ["purchase_order_id", "purchase_order_line_no"],
            ["purchase_order_lines.purchase_order_id", "purchase_order_lines.line_no"],
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("bill_id", "line_no", "source_document", "source_line"),
    )
    op.execute(
        "insert into kept_quantities"
        " select l.bill_id, l.line_no, s.source ->> 'document_id', s.source ->> 'line', l.purchase_order_id,"
        "        l.purchase_order_line_no, (s.source ->> 'quantity')::numeric,"
        "        coalesce(round(l.amount * (s.source ->> 'quantity')::numeric / nullif(l.quantity, 0), 2), 0)"
        "   from bill_lines l join bills b on b.id = l.bill_id join connections c on c.id = b.connection_id"
        "   cross join lateral jsonb_array_elements(l.sources) as s(source)"
        "  where l.purchase_order_line_no is not null"
        "    and not coalesce((c.capabilities ->> 'credits_name_orders')::boolean, false)"
        "    and exists (select from bill_retractions r where r.bill_id = b.id and r.state = 'done' and not r.freed)"
        " on conflict do nothing"
    )
    op.add_column(
        "bill_parts", sa.Column("stays_billed", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("bill_parts", "stays_billed")
    op.drop_table("kept_quantities")
