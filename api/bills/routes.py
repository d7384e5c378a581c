"""List and read bills; link a bill to an order or unlink it; schedule payments."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.retraction import actions
from api.bills.schemas import (
    Bill,
    BillLine,
    BillPart,
    BillSummary,
    Editable,
    Event,
    Generation,
    PaymentWait,
    Reminder,
    Write,
    about_payments,
    due,
    payments_shown,
    summary,
)
from api.http.auth import Accountant, Caller, Clerk, Viewer
from api.http.etag import tag
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.schemas import (
    Amount,
    Code,
    Cursor,
    Day,
    Filter,
    Id,
    Input,
    Instant,
    Limit,
    Money,
    Name,
    Number,
    Page,
    Switch,
    columns,
    page_of,
)
from api.http.services import Services
from api.orders.routes import load as load_order
from matching.kernel.exact import rounded
from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus
from models.domain.currencies import DECIMALS
from models.domain.ids import BillId, ConnectionId, PersonId, PurchaseOrderId
from models.domain.payments import PaymentMethod, PaymentStatus
from models.store.approvals import people
from models.store.audit import events
from models.store.audit.outbox import OutboxMessage
from models.store.payables import (
    bill_edits,
    bill_listing,
    bill_parts,
    bill_reads,
    payment_listing,
    payment_waits,
    reserved_amounts,
    retractions,
)
from models.store.payables.bill_edits import EditRefused
from models.store.payables.bill_listing import BillSort, BillsWanted
from models.store.payables.payment_listing import PaymentsWanted
from models.tables import BillLineRow, BillRow
from services.bills.editable import editable
from services.bills.ending import unlink_bill
from services.bills.gl_accounts import GL_ACCOUNT_NOT_SYNCED, gl_account_reminder
from services.payments.checks import RequestedPayment
from services.payments.scheduling import schedule_payment

router = APIRouter(prefix="/v1/bills", tags=["bills"], route_class=ExactRoute)


class LinkTo(Input):
    purchase_order_id: Name


class NewPayment(Input):
    amount: Amount
    pay_on: Day = Field(
        description="The day it is submitted to the ERP, and dated; today or yesterday (UTC): at once. No earlier day. "
        "Paid outside: the day it was paid.",
        examples=["2026-11-30"],
    )
    method: PaymentMethod | None = Field(default=None, description="null: card from a card account, else eft.")
    bank_account: Code | None = Field(default=None, description="null: the one in the sync preferences.")
    paid_outside: Switch = Field(
        default=False,
        description="true: the money went out already; it is only recorded, as soon as the ERP holds the bill. A bill "
        "that waits for its first payment goes out with it.",
    )
    reference: Number | None = Field(
        default=None, description="Its number for people: of a cheque, or the bank's.", examples=["10412"]
    )
    external_id: Code | None = Field(default=None, description="What your own system calls it.")


class ScheduledPayment(Output):
    """The payment as it was saved; `GET /v1/payments/{id}` shows where it stands now."""

    id: str
    bill_id: str
    amount: Money
    pay_on: date
    status: PaymentStatus
    waits_for: PaymentWait
    """What it waits for: a bill that an issue stops holds its payments back, whatever their day."""


class PaymentAccepted(Output):
    payment: ScheduledPayment


class Unlinked(Output):
    bill: BillSummary
    purchase_order_id: str


async def whole(session: AsyncSession, caller: Caller, bill_id: str) -> Bill:
    """Return the caller's bill with its lines, match, payments, write to the ERP and events.

    Raises:
        Problem: NOT_FOUND, also for another organization's bill.
    """
    row = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
    if row is None:
        raise not_found("bill", bill_id)
    return await whole_of(session, row, caller)


async def whole_of(session: AsyncSession, row: BillRow, caller: Caller) -> Bill:
    """Return a bill that was read as answers show it."""
    bill_id = BillId(row.id)
    lines = await bill_reads.lines(session, bill_id)
    order_lines = await bill_reads.order_line_ids(session, bill_id)
    numbers = await bill_reads.order_numbers(session, bill_id)
    match = await bill_reads.match_result(session, bill_id)
    wanted = PaymentsWanted(organization_id=caller.organization_id, bill_id=bill_id)
    paid = await payment_listing.page(session, wanted, limit=200)
    about = await about_payments(session, [payment.id for payment in paid.items])
    write = await bill_edits.write_of(session, row.id)
    facts = await retractions.facts(session, bill_id)
    happened = await events.for_subject(session, caller.organization_id, "bill", row.id)
    return Bill(
        **columns(row, Bill),
        due=due(row),
        lines=[
            BillLine(
                **columns(line, BillLine),
                order_line_id=order_lines.get(line.line_no),
                purchase_order_number=numbers.get(line.purchase_order_id or ""),
            )
            for line in lines
        ],
        match=None if match is None else match.result,
        parts=[
            BillPart(**columns(part, BillPart), due=part.total - part.paid)
            for part in await bill_parts.for_people(session, row)
        ],
        payments=payments_shown(paid.items, about),
        reserved=await reserved_amounts.on_bill(session, bill_id),
        write=None if write is None else Write(**columns(write, Write)),
        actions=[] if write is None else actions(row, facts),
        editable=Editable(**editable(row, facts)._asdict()),
        reminders=_reminders(lines) if write is not None else [],
        taken_back=[
            Generation(**columns(one, Generation))
            for one in ([] if write is None else await retractions.of_bill(session, bill_id))
        ],
        events=[Event(**columns(event, Event)) for event in happened],
    )


def _reminders(lines: Sequence[BillLineRow]) -> list[Reminder]:
    given = [line.line_no for line in lines if line.account]
    return [Reminder(code=GL_ACCOUNT_NOT_SYNCED, message=gl_account_reminder(given))] if given else []


async def locked_bill(session: AsyncSession, caller: Caller, bill_id: str) -> BillRow:
    """Return the caller's bill, locked until the transaction ends.

    Raises:
        Problem: NOT_FOUND, also for another organization's bill.
    """
    row = await bill_edits.lock(session, BillId(bill_id), caller.organization_id)
    if row is None:
        raise not_found("bill", bill_id)
    return row


@router.get("", operation_id="listBills", summary="List bills", responses=answers("INVALID_CURSOR", "PERSON_UNKNOWN"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    purchase_order: Filter = None,
    number: Annotated[
        str | None, Query(max_length=45, description="The supplier's invoice number, however it is written.")
    ] = None,
    vendor: Annotated[str | None, Query(max_length=200, description="The vendor's id or name.")] = None,
    date_from: Annotated[Day | None, Query(description="First bill date.")] = None,
    date_to: Annotated[Day | None, Query(description="Last bill date.")] = None,
    total_from: Annotated[Amount | None, Query(description="Lowest total.")] = None,
    total_to: Annotated[Amount | None, Query(description="Highest total.")] = None,
    status: BillStatus | None = None,
    approval: ApprovalState | None = None,
    approver: Annotated[
        str | None, Query(max_length=200, description="The id or e-mail address of the person whose turn it is.")
    ] = None,
    changed_since: Annotated[Instant | None, Query(description="Changed then or later.")] = None,
    sort: Annotated[BillSort, Query(description="`-` puts the last one first.")] = BillSort.CREATED_LAST_FIRST,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[BillSummary]:
    """Return the organization's bills, newest first unless `sort` says otherwise: those created here and those made in
    the ERP."""
    async with services.database.transaction() as session:
        wanted = BillsWanted(
            organization_id=caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            purchase_order_id=PurchaseOrderId(purchase_order) if purchase_order else None,
            number=number,
            vendor=vendor,
            date_from=date_from,
            date_to=date_to,
            total_from=total_from,
            total_to=total_to,
            status=status,
            approval=approval,
            approver=await _person(session, caller, approver) if approver else None,
            changed_since=changed_since,
        )
        listing = await bill_listing.page(session, wanted, sort=sort, limit=limit, cursor=cursor)
    return page_of(listing, summary)


async def _person(session: AsyncSession, caller: Caller, approver: str) -> PersonId:
    """Return the id of a person that is given by id or by e-mail address.

    Raises:
        Problem: PERSON_UNKNOWN.
    """
    if "@" in approver:
        person = await people.by_email(session, caller.organization_id, approver)
        person_id = None if person is None else person.id
    else:
        row = await people.get(session, caller.organization_id, PersonId(approver))
        person_id = None if row is None else PersonId(row.id)
    if person_id is None:
        raise Problem("PERSON_UNKNOWN", f"There is no person {approver!r}.")
    return person_id


@router.get("/{bill_id}", operation_id="getBill", summary="Read a bill", responses=answers("NOT_FOUND"))
async def read(bill_id: Id, caller: Viewer, services: Services, response: Response) -> Bill:
    """Return a bill with its lines, match, payments, its write to the ERP, and everything that happened to it."""
    async with services.database.transaction() as session:
        bill = await whole(session, caller, bill_id)
    tag(response, bill.version)
    return bill


@router.post(
    "/{bill_id}/unlink",
    operation_id="unlinkBill",  # S1-24..26
    summary="Take a bill off its purchase order",
    response_model=Unlinked,
    responses=answers(
        *WRITE, "LINK_IS_FINAL", "BILL_NOT_LINKED", "BILL_IS_CLOSED", "BILL_HAS_PAYMENTS", "QUANTITY_STAYS_BILLED"
    ),
)
async def unlink(bill_id: Id, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Take a bill off its purchase order, before its first sync. It is kept as a `draft` with its lines, charges and
    amounts; its quantities are free at once, and nothing of it is sent or paid.

    `POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}` puts it on an order again, and moves it from one
    order to another in one step. `POST /v1/purchase-orders/{purchase_order_id}/bill-draft` finds the lines of the other
    order for it.

    After the first sync the ERP is the system of record and the link is final.
    """

    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await locked_bill(session, caller, bill_id)
        try:
            order_id, messages[:] = await unlink_bill(session, row, actor=caller.actor, request_key=key)
        except EditRefused as error:
            raise Problem(error.code, error.message) from error
        return answer(200, Unlinked(bill=summary(row), purchase_order_id=order_id))

    done = await IdempotentRequest(services, caller, key, f"POST /v1/bills/{bill_id}/unlink").run({}, work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()


@router.post(
    "/{bill_id}/link",
    operation_id="linkBill",  # S1-21, S1-22
    summary="Link a bill made in the ERP to a purchase order",
    response_model=BillSummary,
    responses=answers(*WRITE, "LINK_NOT_ALLOWED", "BILL_ALREADY_LINKED", "BILL_IS_CLOSED", "PO_FEATURE_OFF"),
)
async def link(bill_id: Id, to: LinkTo, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Link a bill that was made in the ERP to a purchase order.

    If the order already has receipts, the bill is marked `manual_both_sides`: its edits then have to be made by hand in
    both systems.
    """

    async def work(session: AsyncSession) -> Answer:
        row = await locked_bill(session, caller, bill_id)
        order, _ = await load_order(session, caller, to.purchase_order_id, to_write=True)
        try:
            await bill_edits.link(session, row, order, actor=caller.actor)
        except EditRefused as error:
            raise Problem(error.code, error.message) from error
        return answer(200, summary(row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/bills/{bill_id}/link")
    done = await idempotent.run(to.model_dump(mode="json"), work)
    return done.response()


@router.post(
    "/{bill_id}/payments",
    status_code=201,
    operation_id="schedulePayment",  # S4-25, S4-26
    summary="Schedule a payment",
    response_model=PaymentAccepted,
    responses=answers(
        *WRITE,
        "BILL_NOT_PAYABLE",
        "BILL_REJECTED_IN_ERP",
        "OVERPAYMENT",
        "PAY_ON_IS_PAST",
        "PAID_OUTSIDE_IN_FUTURE",
        "METHOD_NOT_PAID_OUTSIDE",
        "INVALID_AMOUNT",
        "REFERENCE_TOO_LONG",
        "BANK_ACCOUNT_MISSING",
        "SETUP_CHECK_FAILED",
        "METHOD_NOT_OFFERED",
        "BANK_ACCOUNT_UNKNOWN",
        "BANK_ACCOUNT_INACTIVE",
        "BANK_ACCOUNT_OF_OTHER_TYPE",
    ),
)
async def pay(
    bill_id: Id, payment: NewPayment, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Schedule a payment of a bill, in whole or in part. On its day it is submitted to the ERP, and reaches it exactly
    once. The status of the bill and of the order follow."""
    asked = RequestedPayment.model_validate(payment.model_dump())
    message: OutboxMessage | None = None

    async def work(session: AsyncSession) -> Answer:
        nonlocal message
        if await bill_reads.get(session, BillId(bill_id), caller.organization_id) is None:
            raise not_found("bill", bill_id)
        payment_id, message = await schedule_payment(
            session,
            BillId(bill_id),
            asked,
            organization_id=caller.organization_id,
            request_key=key,
            actor=caller.actor,
        )
        shown = {
            "id": payment_id,
            "bill_id": bill_id,
            "amount": format(rounded(payment.amount, DECIMALS), "f"),
            "pay_on": payment.pay_on.isoformat(),
            "status": PaymentStatus.SCHEDULED,
            "waits_for": (await payment_waits.waits(session, [payment_id]))[payment_id]._asdict(),
        }
        return answer(201, {"payment": shown})

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/bills/{bill_id}/payments")
    done = await idempotent.run({"bill_id": bill_id, **payment.model_dump(mode="json")}, work)
    if message is not None:
        services.outbox.deliver_behind_answer(message)
    location = f"/v1/payments/{done.body['payment']['id']}" if done.status == 201 else None
    return done.response(location=location)
