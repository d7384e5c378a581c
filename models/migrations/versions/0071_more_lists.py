"""Projects, customers and employees are mirrored, and vendors with their contact: every list is read whole once more.

Revision ID: 0071
Revises: 0045
"""

from alembic import op

revision = "0071"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What did not change since would never come in; the next sync of each connection reads its lists from the start.
    op.execute("delete from cursors where stream = 'lists'")


def downgrade() -> None:
    op.execute("delete from list_entries where kind in ('project', 'customer', 'employee')")
