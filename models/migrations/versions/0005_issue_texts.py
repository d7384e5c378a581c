"""An issue keeps its code, its subject's name and its evidence: the words are put to it where it is read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sync_issues", sa.Column("subject_name", sa.String(), nullable=True))
    # A title was the code's words and the subject's name.
    op.execute(
        """
        update sync_issues set subject_name = case
            when title like '%: %' then substring(title from position(': ' in title) + 2)
            else coalesce(substring(title from '^Bill (.*) (was deleted in the ERP|names two orders)$'), '') end
        """
    )
    op.alter_column("sync_issues", "subject_name", nullable=False)
    for column in ("title", "fix", "who"):
        op.drop_column("sync_issues", column)


def downgrade() -> None:
    op.add_column("sync_issues", sa.Column("title", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "sync_issues",
        sa.Column(
            "fix", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default=sa.text("'[]'::jsonb")
        ),
    )
    op.add_column("sync_issues", sa.Column("who", sa.String(), nullable=False, server_default=""))
    op.execute("update sync_issues set title = subject_name")
    op.drop_column("sync_issues", "subject_name")
    op.alter_column("sync_issues", "title", server_default=None)
    op.alter_column("sync_issues", "who", server_default=None)
