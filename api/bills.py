"""Bills: what they hold, how they matched, where they stand; edits, the PO link and payments."""

import logging
from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from api import durable
from api.auth import Accountant, Caller, Clerk, Viewer
from api.bill_matching import tell_given_up
from api.bill_shapes import (
    Bill,
    BillLine,
    BillSummary,
    EditedBill,
    Event,
    Payment,
    Reminder,
    Write,
    due,
    summary,
)
from api.conditional import IfMatch, check, tag
from api.exact import ExactRoute
from api.idempotency import Answer, IdempotencyKey, Once, answer, refused_by_worker
from api.problems import Problem, answers, not_found
from api.purchase_orders import load as load_order
from api.services import Services
from api.shapes import Amount, Code, Cursor, Day, Filter, Id, Input, Limit, Name, Page, Text, columns
from models.domain import WAITING_FOR_A_PERSON, BillId, BillStatus, ConnectionId, PurchaseOrderId
from models.messages import PurchaseOrderState, RequestRef, SchedulePayment, SchedulePaymentAnswer
from models.store import (
    bill_edits,
    bill_life,
    bill_reads,
    events,
    match_again,
    notices,
    payment_reads,
    waiting_bills,
)
from models.store.bill_edits import EditRefused
from models.store.waiting_bills import NOT_SENT
from models.tables import BillRow
from workflows.contract import purchase_order_workflow_id

router = APIRouter(prefix="/v1/bills", tags=["bills"], route_class=ExactRoute)

WRITE = ("NOT_FOUND", "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED")

GL_ACCOUNT_REMINDER = (
    "The GL account of line {lines} was changed here only: it does not sync. "
    "Change it on the Vendor Invoice in the ERP too (S1-17, S1-18)."
)

EDIT_WAITS = "The edit is saved. Temporal does not answer now: the next sync brings it to the ERP."

MATCH_WAITS = "The edit is saved. Temporal does not answer now: the bill is matched again by the next sync."

log = logging.getLogger(__name__)


def _no_default(schema: dict[str, Any]) -> None:
    """A field that is absent stays as it is: its default is never applied, so it is not documented."""
    schema.pop("default", None)


class BillLineEdit(Input):
    line_no: int = Field(ge=1, le=100_000)
    account: Code | None = None
    description: Text = Field(default="", json_schema_extra=_no_default)
    department: Code | None = None
    location: Code | None = None
    class_id: Code | None = None
    project: Code | None = None


class BillEdit(Input):
    """Only what is given changes. Quantities and amounts were matched: give the bill up and make a new one."""

    memo: Text = Field(default="", json_schema_extra=_no_default)
    bill_date: Day = Field(default=date.min, json_schema_extra=_no_default)
    posting_date: Day = Field(default=date.min, json_schema_extra=_no_default)
    due_date: Day | None = Field(default=None, json_schema_extra=_no_default)
    lines: list[BillLineEdit] = Field(default=[], max_length=500)


class LinkTo(Input):
    purchase_order_id: Name


class NewPayment(Input):
    amount: Amount
    pay_on: Day = Field(description="The day it is submitted; today or earlier: now.", examples=["2026-11-30"])
    method: Code | None = Field(default=None, description="null: the ERP's electronic transfer.")
    bank_account: Code | None = Field(default=None, description="null: the one in the sync preferences.")


class PaymentAccepted(BaseModel):
    payment: dict[str, Any]


class Unlinked(BaseModel):
    bill: BillSummary
    purchase_order_id: str


async def whole(session: AsyncSession, caller: Caller, bill_id: str) -> Bill:
    """The caller's bill with all that belongs to it, or 404."""
    row = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
    if row is None:
        raise not_found("bill", bill_id)
    return await _whole(session, row, caller)


async def _whole(session: AsyncSession, row: BillRow, caller: Caller) -> Bill:
    bill_id = BillId(row.id)
    lines = await bill_reads.lines(session, bill_id)
    match = await bill_reads.match_result(session, bill_id)
    paid = await payment_reads.page(session, organization_id=caller.organization_id, bill_id=bill_id, limit=200)
    write = await bill_edits.write_of(session, row.id)
    happened = await events.for_subject(session, caller.organization_id, "bill", row.id)
    return Bill(
        **columns(row, Bill),
        due=due(row),
        lines=[BillLine(**columns(line, BillLine)) for line in lines],
        match=None if match is None else match.result,
        payments=[Payment(**columns(payment, Payment)) for payment in paid.items],
        write=None if write is None else Write(**columns(write, Write)),
        events=[Event(**columns(event, Event)) for event in happened],
    )


async def _held(session: AsyncSession, caller: Caller, bill_id: str) -> BillRow:
    row = await bill_edits.lock(session, BillId(bill_id), caller.organization_id)
    if row is None:
        raise not_found("bill", bill_id)
    return row


