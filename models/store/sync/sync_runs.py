"""Store sync runs: what each pass over a connection did, and why it stopped if it did."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId, SyncRunId
from models.domain.sync import SyncRunState, SyncTrigger
from models.store.base.identity import derived_id
from models.store.base.pages import Listing, decode_cursor, instant_in_cursor, listing, page_size
from models.tables import ConnectionRow, SyncRunRow


def sync_run_id(workflow_run_id: str) -> SyncRunId:
    """Return the run's id: one per run of the sync workflow, known before its row exists."""
    return SyncRunId(derived_id("run", workflow_run_id))


async def start(s: AsyncSession, connection_id: ConnectionId, trigger: SyncTrigger, workflow_run_id: str) -> SyncRunId:
    """Create the run's row and return its id; a repeat for the same workflow run creates no second one."""
    run_id = sync_run_id(workflow_run_id)
    connection = await s.connection()
    await connection.execute(
        text(
            "insert into sync_runs (id, connection_id, trigger, state) values (:id, :c, :trigger, 'running')"
            " on conflict (id) do nothing"
        ),
        {"id": run_id, "c": connection_id, "trigger": trigger},
    )
    return run_id


async def under_way(s: AsyncSession, connection_id: ConnectionId) -> SyncRunId | None:
    """Return the run of a connection that is not closed; None: there is none."""
    statement = (
        select(SyncRunRow.id)
        .where(col(SyncRunRow.connection_id) == connection_id, col(SyncRunRow.state) == SyncRunState.RUNNING)
        .order_by(col(SyncRunRow.started_at).desc(), col(SyncRunRow.id).desc())
        .limit(1)
    )
    run_id = (await s.exec(statement)).one_or_none()
    return None if run_id is None else SyncRunId(run_id)


async def progress(s: AsyncSession, run_id: SyncRunId, counts: Mapping[str, int]) -> None:
    """Add to the run's counts."""
    connection = await s.connection()
    await connection.execute(
        text(
            "update sync_runs r set counts = r.counts || ("
            "    select coalesce(jsonb_object_agg(n.name, coalesce((r.counts ->> n.name)::bigint, 0) + n.more), '{}')"
            "    from unnest(cast(:names as text[]), cast(:more as bigint[])) as n(name, more))"
            " where r.id = :id"
        ),
        {"id": run_id, "names": list(counts), "more": list(counts.values())},
    )


async def finish(
    s: AsyncSession,
    run_id: SyncRunId,
    state: SyncRunState,
    *,
    counts: Mapping[str, Any] | None = None,
    problem_code: str | None = None,
    problem_message: str | None = None,
) -> None:
    """Close the run as `completed` or `failed`, and date its connection's last completed sync by when the run began:
    what changed in the ERP while it was reading may be missing.

    A closed run stays as it is. Runs of the connection that began earlier and never ended, because an operator ended
    their workflow or another run did their work, end with this one.
    """
    if counts:
        await progress(s, run_id, counts)
    connection = await s.connection()
    closed = await connection.execute(
        text(
            "with closed as ("
            "    update sync_runs set state = :state, finished_at = now(), problem_code = :code,"
            "           problem_message = :message"
            "     where id = :id and state = 'running' returning connection_id, started_at"
            "), earlier as ("
            "    update sync_runs r set state = :state, finished_at = now(), problem_code = :code,"
            "           problem_message = :message"
            "      from closed where r.connection_id = closed.connection_id and r.state = 'running' and r.id <> :id"
            "       and r.started_at <= closed.started_at"
            ") select connection_id, started_at from closed"
        ),
        {"id": run_id, "state": state, "code": problem_code, "message": problem_message},
    )
    row = closed.one_or_none()
    if row is not None and state == SyncRunState.COMPLETED:
        await connection.execute(
            text(
                "update connections set last_synced_at = greatest(last_synced_at, cast(:began as timestamptz)),"
                " sync_problem_since = null, sync_problem_code = null, sync_problem_message = null where id = :id"
            ),
            {"id": row.connection_id, "began": row.started_at},
        )


async def get(s: AsyncSession, run_id: SyncRunId, organization_id: OrganizationId | None = None) -> SyncRunRow | None:
    """Return the run or None; with an organization only if it owns the run."""
    statement = select(SyncRunRow).where(col(SyncRunRow.id) == run_id)
    if organization_id is not None:
        statement = statement.join(ConnectionRow, col(ConnectionRow.id) == col(SyncRunRow.connection_id)).where(
            col(ConnectionRow.organization_id) == organization_id
        )
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def page(
    s: AsyncSession, connection_id: ConnectionId, *, limit: int = 50, cursor: str | None = None
) -> Listing[SyncRunRow]:
    """Return one page of a connection's runs, newest first.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = select(SyncRunRow).where(col(SyncRunRow.connection_id) == connection_id)
    if cursor is not None:
        started_at, run_id = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(col(SyncRunRow.started_at), col(SyncRunRow.id)) < (instant_in_cursor(started_at), run_id)
        )
    statement = statement.order_by(col(SyncRunRow.started_at).desc(), col(SyncRunRow.id).desc()).limit(limit + 1)
    rows = (await s.exec(statement, execution_options={"populate_existing": True})).all()
    return listing(rows, limit, lambda row: (row.started_at.isoformat(), row.id))
