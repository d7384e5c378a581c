"""Store backfills: what was asked for, how far each is, and what came of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import func, text
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.backfills import BackfillState, BackfillWanted
from models.domain.ids import BackfillId, ConnectionId, OrganizationId
from models.store.base.identity import derived_id
from models.tables import BackfillRow, ConnectionRow

LISTED = 200

STARTED_BY_NOW = timedelta(minutes=1)
"""The age from which a backfill's workflow should run."""


def backfill_id_for(organization_id: OrganizationId, request_key: str) -> BackfillId:
    """Return the id of the backfill that a request asks for."""
    return BackfillId(derived_id("backfill", organization_id, request_key))


async def create(
    s: AsyncSession, backfill_id: BackfillId, connection_id: ConnectionId, wanted: BackfillWanted, asked_by: str
) -> BackfillRow:
    """Save a backfill that is about to start."""
    row = BackfillRow(
        id=backfill_id,
        connection_id=connection_id,
        wanted=wanted.model_dump(mode="json"),
        state=BackfillState.RUNNING.value,
        counts={},
        seen_numbers={},
        asked_by=asked_by,
    )
    s.add(row)
    await s.flush()
    await s.refresh(row)
    return row


async def get(
    s: AsyncSession, backfill_id: BackfillId, organization_id: OrganizationId | None = None
) -> BackfillRow | None:
    """Return a backfill, as it is now; with an organization only if it owns it."""
    statement = select(BackfillRow).where(col(BackfillRow.id) == backfill_id)
    if organization_id is not None:
        statement = statement.join(ConnectionRow, col(ConnectionRow.id) == col(BackfillRow.connection_id)).where(
            col(ConnectionRow.organization_id) == organization_id
        )
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def of_connection(s: AsyncSession, connection_id: ConnectionId) -> list[BackfillRow]:
    """Return the last backfills of a connection, newest first."""
    statement = select(BackfillRow).where(col(BackfillRow.connection_id) == connection_id)
    statement = statement.order_by(col(BackfillRow.started_at).desc(), col(BackfillRow.id)).limit(LISTED)
    return list((await s.exec(statement)).all())


async def running(s: AsyncSession, connection_id: ConnectionId) -> list[BackfillId]:
    """Return the connection's backfills that need a workflow, except those of the last minute."""
    rows = await s.execute(
        text(
            "select b.id from backfills b where b.connection_id = :c and b.state = 'running'"
            "   and b.started_at <= now() - cast(:age as interval)"
            "   and not exists (select from outbox m where m.subject_id = b.id) order by b.started_at, b.id"
        ),
        {"c": connection_id, "age": STARTED_BY_NOW},
    )
    return [BackfillId(row.id) for row in rows]


async def count_page(
    s: AsyncSession,
    backfill_id: BackfillId,
    page_no: int,
    after: str | None,
    counts: Mapping[str, int],
    seen_numbers: Sequence[str],
) -> bool:
    """Count a page, in its transaction. False: it was counted already, by an earlier attempt."""
    connection = await s.connection()
    result = await connection.execute(
        text(
            "update backfills b set pages = b.pages + 1, after = :after, seen_numbers = b.seen_numbers ||"
            "   (select coalesce(jsonb_object_agg(n.key, true), '{}') from unnest(cast(:seen as text[])) as n(key)),"
            "   counts = b.counts || (select coalesce(jsonb_object_agg(n.name,"
            "     coalesce((b.counts ->> n.name)::bigint, 0) + n.more), '{}')"
            "     from unnest(cast(:names as text[]), cast(:more as bigint[])) as n(name, more))"
            " where b.id = :id and b.pages = :page"
        ),
        {
            "id": backfill_id,
            "page": page_no,
            "after": after,
            "seen": list(seen_numbers),
            "names": list(counts),
            "more": list(counts.values()),
        },
    )
    return result.rowcount == 1


async def finish(
    s: AsyncSession, backfill_id: BackfillId, state: BackfillState, code: str | None, message: str | None
) -> None:
    """Close a backfill that runs."""
    await s.exec(
        update(BackfillRow)
        .where(col(BackfillRow.id) == backfill_id, col(BackfillRow.state) == BackfillState.RUNNING.value)
        .values(state=state.value, problem_code=code, problem_message=message, finished_at=func.now())
    )


async def is_under_way(s: AsyncSession, connection_id: ConnectionId) -> bool:
    """Return whether a backfill of the connection is under way."""
    statement = select(BackfillRow.id).where(
        col(BackfillRow.connection_id) == connection_id, col(BackfillRow.state) == BackfillState.RUNNING.value
    )
    return (await s.exec(statement.limit(1))).first() is not None
