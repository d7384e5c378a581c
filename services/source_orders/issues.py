"""The sync issues of uploads: opened where the ERP refused one or made something else of it, settled by a person.

What an order lacks before anything is sent is told in the answer to whoever asked, and opens no issue.
"""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from models.contract import source_order_workflow_id
from models.domain.ids import SYNCER, ConnectionId, SourceOrderId
from models.domain.issue_states import IssueDecision, IssueSubject
from models.domain.source_orders import UploadAs, UploadedOrder, UploadProblem, UploadState
from models.store.audit import sync_issues
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.source_orders import orders
from models.tables import SyncIssueRow
from services.refusal import Refused
from services.source_orders.uploads import UploadAsked, fits_still, look_up, must_be_offered, upload

CONTENT_CONFLICT = "CONTENT_CONFLICT"


async def upload_failed(session: AsyncSession, order_id: SourceOrderId, problem: UploadProblem, *, ask: int) -> None:
    """Record why an upload failed, and open its issue. Twice is once."""
    row = await orders.failed(session, order_id, problem, ask=ask)
    if row is not None:
        await sync_issues.open_issue(
            session,
            problem.code,
            connection_id=row.connection_id,
            subject_kind=IssueSubject.SOURCE_ORDER,
            subject_id=row.id,
            subject_name=row.reference,
            cause=problem.message,
            evidence=problem.evidence,
        )


async def upload_done(session: AsyncSession, order_id: SourceOrderId, result: UploadedOrder) -> None:
    """Record what the ERP made of an order; where that is not what was sent, open an issue. Twice is once."""
    row = await orders.uploaded(session, order_id, result)
    if row is None:
        return
    await sync_issues.close_for_subject(
        session, ConnectionId(row.connection_id), IssueSubject.SOURCE_ORDER, row.id, actor=SYNCER
    )
    if result.differences:
        await sync_issues.open_issue(
            session,
            CONTENT_CONFLICT,
            connection_id=row.connection_id,
            subject_kind=IssueSubject.SOURCE_ORDER,
            subject_id=row.id,
            subject_name=row.reference,
            cause=f"The ERP holds {row.reference} with other content: {'; '.join(result.differences)}.",
            evidence={"differences": list(result.differences), "document": result.document_id},
        )


async def settle(
    session: AsyncSession, issue: SyncIssueRow, decision: IssueDecision, *, actor: str, why: str, request_key: str
) -> tuple[str | None, Sequence[OutboxMessage]]:
    """Do what a person decided on an upload that failed: upload the order once more as it is now, or leave it. What the
    ERP may hold, and the order is not any more, is only looked up. Returns the workflow that does it, if one does, and
    the messages to deliver.

    Raises:
        Refused: it cannot be uploaded now: UPLOAD_REFUSED says why, the others as for any upload.
    """
    connection = await connections.get(session, ConnectionId(issue.connection_id))
    assert connection is not None, "an issue's connection is never deleted"
    await session.refresh(connection, with_for_update=True)
    row = await orders.get(session, SourceOrderId(issue.subject_id), lock=True)
    assert row is not None, "a source order is never removed"
    if row.upload_state != UploadState.FAILED or row.upload_as is None:
        return None, ()
    if decision is IssueDecision.ABANDON:
        await orders.abandoned(session, row, actor=actor, why=why)
        return None, ()
    # Whoever asked for the upload that failed had confirmed what it rules out.
    asked = UploadAsked(UploadAs(row.upload_as), True, row.repeats_number, why)
    if await orders.in_doubt(session, row) and not await fits_still(session, connection, row, asked):
        messages = await look_up(session, connection, row, actor=actor, why=why, request_key=request_key)
        return source_order_workflow_id(SourceOrderId(row.id)), messages
    must_be_offered(connection, asked)
    (outcome,), messages = await upload(session, connection, [row], asked, actor=actor, request_key=request_key)
    if outcome.problems:
        reasons = " ".join(problem.message for problem in outcome.problems)
        raise Refused("UPLOAD_REFUSED", f"{row.reference} cannot be uploaded: {reasons}")
    return source_order_workflow_id(SourceOrderId(row.id)), messages
