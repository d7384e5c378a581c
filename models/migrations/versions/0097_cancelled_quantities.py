"""Order lines keep what was cancelled of them: what was not billed when they, or their order, were closed."""

import sqlalchemy as sa
from alembic import op

revision = "0097"
down_revision = "0107"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchase_order_lines", sa.Column("cancelled", sa.Numeric(), nullable=True))
    # Of lines that are closed already nobody knows what was billed when they were: what is billed now counts.
    op.execute(
        """
        update purchase_order_lines l
           set cancelled = case when l.basis = 'amount' then greatest(l.amount - l.billed_amount + l.credited_amount, 0)
                                else greatest(l.quantity - l.billed + l.credited, 0) end
          from purchase_orders o
         where o.id = l.purchase_order_id and not l.deleted and (l.closed or o.status = 'closed')
           and not exists (select from purchase_orders b where b.connection_id = o.connection_id
                              and b.created_from = o.document_id and b.deleted_at is null)
        """
    )


def downgrade() -> None:
    op.drop_column("purchase_order_lines", "cancelled")
