"""Record and read events: every state change of a bill, a payment and a PO link, with who, when, why, before and after.

Rows are only ever added; a trigger refuses everything else (DESIGN section 7).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.tables import ConnectionRow, EventRow

ADD = "insert into events (organization_id, connection_id, subject_kind, subject_id, kind, actor, why, before, after)"
"""The head of what a statement adds events with, beside the change itself; a select of these columns follows."""


async def record(
    s: AsyncSession,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId | None,
    subject_kind: str,
    subject_id: str,
    kind: str,
    actor: str,
    why: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one event, in the transaction of the change that it describes."""
    await s.exec(
        insert(EventRow).values(
            organization_id=organization_id,
            connection_id=connection_id,
            subject_kind=subject_kind,
            subject_id=subject_id,
            kind=kind,
            actor=actor,
            why=why,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
        )
    )


async def record_setting(
    s: AsyncSession, row: ConnectionRow, kind: str, *, actor: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Add the event of a connection's setting that was changed."""
    await record(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="connection",
        subject_id=row.id,
        kind=kind,
        actor=actor,
        before=before,
        after=after,
    )


class Change(NamedTuple):
    """One of many changes that have the same cause."""

    subject_id: str
    kind: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


async def record_all(
    s: AsyncSession,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    subject_kind: str,
    actor: str,
    why: str,
    changes: Sequence[Change],
) -> None:
    """Add the events of a whole page in one statement."""
    if not changes:
        return
    connection = await s.connection()
    await connection.execute(
        insert(EventRow),
        [
            {
                "organization_id": organization_id,
                "connection_id": connection_id,
                "subject_kind": subject_kind,
                "subject_id": change.subject_id,
                "kind": change.kind,
                "actor": actor,
                "why": why,
                "before": None if change.before is None else dict(change.before),
                "after": None if change.after is None else dict(change.after),
            }
            for change in changes
        ],
    )


async def last_actor(s: AsyncSession, subject_kind: str, subject_id: str, kind: str) -> str:
    """Return who caused the last event of a kind; empty: there was none."""
    statement = (
        select(EventRow.actor)
        .where(
            col(EventRow.subject_kind) == subject_kind,
            col(EventRow.subject_id) == subject_id,
            col(EventRow.kind) == kind,
        )
        .order_by(col(EventRow.id).desc())
        .limit(1)
    )
    return (await s.exec(statement)).first() or ""


async def for_subject(
    s: AsyncSession, organization_id: OrganizationId, subject_kind: str, subject_id: str
) -> Sequence[EventRow]:
    """Return every event of one bill, payment or link, oldest first."""
    statement = select(EventRow).where(
        col(EventRow.organization_id) == organization_id,
        col(EventRow.subject_kind) == subject_kind,
        col(EventRow.subject_id) == subject_id,
    )
    return (await s.exec(statement.order_by(col(EventRow.id)))).all()
