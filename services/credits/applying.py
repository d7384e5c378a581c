"""Apply a credit to bills without money, and undo that: one decision each, in the transaction of whoever asked."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind, BillStatus
from models.domain.credits import ApplicationStatus
from models.domain.ids import BillId, ConnectionId, CreditApplicationId, OrganizationId
from models.domain.outbox import MessageKind
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.base.today import today_in
from models.store.payables import bill_reads, credit_applications, entered_credits
from models.tables import BillRow, ConnectionRow
from services.refusal import Refused


class Wanted(NamedTuple):
    """How much of a credit goes to which bill; None: all that is open of both."""

    bill_id: BillId
    amount: Decimal | None


async def apply_credit(
    session: AsyncSession,
    connection: ConnectionRow,
    credit: BillRow,
    wanted: Sequence[Wanted],
    *,
    organization_id: OrganizationId,
    request_key: str,
    actor: str,
    why: str = "",
) -> list[OutboxMessage]:
    """Apply a credit to bills of its vendor, entity and currency, as far as both are open. Returns what workflows are
    owed.

    Raises:
        Refused: CREDIT_NOT_OPEN, BILL_NOT_CREDITABLE, CREDIT_OF_ANOTHER, MORE_THAN_OPEN.
    """
    await entered_credits.lock_bills(session, {BillId(credit.id), *(one.bill_id for one in wanted)})
    if credit.kind != BillKind.CREDIT or not BillStatus(credit.status).is_payable:
        raise Refused("CREDIT_NOT_OPEN", f"The credit is {credit.status.replace('_', ' ')}.")
    messages = []
    for one in wanted:
        bill = await bill_reads.get(session, one.bill_id, organization_id)
        if bill is None or bill.connection_id != credit.connection_id:
            raise Refused("CREDIT_OF_ANOTHER", f"The credit's connection has no bill {one.bill_id}.")
        await check_pair(session, credit, bill)
        left = await credit_applications.left(session, BillId(credit.id), one.bill_id)
        most = min(left.credit, left.bill)
        amount = most if one.amount is None else one.amount
        if amount <= 0 or amount > most:
            raise Refused(
                "MORE_THAN_OPEN",
                f"{amount} cannot be applied to bill {bill.number}: {max(left.credit, Decimal(0))} is open of the"
                f" credit, and {max(left.bill, Decimal(0))} of the bill.",
            )
        application_id = credit_applications.application_id_for(
            organization_id, request_key, credit.number, one.bill_id
        )
        await credit_applications.create(
            session,
            credit_applications.new_row(
                application_id,
                organization_id=organization_id,
                connection_id=ConnectionId(credit.connection_id),
                credit_id=BillId(credit.id),
                bill_id=one.bill_id,
                amount=amount,
                on_bill=left.applied + amount,
                currency=credit.currency,
                dated=max(today_in(connection.time_zone), credit.bill_date),
                actor=actor,
                why=why,
            ),
        )
        messages.append(await _owe(session, credit, application_id, organization_id, request_key))
    return messages


async def check_pair(session: AsyncSession, credit: BillRow, bill: BillRow) -> None:
    """Check that the ERP holds the bill, and that the credit is of its vendor, entity and currency.

    Raises:
        Refused: BILL_NOT_CREDITABLE or CREDIT_OF_ANOTHER.
    """
    if bill.kind != BillKind.BILL or not BillStatus(bill.status).is_payable or bill.payable_id is None:
        raise Refused("BILL_NOT_CREDITABLE", f"Bill {bill.number} is {bill.status.replace('_', ' ')}.")
    mine, theirs = [await bill_reads.owner_entity(session, BillId(one.id)) for one in (credit, bill)]
    differs = [
        what
        for what, of_credit, of_bill in (
            ("vendor", credit.vendor_id, bill.vendor_id),
            ("currency", credit.currency, bill.currency),
            ("entity", mine or theirs, theirs or mine),
        )
        if of_credit != of_bill
    ]
    if differs:
        raise Refused("CREDIT_OF_ANOTHER", f"Bill {bill.number} is of another {' and '.join(differs)}.")


async def unapply_credit(
    session: AsyncSession,
    credit: BillRow,
    application_id: CreditApplicationId,
    *,
    organization_id: OrganizationId,
    request_key: str,
    actor: str,
    why: str = "",
) -> list[OutboxMessage]:
    """Undo an application that was made from here. Returns what its workflow is owed.

    Raises:
        Refused: CREDIT_NOT_APPLIED.
    """
    row = await credit_applications.get(session, application_id, lock=True)
    if row is None or row.credit_id != credit.id:
        raise Refused("CREDIT_NOT_APPLIED", f"The credit has no application {application_id}.")
    if row.status != ApplicationStatus.APPLIED:
        raise Refused("CREDIT_NOT_APPLIED", f"The application is {row.status}.")
    row.status, row.asks = ApplicationStatus.UNAPPLYING.value, row.asks + 1
    row.problem, row.problem_code = "", None
    row.unapplied_by, row.unapplied_why = actor, why
    row.version += 1
    session.add(row)
    await session.flush()
    return [await _owe(session, credit, application_id, organization_id, request_key)]


async def _owe(
    session: AsyncSession,
    credit: BillRow,
    application_id: CreditApplicationId,
    organization_id: OrganizationId,
    request_key: str,
) -> OutboxMessage:
    return await outbox.add(
        session,
        MessageKind.CREDIT_APPLICATION,
        application_id,
        organization_id=organization_id,
        connection_id=ConnectionId(credit.connection_id),
        request_key=request_key,
    )
