"""Sync issues: what a person must settle, with cause, evidence, fix steps, who, and what resumes (DESIGN section 3)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, OrganizationId, SyncIssueId
from models.store.identity import new_id
from models.store.pages import Listing, decode_cursor, instant_in_cursor, listing, page_size
from models.tables import SyncIssueRow


async def open_issue(
    s: AsyncSession,
    *,
    organization_id: OrganizationId | str,
    connection_id: ConnectionId | str,
    subject_kind: str,
    subject_id: str,
    code: str,
    title: str,
    cause: str,
    fix: Sequence[str],
    who: str,
    evidence: Mapping[str, Any],
    workflow_id: str | None,
) -> SyncIssueId:
    """Open an issue. While one with this code is open on the subject, that one is counted and brought up to date."""
    connection = await s.connection()
    row = await connection.execute(
        text(
            "insert into sync_issues as held (id, organization_id, connection_id, code, subject_kind, subject_id,"
            "   title, cause, evidence, fix, who, state, workflow_id, occurrences)"
            " values (:id, :organization, :c, :code, :kind, :subject, :title, :cause, cast(:evidence as jsonb),"
            "   cast(:fix as jsonb), :who, 'open', :workflow, 1)"
            " on conflict (connection_id, code, subject_kind, subject_id) where state = 'open' do update set"
            "   occurrences = held.occurrences + 1, last_seen_at = now(), title = excluded.title,"
            "   cause = excluded.cause, evidence = excluded.evidence, fix = excluded.fix, who = excluded.who,"
            "   workflow_id = coalesce(excluded.workflow_id, held.workflow_id)"
            " returning id"
        ),
        {
            "id": new_id("issue"),
            "organization": organization_id,
            "c": connection_id,
            "code": code,
            "kind": subject_kind,
            "subject": subject_id,
            "title": title,
            "cause": cause,
            "evidence": json.dumps(dict(evidence), default=str),
            "fix": json.dumps(list(fix)),
            "who": who,
            "workflow": workflow_id,
        },
    )
    return SyncIssueId(row.scalar_one())


async def close(s: AsyncSession, issue_id: SyncIssueId, state: str, actor: str) -> bool:
    """Settle an issue: `resolved` or `abandoned`. False when it was settled before; the first word stays."""
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
    """What was wrong with the subject is right again: resolve its open issues, all or only these codes. How many."""
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
    """`close_for_subject` for all subjects of a page at once."""
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


async def get(
    s: AsyncSession, issue_id: SyncIssueId, organization_id: OrganizationId | None = None
) -> SyncIssueRow | None:
    """The issue; with an organization only if it is theirs."""
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
    """The organization's issues, newest first."""
    limit = page_size(limit)
    statement = select(SyncIssueRow).where(col(SyncIssueRow.organization_id) == organization_id)
    wanted = {
        SyncIssueRow.connection_id: connection_id,
        SyncIssueRow.state: state,
        SyncIssueRow.code: code,
        SyncIssueRow.subject_kind: subject_kind,
        SyncIssueRow.subject_id: subject_id,
    }
    for column, value in wanted.items():
        if value is not None:
            statement = statement.where(col(column) == value)
    if cursor is not None:
        opened_at, issue_id = decode_cursor(cursor, 2)
        place = tuple_(col(SyncIssueRow.opened_at), col(SyncIssueRow.id))
        statement = statement.where(place < (instant_in_cursor(opened_at), issue_id))
    statement = statement.order_by(col(SyncIssueRow.opened_at).desc(), col(SyncIssueRow.id).desc()).limit(limit + 1)
    rows = (await s.exec(statement, execution_options={"populate_existing": True})).all()
    return listing(rows, limit, lambda row: (row.opened_at.isoformat(), row.id))
