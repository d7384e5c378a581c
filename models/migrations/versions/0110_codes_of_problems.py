"""Why an application of a credit, or a change to a list, failed has a code beside its words."""

import sqlalchemy as sa
from alembic import op

revision = "0110"
down_revision = "0098"
branch_labels = None
depends_on = None

TABLES = ("credit_applications", "list_changes")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("problem_code", sa.String(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "problem_code")
