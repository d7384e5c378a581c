"""Order numbers and the references of bills made in the ERP are kept as they are compared, and bills their entity.

Revision ID: 0048
Revises: 0047
"""

import sqlalchemy as sa
from alembic import op

from models.domain.invoice_numbers import number_key

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

AT_ONCE = 5_000


def upgrade() -> None:
    op.add_column("purchase_orders", sa.Column("number_key", sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("bills", sa.Column("reference_key", sa.String(), nullable=True))
    _fill("purchase_orders", "number", "number_key")
    _fill("bills", "reference", "reference_key")
    op.create_index("purchase_orders_by_number_key", "purchase_orders", ["connection_id", "number_key"])
    op.create_index(
        "bills_not_linked",
        "bills",
        ["connection_id", "vendor_id"],
        postgresql_where=sa.text("origin = 'erp' and purchase_order_id is null and reference_key is not null"),
    )


def downgrade() -> None:
    op.drop_index("bills_not_linked", table_name="bills")
    op.drop_index("purchase_orders_by_number_key", table_name="purchase_orders")
    op.drop_column("bills", "reference_key")
    op.drop_column("purchase_orders", "number_key")


def _fill(table: str, said: str, key: str) -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text(f"select id, {said} from {table} where {said} <> ''")).all()
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        connection.execute(
            sa.text(
                f"update {table} t set {key} = n.key"
                " from unnest(cast(:ids as text[]), cast(:keys as text[])) as n(id, key) where t.id = n.id"
            ),
            {"ids": [row[0] for row in part], "keys": [number_key(row[1]) for row in part]},
        )