@router.get("", operation_id="listBills", summary="List bills", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    purchase_order: Filter = None,
    vendor: Filter = None,
    status: BillStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[BillSummary]:
    """Newest first: ours and those made in the ERP."""
    async with services.database.transaction() as session:
        found = await bill_reads.page(
            session,
            organization_id=caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            purchase_order_id=PurchaseOrderId(purchase_order) if purchase_order else None,
            vendor=vendor,
            status=status,
            limit=limit,
            cursor=cursor,
        )
    return Page(items=[summary(row) for row in found.items], next_cursor=found.next_cursor)


@router.get("/{bill_id}", operation_id="getBill", summary="Read a bill", responses=answers("NOT_FOUND"))
async def read(bill_id: Id, caller: Viewer, services: Services, response: Response) -> Bill:
    """The bill, its lines, match, payments, its write to the ERP, and everything that happened to it."""
    async with services.database.transaction() as session:
        bill = await whole(session, caller, bill_id)
    tag(response, bill.version)
    return bill


@router.patch(
    "/{bill_id}",
    operation_id="editBill",
    summary="Edit a bill",
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "PRECONDITION_REQUIRED",
        "PRECONDITION_FAILED",
        "EDIT_IN_ERP",
        "BILL_HAS_PAYMENTS",
        "BILL_ON_ITS_WAY",
        "BILL_IS_CLOSED",
        "BILL_LINE_UNKNOWN",
    ),
)
async def edit(
    bill_id: Id, change: BillEdit, if_match: IfMatch, caller: Clerk, services: Services, response: Response
) -> EditedBill:
    """Before the push everything below may change. Afterwards, while nothing is paid, memo, due date and the lines'
    descriptions and dimensions may: the edit goes to the ERP by itself and `edit_pending` is true until the ERP was
    seen to hold it (S1-17, S5-136). GL accounts do not sync (S1-17): a reminder to change them in the ERP too is
    answered and kept as a notice (S1-18)."""
    header = change.model_dump(exclude_unset=True, exclude={"lines"})
    lines = {line.line_no: line.model_dump(exclude_unset=True, exclude={"line_no"}) for line in change.lines}
    reminders: list[Reminder] = []
    async with services.database.transaction() as session:
        row = await _held(session, caller, bill_id)
        check(if_match, row.version)
        try:
            accounts = await bill_edits.edit(session, row, header, lines, actor=caller.actor)
        except EditRefused as error:
            raise Problem(error.code, error.message) from error
        if accounts and row.purchase_order_id is not None:
            message = GL_ACCOUNT_REMINDER.format(lines=", ".join(str(line) for line in accounts))
            reminders.append(Reminder(code="GL_ACCOUNT_NOT_SYNCED", message=message))
        if row.manual_both_sides:
            message = "This bill was linked behind a receipt: make the same edit by hand in the ERP (S1-22)."
            reminders.append(Reminder(code="EDIT_BOTH_SIDES", message=message))
        for reminder in reminders:
            await notices.add(
                session,
                organization_id=caller.organization_id,
                connection_id=ConnectionId(row.connection_id),
                code=reminder.code,
                subject_kind="bill",
                subject_id=row.id,
                message=reminder.message,
            )
        bill = await _whole(session, row, caller)
        edition = row.edition if row.edit_pending else 0
        order = None
        if row.status in WAITING_FOR_A_PERSON and row.purchase_order_id is not None:
            order = await waiting_bills.order_state(session, PurchaseOrderId(row.purchase_order_id))
            await match_again.ask(session, ConnectionId(row.connection_id), f"bill {row.number} was edited")
    if order is not None and not await _matched_again(services, order, bill.number):
        reminders.append(Reminder(code="MATCH_WAITS_FOR_SYNC", message=MATCH_WAITS))
    if edition and not await _told(services, BillId(bill_id), edition):
        reminders.append(Reminder(code="EDIT_WAITS_FOR_SYNC", message=EDIT_WAITS))
    tag(response, bill.version)
    return EditedBill(bill=bill, notices=reminders)


async def _told(services: Services, bill_id: BillId, edition: int) -> bool:
    """The edit is saved, whatever becomes of the word: the next sync run brings it again."""
    async with services.database.transaction() as session:
        again = await bill_life.again(session, bill_id, order_workflow_id=purchase_order_workflow_id)
    try:
        await durable.bill_edited(services.temporal, bill_id, edition, again)
    except (Problem, RPCError) as error:
        log.warning("bill %s: the edit waits for the next sync: %s", bill_id, error)
        return False
    return True


async def _matched_again(services: Services, order: PurchaseOrderState, number: str) -> bool:
    """A bill that waits follows its edit: another posting date may lie in an open period."""
    try:
        await durable.match_again(services.temporal, order, f"bill {number} was edited")
    except (Problem, RPCError) as error:
        log.warning("bill %s: the match after its edit waits for the next sync: %s", number, error)
        return False
    return True


