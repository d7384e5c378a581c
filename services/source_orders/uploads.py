"""Ask for the upload of source orders: each that can be is planned and started, each other one is told why not."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import PushWhen
from models.domain.ids import ConnectionId, OrganizationId
from models.domain.issue_states import IssueSubject
from models.domain.outbox import MessageKind
from models.domain.source_orders import AccountingStatus, OrderToUpload, UploadAs, UploadProblem, UploadState
from models.store.audit import outbox, sync_issues
from models.store.audit.outbox import OutboxMessage
from models.store.source_orders import orders
from models.store.source_orders.orders import external_key_for
from models.tables import ConnectionRow, SourceOrderRow
from services.refusal import Refused
from services.source_orders.readiness import UPLOAD_ORDERS, Readiness, full_reference, readiness


class UploadAsked(NamedTuple):
    """What a person asks for."""

    upload_as: UploadAs
    confirm_irreversible: bool = False
    repeat_numbers: bool = False
    """The person decided that the ERP may have further documents with these numbers."""
    why: str = ""


class Outcome(NamedTuple):
    """What became of one order."""

    row: SourceOrderRow
    problems: Sequence[UploadProblem]
    """Empty: it is on its way."""


def must_be_offered(connection: ConnectionRow, asked: UploadAsked) -> None:
    """Check what holds for all of a connection's orders.

    Raises:
        Refused: UPLOAD_NOT_OFFERED, UPLOAD_SWITCHED_OFF, CONFIRMATION_NEEDED, UPLOAD_NEEDS_APPROVAL.
    """
    if not connection.capabilities.get("order_upload"):
        raise Refused("UPLOAD_NOT_OFFERED", f"{connection.name} takes no orders of other systems.")
    if asked.upload_as is UploadAs.BILL:
        if connection.push_when != PushWhen.MATCHED or connection.only_approved:
            raise Refused("UPLOAD_NEEDS_APPROVAL", f"{connection.name} sends only bills that were approved or paid.")
        return
    if connection.preferences.get(UPLOAD_ORDERS) != "true":
        raise Refused("UPLOAD_SWITCHED_OFF", f"The preference {UPLOAD_ORDERS} of {connection.name} is not true.")
    if not asked.confirm_irreversible:
        raise Refused("CONFIRMATION_NEEDED", "The bills of orders that are uploaded as orders cannot be uploaded.")


async def upload(
    session: AsyncSession,
    connection: ConnectionRow,
    rows: Sequence[SourceOrderRow],
    asked: UploadAsked,
    *,
    actor: str,
    request_key: str,
) -> tuple[list[Outcome], Sequence[OutboxMessage]]:
    """Plan the upload of locked orders. Those that cannot be uploaded are recorded with why, and the others go on.
    Returns the outcomes, and the messages to deliver."""
    checked = await readiness(session, connection, rows, asked.upload_as, may_repeat_number=asked.repeat_numbers)
    outcomes: list[Outcome] = []
    started: list[str] = []
    for row, ready in zip(rows, checked, strict=True):
        if ready.problems:
            await orders.refused(session, row, asked.upload_as, ready.problems)
        else:
            assert ready.vendor_id is not None, "an order without a linked contact has a problem"
            outgoing = _outgoing(connection, row, asked, ready, ready.vendor_id)
            await orders.plan_upload(session, row, outgoing, actor=actor, why=asked.why)
            started.append(row.id)
        outcomes.append(Outcome(row, ready.problems))
    await sync_issues.close_for_subjects(
        session, ConnectionId(connection.id), IssueSubject.SOURCE_ORDER, started, actor=actor
    )
    messages = await outbox.add_all(
        session,
        MessageKind.SOURCE_ORDER_UPLOAD,
        started,
        organization_id=OrganizationId(connection.organization_id),
        connection_id=ConnectionId(connection.id),
        request_key=request_key,
    )
    return outcomes, messages


async def fits_still(session: AsyncSession, connection: ConnectionRow, row: SourceOrderRow, asked: UploadAsked) -> bool:
    """Return whether an order whose upload is in doubt can be uploaded as the same once more, as it is now."""
    try:
        must_be_offered(connection, asked)
    except Refused:
        return False
    (ready,) = await readiness(session, connection, [row], asked.upload_as, may_repeat_number=asked.repeat_numbers)
    return not ready.problems


async def look_up(
    session: AsyncSession, connection: ConnectionRow, row: SourceOrderRow, *, actor: str, why: str, request_key: str
) -> Sequence[OutboxMessage]:
    """Have the ERP asked whether it holds a locked order whose upload is in doubt: if so it is uploaded, if not the
    order is free. Returns the messages to deliver."""
    await orders.plan_look_up(session, row, actor=actor, why=why)
    return await outbox.add_all(
        session,
        MessageKind.SOURCE_ORDER_UPLOAD,
        [row.id],
        organization_id=OrganizationId(connection.organization_id),
        connection_id=ConnectionId(connection.id),
        request_key=request_key,
    )


async def reset(session: AsyncSession, row: SourceOrderRow, *, actor: str, why: str) -> None:
    """Let a locked order be uploaded as a bill once more.

    Raises:
        Refused: NOT_IMPORTED, or UPLOADED_AS_ORDER.
    """
    if row.upload_state == UploadState.UPLOADED and row.upload_as == UploadAs.PURCHASE_ORDER:
        raise Refused("UPLOADED_AS_ORDER", f"{row.reference} was uploaded as a purchase order, for good.")
    if row.accounting_status != AccountingStatus.IMPORTED:
        raise Refused("NOT_IMPORTED", f"{row.reference} is {row.accounting_status.replace('_', ' ')}.")
    await sync_issues.close_for_subject(
        session, ConnectionId(row.connection_id), IssueSubject.SOURCE_ORDER, row.id, actor=actor
    )
    await orders.reset(session, row, actor=actor, why=why)


def _outgoing(
    connection: ConnectionRow, row: SourceOrderRow, asked: UploadAsked, ready: Readiness, vendor_id: str
) -> OrderToUpload:
    """Return the order as it is sent: fixed now, so that every repeat sends the same."""
    billed_on = row.invoice_date if asked.upload_as is UploadAs.BILL else None
    return OrderToUpload(
        external_key=external_key_for(row, asked.upload_as),
        upload_as=asked.upload_as,
        vendor_id=vendor_id,
        number=ready.number,
        reference=full_reference(row, asked.upload_as),
        dated=billed_on or row.ordered_on,
        due_on=row.due_date,
        currency=connection.base_currency,
        memo=row.memo,
        lines=ready.lines,
        may_repeat_number=asked.repeat_numbers,
    )
