"""Tell supplier numbers apart by their parts, and keep which bills are parts of one supplier invoice.

`1-11` is not `11-1`, and a number may come again after a year, once a person decided so: the database keeps single only
what is refused, the same parts of one vendor, unless the bill was saved as a further one under its number.

Revision ID: 0009
Revises: 0008
"""

import json
import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LIVE = "status not in ('deleted', 'abandoned') and origin = 'posync'"
BATCH = 10_000


def upgrade() -> None:
    op.add_column("bills", sa.Column("number_parts", sa.String(), nullable=False, server_default=""))
    op.add_column("bills", sa.Column("part_of", sa.String(), sa.ForeignKey("bills.id"), nullable=True))
    op.add_column("bills", sa.Column("repeats_number", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    _fill()
    # Two live bills may have the same parts already: 2024-001 and 2024-1 were two numbers until now.
    op.execute(
        f"""
        update bills b set repeats_number = true
         where {LIVE} and exists (
               select from bills a
                where a.number_parts = b.number_parts and a.vendor_id = b.vendor_id
                  and a.connection_id = b.connection_id and a.status not in ('deleted', 'abandoned')
                  and a.origin = 'posync' and (a.created_at, a.id) < (b.created_at, b.id))
        """
    )
    op.create_index("bills_by_number_parts", "bills", ["number_parts", "vendor_id", "connection_id"])
    op.drop_index("bills_once", table_name="bills")
    op.create_index(
        "bills_once",
        "bills",
        ["number_parts", "vendor_id", "connection_id"],
        unique=True,
        postgresql_where=sa.text(f"{LIVE} and not repeats_number"),
    )


def downgrade() -> None:
    op.drop_index("bills_once", table_name="bills")
    op.drop_index("bills_by_number_parts", table_name="bills")
    op.create_index(
        "bills_once",
        "bills",
        ["number_key", "vendor_id", "connection_id"],
        unique=True,
        postgresql_where=sa.text(LIVE),
    )
    for column in ("repeats_number", "part_of", "number_parts"):
        op.drop_column("bills", column)


def _fill() -> None:
    connection = op.get_bind()
    bills = connection.execute(sa.text("select id, number from bills")).all()
    for start in range(0, len(bills), BATCH):
        parts = [{"id": bill.id, "parts": _parts(bill.number)} for bill in bills[start : start + BATCH]]
        connection.execute(
            sa.text(
                "update bills b set number_parts = n.parts"
                " from json_to_recordset(cast(:parts as json)) as n(id text, parts text) where n.id = b.id"
            ),
            {"parts": json.dumps(parts)},
        )


def _parts(number: str) -> str:
    """The rule as it was when this revision was written; the product's own may move on."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).casefold())
    runs = re.findall(r"\d+|[^\W\d_]+", folded)
    return " ".join(run.lstrip("0") or "0" if run.isdecimal() else run for run in runs) if runs else folded.strip()
