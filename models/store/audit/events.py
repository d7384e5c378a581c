"""Record and read events: every state change of a bill, a payment and a PO link, with who, when, why, before and after.

Rows are only ever added; a trigger refuses everything else (DESIGN section 7).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.store.base.arrays import array_text, columns
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
        _ADD_ALL,
        {
            "organization": organization_id,
            "c": connection_id,
            "subject_kind": subject_kind,
            "actor": actor,
            "why": why,
            "place": array_text(range(len(changes))),
            "subject": array_text([change.subject_id for change in changes]),
            "event": array_text([change.kind for change in changes]),
            "earlier": array_text([_as_json(change.before) for change in changes]),
            "later": array_text([_as_json(change.after) for change in changes]),
        },
    )


_ADD_ALL = text(
    f"{ADD} select :organization, cast(:c as text), :subject_kind, n.subject, n.event, :actor, :why, n.earlier, n.later"
    f" from {columns('n', place='int', subject='text', event='text', earlier='jsonb', later='jsonb')} order by n.place"
)


def _as_json(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else json.dumps(dict(values))


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
