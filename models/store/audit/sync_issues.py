"""Store sync issues: what a person must settle, with cause, evidence, and what resumes (DESIGN section 3)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId, SyncIssueId
from models.domain.issue_states import IssueDecision, IssueState, IssueSubject
from models.messages.issues import SettleIssue
from models.store.base.identity import new_id
from models.store.base.pages import Listing, decode_cursor, instant_in_cursor, listing, narrowed, page_size
from models.tables import SyncIssueRow


async def open_issue(
    s: AsyncSession,
    code: str,
    *,
    connection_id: ConnectionId | str,
    subject_kind: str,
    subject_id: str,
    subject_name: str = "",
    cause: str = "",
    evidence: Mapping[str, Any],
    workflow_id: str | None = None,
) -> SyncIssueId:
    """Open an issue and return its id; if one with this code is open on the subject, count and update that one.

    The texts that people read are built when the issue is read: the texts of its code, with the subject's name and the
    evidence. `cause` says what happened here; if it is empty, the code's own text is used.
    """
    row = await (await s.connection()).execute(
        text(
            "insert into sync_issues as held (id, organization_id, connection_id, code, subject_kind, subject_id,"
            "   subject_name, cause, evidence, state, workflow_id, occurrences)"
            " select :id, c.organization_id, c.id, :code, :kind, :subject, :name, :cause, cast(:evidence as jsonb),"
            "   'open', :workflow, 1 from connections c where c.id = :c"
            " on conflict (connection_id, code, subject_kind, subject_id) where state = 'open' do update set"
            "   occurrences = held.occurrences + 1, last_seen_at = now(), subject_name = excluded.subject_name,"
            "   cause = excluded.cause, evidence = excluded.evidence,"
            "   workflow_id = coalesce(excluded.workflow_id, held.workflow_id)"
            " returning id"
        ),
        {
            "id": new_id("issue"),
            "c": connection_id,
            "code": code,
            "kind": subject_kind,
            "subject": subject_id,
            "name": subject_name,
            "cause": cause,
            "evidence": json.dumps(dict(evidence), default=str),
            "workflow": workflow_id,
        },
    )
    return SyncIssueId(row.scalar_one())


async def is_open(s: AsyncSession, connection_id: ConnectionId, code: str) -> bool:
    """Return whether an issue with this code is open on a connection."""
    result = await s.execute(
        text("select exists (select from sync_issues where connection_id = :c and code = :code and state = 'open')"),
        {"c": connection_id, "code": code},
    )
    return bool(result.scalar_one())


async def lock(s: AsyncSession, issue_id: SyncIssueId, organization_id: OrganizationId) -> SyncIssueRow | None:
    """Return the organization's issue, held until the transaction ends."""
    statement = select(SyncIssueRow).where(
        col(SyncIssueRow.id) == issue_id, col(SyncIssueRow.organization_id) == organization_id
    )
    return (await s.exec(statement.with_for_update(), execution_options={"populate_existing": True})).one_or_none()


async def waited_for(s: AsyncSession, connection_id: ConnectionId, codes: Sequence[str]) -> list[SyncIssueRow]:
    """Return the connection's open issues of these codes that a bill or a payment waits behind and on which nobody has
    decided, held until the transaction ends."""
    statement = (
        select(SyncIssueRow)
        .where(
            col(SyncIssueRow.connection_id) == connection_id,
            col(SyncIssueRow.state) == IssueState.OPEN,
            col(SyncIssueRow.code).in_(codes),
            col(SyncIssueRow.subject_kind).in_([IssueSubject.BILL, IssueSubject.PAYMENT]),
            col(SyncIssueRow.workflow_id).is_not(None),
            col(SyncIssueRow.decision).is_(None),
        )
        .order_by(col(SyncIssueRow.id))
    )
    return list((await s.exec(statement.with_for_update(), execution_options={"populate_existing": True})).all())


async def decide(s: AsyncSession, issue_id: SyncIssueId, decision: IssueDecision, *, actor: str, why: str) -> None:
    """Keep what a person decided on an open issue; a later decision takes its place."""
    await s.execute(
        text(
            "update sync_issues set decision = :decision, decided_by = :actor, decided_why = :why"
            " where id = :id and state = 'open'"
        ),
        {"id": issue_id, "decision": decision, "actor": actor, "why": why},
    )


async def decided_to_abandon(s: AsyncSession, issue_id: SyncIssueId) -> SettleIssue | None:
    """Return a person's decision to abandon what an open issue stops; the issue is held until the transaction ends."""
    result = await s.execute(
        text("select decision, decided_by, decided_why from sync_issues where id = :id and state = 'open' for update"),
        {"id": issue_id},
    )
    row = result.one_or_none()
    if row is None or row.decision != IssueDecision.ABANDON:
        return None
    return SettleIssue(
        issue_id=issue_id, decision=IssueDecision.ABANDON, actor=row.decided_by or "", why=row.decided_why or ""
    )


async def close(s: AsyncSession, issue_id: SyncIssueId, state: str, actor: str) -> bool:
    """Close an issue as `resolved` or `abandoned`; return False when it was closed before: the first decision stays."""
    connection = await s.connection()
    closed = await connection.execute(
        text(
            "update sync_issues set state = :state, closed_at = now(), closed_by = :actor"
            " where id = :id and state = 'open'"
        ),
        {"id": issue_id, "state": state, "actor": actor},
    )
    return closed.rowcount == 1


