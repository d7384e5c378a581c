"""Sync runs: what each pass over a connection did, and why it stopped if it did."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, OrganizationId, SyncRunId
from models.store.identity import derived_id
from models.store.pages import Listing, decode_cursor, instant_in_cursor, listing, page_size
from models.tables import ConnectionRow, SyncRunRow


def sync_run_id(workflow_run_id: str) -> SyncRunId:
    """The run's id: one per run of the sync workflow, known before its row exists."""
    return SyncRunId(derived_id("run", workflow_run_id))


async def start(s: AsyncSession, connection_id: ConnectionId, trigger: str, workflow_run_id: str) -> SyncRunId:
    """Open the run's row. Asked twice for one workflow run, it is there once."""
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
    state: str,
    *,
    counts: Mapping[str, Any] | None = None,
    problem_code: str | None = None,
    problem_message: str | None = None,
) -> None:
    """Close the run, `completed` or `failed`, and date its connection's last completed sync. The first word stays."""
    if counts:
        await progress(s, run_id, counts)
    connection = await s.connection()
    closed = await connection.execute(
        text(
            "update sync_runs set state = :state, finished_at = now(), problem_code = :code, problem_message = :message"
            " where id = :id and state = 'running' returning connection_id"
        ),
        {"id": run_id, "state": state, "code": problem_code, "message": problem_message},
    )
    connection_id = closed.scalar_one_or_none()
    if connection_id is not None and state == "completed":
        await connection.execute(
            text("update connections set last_synced_at = now() where id = :id"), {"id": connection_id}
        )


async def get(s: AsyncSession, run_id: SyncRunId, organization_id: OrganizationId | None = None) -> SyncRunRow | None:
    """The run; with an organization only if it is theirs."""
    statement = select(SyncRunRow).where(col(SyncRunRow.id) == run_id)
    if organization_id is not None:
        statement = statement.join(ConnectionRow, col(ConnectionRow.id) == col(SyncRunRow.connection_id)).where(
            col(ConnectionRow.organization_id) == organization_id
        )
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def page(
    s: AsyncSession, connection_id: ConnectionId, *, limit: int = 50, cursor: str | None = None
) -> Listing[SyncRunRow]:
    """A connection's runs, newest first."""
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
