"""A receipt may continue another one: it is the back order of a receipt that was closed after a part (S5-25).

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receipt_lines", sa.Column("source_line", sa.String(), nullable=True))
    op.create_index(
        "receipt_lines_by_source_line",
        "receipt_lines",
        ["source_line"],
        postgresql_where=sa.text("source_line is not null"),
    )


def downgrade() -> None:
    op.drop_index("receipt_lines_by_source_line", "receipt_lines")
    op.drop_column("receipt_lines", "source_line")