async def close_for_subject(
    s: AsyncSession,
    connection_id: ConnectionId,
    subject_kind: str,
    subject_id: str,
    codes: Sequence[str] | None = None,
    *,
    actor: str,
) -> int:
    """Resolve a subject's open issues once it is right again, all or only these codes; return how many."""
    return await close_for_subjects(s, connection_id, subject_kind, [subject_id], codes, actor=actor)


async def close_for_subjects(
    s: AsyncSession,
    connection_id: ConnectionId,
    subject_kind: str,
    subject_ids: Sequence[str],
    codes: Sequence[str] | None = None,
    *,
    actor: str,
) -> int:
    """Resolve the open issues of all subjects of a page at once, as `close_for_subject` does; return how many."""
    connection = await s.connection()
    closed = await connection.execute(
        text(
            "update sync_issues set state = 'resolved', closed_at = now(), closed_by = :actor"
            " where connection_id = :c and subject_kind = :kind and state = 'open'"
            "   and subject_id = any(cast(:subjects as text[]))"
            "   and (cast(:codes as text[]) is null or code = any(cast(:codes as text[])))"
        ),
        {
            "c": connection_id,
            "kind": subject_kind,
            "subjects": list(subject_ids),
            "codes": None if codes is None else list(codes),
            "actor": actor,
        },
    )
    return closed.rowcount


async def close_with_subject(
    s: AsyncSession, connection_id: ConnectionId, subject_kind: str, subject_ids: Sequence[str], *, actor: str
) -> None:
    """Close every open issue of bills or payments that were abandoned: nothing is left to decide on them."""
    await s.execute(
        text(
            "update sync_issues set state = 'abandoned', closed_at = now(), closed_by = :actor"
            " where connection_id = :c and subject_kind = :kind and state = 'open'"
            "   and subject_id = any(cast(:subjects as text[]))"
        ),
        {"c": connection_id, "kind": subject_kind, "subjects": list(subject_ids), "actor": actor},
    )


async def close_waiting_for(s: AsyncSession, workflow_id: str, *, actor: str) -> None:
    """Resolve the issues that belong to a workflow which no longer runs; its next run opens those that still hold."""
    await s.execute(
        text(
            "update sync_issues set state = 'resolved', closed_at = now(), closed_by = :actor"
            " where workflow_id = :workflow and state = 'open'"
        ),
        {"workflow": workflow_id, "actor": actor},
    )


async def open_on_connections(s: AsyncSession, code: str) -> set[ConnectionId]:
    """Return the connections that have an open issue of this code on the connection itself."""
    rows = await s.execute(
        text(
            "select connection_id from sync_issues"
            " where code = :code and subject_kind = 'connection' and state = 'open'"
        ),
        {"code": code},
    )
    return {ConnectionId(connection_id) for connection_id in rows.scalars()}


async def open_on(
    s: AsyncSession, connection_id: ConnectionId, code: str, subject_kind: str, subject_id: str
) -> SyncIssueRow | None:
    """Return the open issue of this code on a subject, locked; None: there is none."""
    statement = select(SyncIssueRow).where(
        col(SyncIssueRow.connection_id) == connection_id,
        col(SyncIssueRow.code) == code,
        col(SyncIssueRow.subject_kind) == subject_kind,
        col(SyncIssueRow.subject_id) == subject_id,
        col(SyncIssueRow.state) == IssueState.OPEN,
    )
    statement = statement.with_for_update()
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def open_subjects(s: AsyncSession, connection_id: ConnectionId, code: str) -> set[str]:
    """Return the ids of the subjects that have an open issue of this code."""
    rows = await s.execute(
        text("select subject_id from sync_issues where connection_id = :c and code = :code and state = 'open'"),
        {"c": connection_id, "code": code},
    )
    return set(rows.scalars())


async def get(
    s: AsyncSession, issue_id: SyncIssueId, organization_id: OrganizationId | None = None
) -> SyncIssueRow | None:
    """Return the issue or None; with an organization only if it owns the issue."""
    statement = select(SyncIssueRow).where(col(SyncIssueRow.id) == issue_id)
    if organization_id is not None:
        statement = statement.where(col(SyncIssueRow.organization_id) == organization_id)
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def page(
    s: AsyncSession,
    organization_id: OrganizationId,
    *,
    connection_id: ConnectionId | None = None,
    state: str | None = None,
    code: str | None = None,
    subject_kind: str | None = None,
    subject_id: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[SyncIssueRow]:
    """Return one page of the organization's issues, newest first.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = select(SyncIssueRow).where(col(SyncIssueRow.organization_id) == organization_id)
    wanted = {
        SyncIssueRow.connection_id: connection_id,
        SyncIssueRow.state: state,
        SyncIssueRow.code: code,
        SyncIssueRow.subject_kind: subject_kind,
        SyncIssueRow.subject_id: subject_id,
    }
    statement = narrowed(statement, wanted)
    if cursor is not None:
        opened_at, issue_id = decode_cursor(cursor, 2)
        place = tuple_(col(SyncIssueRow.opened_at), col(SyncIssueRow.id))
        statement = statement.where(place < (instant_in_cursor(opened_at), issue_id))
    statement = statement.order_by(col(SyncIssueRow.opened_at).desc(), col(SyncIssueRow.id).desc()).limit(limit + 1)
    rows = (await s.exec(statement, execution_options={"populate_existing": True})).all()
    return listing(rows, limit, lambda row: (row.opened_at.isoformat(), row.id))
