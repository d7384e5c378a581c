"""What a person decides on a sync issue: owed to whoever waits behind it, or done at once where nobody does."""

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.contract import sync_workflow_id
from models.domain.ids import ConnectionId, OrganizationId, SyncIssueId
from models.domain.issue_states import IssueDecision, IssueState, IssueSubject
from models.domain.outbox import MessageKind
from models.domain.sync import Stream
from models.store.audit import outbox, sync_issues, writes
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.orders import excluded_records, purchase_orders
from models.store.sync import cursors
from models.tables import ConnectionRow, SyncIssueRow
from services.issues.write_issues import abandon_stopped
from services.lists import issues as list_issues
from services.refusal import Refused
from services.source_orders import issues as uploads
from services.sync.due import owe_sync
from services.sync.import_window import first_import_from

STREAMS = {
    "list_entry": Stream.LISTS,
    "purchase_order": Stream.PURCHASE_ORDERS,
    "receipt": Stream.RECEIPTS,
    "bill": Stream.BILLS,
    "payment": Stream.PAYMENTS,
}
"""In which stream a record comes in that an issue is about."""


class IssueDecided(NamedTuple):
    """What became of a decision on an issue."""

    notified_workflow: str | None
    """The workflow that goes on with it; None: the issue was closed."""
    message: OutboxMessage | None
    """What that workflow is owed."""


async def decide_issue(
    session: AsyncSession, issue: SyncIssueRow, decision: IssueDecision, *, actor: str, why: str, request_key: str
) -> IssueDecided:
    """Keep a decision on a locked issue for whoever waits behind it; where nobody does, close the issue.

    Raises:
        Refused: The issue is closed, what is to be retried is being abandoned, or what is to be abandoned may be in
            the ERP.
    """
    if issue.state != IssueState.OPEN:
        raise Refused("ISSUE_IS_CLOSED", f"It was {issue.state} by {issue.closed_by} at {issue.closed_at}.")
    if issue.subject_kind == IssueSubject.LIST_CHANGE:
        return IssueDecided(
            *await list_issues.settle(session, issue, decision, actor=actor, why=why, request_key=request_key)
        )
    if decision is IssueDecision.ABANDON and await writes.in_doubt(session, issue.subject_id):
        raise Refused("WRITE_IN_DOUBT", f"{issue.subject_name or 'It'} was sent, and the ERP may hold it.")
    if issue.subject_kind == IssueSubject.SOURCE_ORDER:
        return await _settle_upload(session, issue, decision, actor=actor, why=why, request_key=request_key)
    if issue.workflow_id is None:
        return await _close(session, issue, decision, actor=actor, request_key=request_key)
    _must_not_be_abandoned(issue, decision)
    await sync_issues.decide(session, SyncIssueId(issue.id), decision, actor=actor, why=why)
    message = await outbox.add(
        session,
        MessageKind.ISSUE_DECIDED,
        issue.id,
        organization_id=OrganizationId(issue.organization_id),
        connection_id=ConnectionId(issue.connection_id),
        request_key=request_key,
    )
    return IssueDecided(issue.workflow_id, message)


def _must_not_be_abandoned(issue: SyncIssueRow, decision: IssueDecision) -> None:
    """A retry that was not taken up yet gives way to abandoning. What is being abandoned is not retried: its workflow
    may have done it already."""
    abandoned = issue.decision == IssueDecision.ABANDON and issue.subject_kind != IssueSubject.PURCHASE_ORDER
    if abandoned and decision is IssueDecision.RETRY:
        raise Refused("ISSUE_BEING_ABANDONED", f"{issue.decided_by} decided to abandon it, which is being done.")


async def close_as_decided(session: AsyncSession, issue_id: SyncIssueId, *, request_key: str) -> OutboxMessage | None:
    """Close an issue that nobody waits behind any more, as a person decided. Returns what a sync run is owed."""
    issue = await sync_issues.get(session, issue_id)
    if issue is None or issue.decision is None or issue.state != IssueState.OPEN:
        return None
    decision = IssueDecision(issue.decision)
    stopped = decision is IssueDecision.ABANDON and issue.subject_kind in (IssueSubject.BILL, IssueSubject.PAYMENT)
    if stopped and not await abandon_stopped(session, issue, request_key=request_key):
        # The ERP may hold it: nothing is abandoned, and the next sync starts the workflow, which looks there first.
        await sync_issues.close(session, issue_id, IssueState.RESOLVED, issue.decided_by or "")
        return None
    closed = await _close(session, issue, decision, actor=issue.decided_by or "", request_key=request_key)
    return closed.message


async def _settle_upload(
    session: AsyncSession, issue: SyncIssueRow, decision: IssueDecision, *, actor: str, why: str, request_key: str
) -> IssueDecided:
    """No workflow waits behind a failed upload: a retry starts one."""
    workflow_id, messages = await uploads.settle(
        session, issue, decision, actor=actor, why=why, request_key=request_key
    )
    state = IssueState.RESOLVED if decision is IssueDecision.RETRY else IssueState.ABANDONED
    await sync_issues.close(session, SyncIssueId(issue.id), state, actor)
    return IssueDecided(workflow_id, messages[0] if messages else None)


async def _close(
    session: AsyncSession, issue: SyncIssueRow, decision: IssueDecision, *, actor: str, request_key: str
) -> IssueDecided:
    state = IssueState.RESOLVED if decision is IssueDecision.RETRY else IssueState.ABANDONED
    await sync_issues.close(session, SyncIssueId(issue.id), state, actor)
    if decision is IssueDecision.ABANDON:
        return IssueDecided(None, None)
    connection = await connections.get(session, ConnectionId(issue.connection_id))
    assert connection is not None, "an issue's connection is never deleted"
    await _reread(session, connection, issue)
    message = await owe_sync(session, connection, request_key=request_key)
    return IssueDecided(sync_workflow_id(ConnectionId(connection.id)), message)


async def _reread(session: AsyncSession, connection: ConnectionRow, issue: SyncIssueRow) -> None:
    """Have the stream of a record that could not be taken in read again.

    Its cursor has passed the record, which need not have changed: a right was given, or posync knows the word now. What
    the mirror holds already costs only its version.
    """
    stream = STREAMS.get(issue.subject_kind)
    if stream is None:
        return
    connection_id = ConnectionId(connection.id)
    await excluded_records.reconsider(session, connection_id, stream, issue.code)
    if stream is Stream.PURCHASE_ORDERS:  # one that is mirrored keeps its last meaning meanwhile (G3)
        await purchase_orders.reread(session, connection_id, issue.subject_id)
    if stream is Stream.LISTS:  # entries are as old as they are
        await cursors.forget(session, connection_id, stream)
    else:
        await cursors.rewind(session, connection_id, stream, f"{first_import_from(connection)} 00:00:00")
