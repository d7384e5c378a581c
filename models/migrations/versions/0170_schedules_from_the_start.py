"""Every connection syncs by itself at least once a day: those that had no schedule get the one of new connections, and
their people a notice that says how to have it otherwise."""

from alembic import op

revision = "0170"
down_revision = "0120"
branch_labels = None
depends_on = None

_MESSAGE = (
    "It had no schedule, and syncs once a day from now on, as new connections do. To sync only when asked, set the"
    " schedule to null: PUT /v1/connections/{id}/schedule."
)


def upgrade() -> None:
    op.execute(
        f"""
        with without as (
            update connections set sync_every_minutes = 1440 where sync_every_minutes is null
            returning id, organization_id, state
        ), noticed as (
            insert into notices
                   (id, organization_id, connection_id, code, subject_kind, subject_id, message, created_at)
            select 'notice_' || replace(gen_random_uuid()::text, '-', ''), organization_id, id, 'SCHEDULE_SET',
                   'connection', id, replace('{_MESSAGE}', '{{id}}', id), now()
              from without
        )
        insert into outbox (organization_id, connection_id, kind, subject_id, request_key)
        select organization_id, id, 'schedule_changed', id, 'migration 0170' from without
         where state <> 'pending_authorization'
        """
    )


def downgrade() -> None:
    """Leave the schedules: who had none is not known any more."""