@router.post(
    "/{bill_id}/unlink",
    operation_id="unlinkBill",
    summary="Take a bill off its purchase order",
    response_model=Unlinked,
    responses=answers(*WRITE, "LINK_IS_FINAL", "BILL_NOT_LINKED", "BILL_IS_CLOSED"),
)
async def unlink(bill_id: Id, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Before the first sync (S1-24). The bill is given up and its quantities are free for a new one; afterwards the
    accounting system is the system of record and the link is final (S1-25, S1-26)."""

    async def work(session: AsyncSession) -> Answer:
        row = await _held(session, caller, bill_id)
        try:
            order_id = await bill_edits.unlink(session, row, actor=caller.actor)
        except EditRefused as error:
            raise Problem(error.code, error.message) from error
        return answer(200, Unlinked(bill=summary(row), purchase_order_id=order_id))

    done = await Once(services, caller, key, f"POST /v1/bills/{bill_id}/unlink").run({}, work)
    if done.status == 200:
        await tell_given_up(services, BillId(bill_id), PurchaseOrderId(done.body["purchase_order_id"]))
    return done.response()


@router.post(
    "/{bill_id}/link",
    operation_id="linkBill",
    summary="Link a bill made in the ERP to a purchase order",
    response_model=BillSummary,
    responses=answers(*WRITE, "LINK_NOT_ALLOWED", "BILL_ALREADY_LINKED", "BILL_IS_CLOSED", "PO_FEATURE_OFF"),
)
async def link(bill_id: Id, to: LinkTo, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """By hand (S1-21). Behind a receipt the bill is marked: its edits are then made by hand in both systems (S1-22)."""

    async def work(session: AsyncSession) -> Answer:
        row = await _held(session, caller, bill_id)
        order, _ = await load_order(session, caller, to.purchase_order_id, to_write=True)
        try:
            await bill_edits.link(session, row, order, actor=caller.actor)
        except EditRefused as error:
            raise Problem(error.code, error.message) from error
        return answer(200, summary(row))

    once = Once(services, caller, key, f"POST /v1/bills/{bill_id}/link")
    done = await once.run(to.model_dump(mode="json"), work)
    return done.response()


@router.post(
    "/{bill_id}/payments",
    status_code=201,
    operation_id="schedulePayment",
    summary="Schedule a payment",
    response_model=PaymentAccepted,
    responses=answers(
        *WRITE,
        "BILL_NOT_PAYABLE",
        "OVERPAYMENT",
        "INVALID_AMOUNT",
        "BANK_ACCOUNT_MISSING",
        "WORKER_UNAVAILABLE",
        "TEMPORAL_UNAVAILABLE",
    ),
)
async def pay(
    bill_id: Id, payment: NewPayment, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Pay a bill, whole or in part, on a day (S4-25). On that day it is submitted and reaches the ERP exactly once;
    the bill's and the order's status follow (S4-26)."""
    route = f"POST /v1/bills/{bill_id}/payments"
    once = Once(services, caller, key, route)
    async with services.database.statement() as session:  # a claimed key needs nothing else to be true with it
        row = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        known = await once.claim(session, {"bill_id": bill_id, **payment.model_dump(mode="json")})
    if known is None:
        request = RequestRef(organization_id=caller.organization_id, key=key)
        asked = SchedulePayment(request=request, bill_id=BillId(bill_id))
        try:
            decided = await _schedule(services, row, asked)
        except WorkflowUpdateFailedError:  # its validator: the bill is closed
            decided = None
        if decided is None:
            return (await once.refuse(_no_life(row))).response()
        known = await once.stored()
        if known is None:
            raise Problem("INTERNAL_ERROR", "The bill's workflow answered, but stored no answer.")
    return _rendered(known, bill_id, payment, route)


async def _schedule(services: Services, row: BillRow, asked: SchedulePayment) -> SchedulePaymentAnswer | None:
    """Ask the bill's workflow, or a new one if that had ended and the bill is open again: a payment was voided, say."""
    bill_id = BillId(row.id)
    decided = await durable.schedule_payment(services.temporal, bill_id, asked, just_made=row.status in NOT_SENT)
    if decided is not None:
        return decided
    async with services.database.transaction() as session:
        again = await bill_life.again(session, bill_id, order_workflow_id=purchase_order_workflow_id)
    if again is None:
        return None
    await durable.bill_again(services.temporal, again)
    return await durable.schedule_payment(services.temporal, bill_id, asked, just_made=True)


def _no_life(row: BillRow) -> Problem:
    if row.origin == "erp":
        return Problem("BILL_NOT_PAYABLE", "The bill was made in the ERP and is paid there.")
    return Problem(
        "BILL_NOT_PAYABLE", f"The bill is {row.status}: nothing is open on it.", fix=("Look at the bill's payments.",)
    )


def _rendered(known: Answer, bill_id: str, asked: NewPayment, route: str) -> JSONResponse:
    """The worker's stored decision as the caller sees it; made of nothing else, so that a repeat sees the same."""
    if known.status == 201:
        shown = {
            "id": known.body["payment_id"],
            "bill_id": bill_id,
            "amount": str(asked.amount),
            "pay_on": asked.pay_on.isoformat(),
            "status": "scheduled",
        }
        return Answer(201, {"payment": shown}).response(location=f"/v1/payments/{shown['id']}")
    return refused_by_worker(known, route)
