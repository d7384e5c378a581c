"""The sync issues of changes to list entries: opened where the ERP refused one, settled by a person, or by what the ERP
shows later."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.contract import list_change_workflow_id
from models.domain.ids import SYNCER, ConnectionId, ListChangeId
from models.domain.issue_states import IssueDecision, IssueState, IssueSubject
from models.domain.list_changes import ListAction, ListChangeStatus, same
from models.messages.list_changes import ListChangeFailed
from models.store.audit import sync_issues
from models.store.audit.outbox import OutboxMessage
from models.store.sync import list_changes
from models.store.sync.list_changes import NewChange
from models.tables import ListChangeRow, SyncIssueRow
from services.lists import decisions


async def change_failed(session: AsyncSession, failed: ListChangeFailed) -> None:
    """Record why a change failed, and open its issue. Twice is once."""
    row = await list_changes.fail(session, failed.change_id, failed.ask, failed.message, code=failed.code, actor=SYNCER)
    if row is not None:
        await sync_issues.open_issue(
            session,
            failed.code,
            connection_id=row.connection_id,
            subject_kind=IssueSubject.LIST_CHANGE,
            subject_id=row.id,
            subject_name=_called(row),
            cause=failed.message,
            evidence=failed.evidence,
        )


async def settle(
    session: AsyncSession, issue: SyncIssueRow, decision: IssueDecision, *, actor: str, why: str, request_key: str
) -> tuple[str | None, OutboxMessage | None]:
    """Do what a person decided on a refused change: send it once more, or abandon it. Returns the workflow that does
    it, if one does, and what it is owed.

    Raises:
        Refused: LIST_CHANGE_UNDER_WAY, LIST_CHANGE_ENDED or LIST_CHANGE_IN_DOUBT.
    """
    row = await list_changes.get(session, ListChangeId(issue.subject_id), lock=True)
    assert row is not None, "a change is never removed"
    if decision is IssueDecision.ABANDON:
        await decisions.abandon(session, row, actor=actor, why=why)
        return None, None
    message = await decisions.reapply(session, row, request_key=request_key, actor=actor, why=why)
    return list_change_workflow_id(ListChangeId(row.id)), message


async def replace_refused(session: AsyncSession, new: NewChange) -> None:
    """Abandon the refused changes whose place a new one takes."""
    for row in await list_changes.refused_of(session, new):
        await decisions.abandon(session, row, actor=new.actor, why="another change of the same took its place")


async def compare_refused(session: AsyncSession, connection_id: ConnectionId) -> None:
    """End the refused changes that the lists as read show as settled in the ERP: the values are there, or the entry
    is, or it was deleted."""
    for refused in await list_changes.refused_and_entered(session, connection_id):
        row = refused.row
        status, why = ListChangeStatus.ABANDONED, ""
        if refused.deleted:
            why = "the ERP does not have it any more" if row.action == ListAction.CHANGE else ""
        elif row.action == ListAction.CREATE:
            why = "it was entered in the ERP"
        elif all(same(value, refused.there.get(field)) for field, value in row.wanted.items()):
            status, why = ListChangeStatus.DONE, "the ERP shows it so"
        if why:
            await list_changes.end(session, row, status, actor=SYNCER, why=why)
            await decisions.close_issue(session, row, IssueState.RESOLVED, actor=SYNCER)


def _called(row: ListChangeRow) -> str:
    return f"{row.kind.replace('_', ' ')} {row.key or row.name}"
