"""Decide on changes to lists that were set aside or refused."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, ErpId, ExternalKey
from models.domain.issue_states import IssueState, IssueSubject
from models.domain.list_changes import ListAction, ListChangeStatus
from models.domain.lists import ListKind
from models.store.audit import sync_issues, writes
from models.store.audit.outbox import OutboxMessage
from models.store.sync import list_changes, list_entries
from models.store.sync.list_entries import values_of
from models.tables import ListChangeRow
from services.lists.owed import owe
from services.refusal import Refused


async def reapply(
    session: AsyncSession, row: ListChangeRow, *, request_key: str, actor: str, why: str
) -> OutboxMessage:
    """Have a locked change sent once more, over what is here of the entry now. Returns what its workflow is owed.

    Raises:
        Refused: LIST_CHANGE_ENDED or LIST_CHANGE_UNDER_WAY.
    """
    stuck = row.status == ListChangeStatus.SENDING and row.problem
    if not stuck and not ListChangeStatus(row.status).can_be_reapplied:
        raise Refused("LIST_CHANGE_ENDED", f"The change is {row.status.replace('_', ' ')}.")
    agreed: dict[str, str | None] = {}
    if row.action == ListAction.CHANGE:
        connection_id, kind, erp_id = ConnectionId(row.connection_id), ListKind(row.kind), ErpId(row.erp_id or "")
        entry = await list_entries.by_erp_id(session, connection_id, kind, erp_id, lock=True)
        if entry is None or entry.deleted_at is not None:
            raise Refused("LIST_CHANGE_ENDED", f"The ERP does not have {row.name} any more.")
        if not stuck and await list_changes.under_way(session, connection_id, kind, erp_id):
            raise Refused("LIST_CHANGE_UNDER_WAY", f"Another change of {row.name} is on its way.")
        here = values_of(entry)
        agreed = {field: here.get(field) for field in row.wanted}
    await list_changes.ask_anew(session, row, agreed, actor=actor, why=why)
    await close_issue(session, row, IssueState.RESOLVED, actor=actor)
    return await owe(session, row, request_key)


async def abandon(session: AsyncSession, row: ListChangeRow, *, actor: str, why: str) -> None:
    """Abandon a locked change that the ERP does not have, or whose values were set aside.

    Raises:
        Refused: LIST_CHANGE_ENDED or LIST_CHANGE_IN_DOUBT.
    """
    status = ListChangeStatus(row.status)
    if status is ListChangeStatus.SENDING:
        if not await writes.abandon(session, ExternalKey(row.external_key)):
            raise Refused("LIST_CHANGE_IN_DOUBT", "It was sent, and the ERP may have it.")
    elif not status.can_be_reapplied:
        raise Refused("LIST_CHANGE_ENDED", f"The change is {row.status.replace('_', ' ')}.")
    conflicts = list_changes.conflicts_of(row)
    await list_changes.end(session, row, ListChangeStatus.ABANDONED, actor=actor, why=why, conflicts=conflicts)
    await close_issue(session, row, IssueState.ABANDONED, actor=actor)


async def close_issue(session: AsyncSession, row: ListChangeRow, state: IssueState, *, actor: str) -> None:
    """Close the issue of a change that is not refused any more."""
    connection_id, subject = ConnectionId(row.connection_id), IssueSubject.LIST_CHANGE
    if state is IssueState.ABANDONED:
        await sync_issues.close_with_subject(session, connection_id, subject, [row.id], actor=actor)
    else:
        await sync_issues.close_for_subject(session, connection_id, subject, row.id, actor=actor)
