"""Edit fields of a bill: all that need no new entry of it, before and after the ERP holds it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.line_dimensions import check_dimensions, check_one_line_each, check_own_fields, edited_lines
from api.bills.routes import locked_bill, whole_of
from api.bills.schemas import Bill, EditedBill, Reminder
from api.http.auth import Caller, Clerk
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.problems import Problem, answers
from api.http.schemas import Code, Day, Id, Input, OwnFields, Text, Whole
from api.http.services import Services
from models.domain.ids import BillId, ConnectionId, PurchaseOrderId
from models.store.audit import notices
from models.store.audit.outbox import OutboxMessage
from models.store.base.crossing import rerun_if_crossed
from models.store.connections import connections
from models.store.orders import ledger, purchase_orders
from models.store.payables import bill_reads, bills_in_review
from models.store.payables.bill_edits import EditRefused
from models.tables import BillRow
from services.bills.ending import DATES, edit_bill
from services.bills.gl_accounts import GL_ACCOUNT_NOT_SYNCED, gl_account_reminder
from services.refusal import Refused

router = APIRouter(prefix="/v1/bills", tags=["bills"], route_class=ExactRoute)


def _no_default(schema: dict[str, Any]) -> None:
    """Leave a field's default out of the schema: a field that is absent stays as it is, so its default is never
    applied."""
    schema.pop("default", None)


class BillLineEdit(Input):
    line_no: Whole = Field(ge=1, le=100_000)
    account: Code | None = None
    description: Text = Field(default="", json_schema_extra=_no_default)
    department: Code | None = None
    location: Code | None = None
    class_id: Code | None = None
    project: Code | None = None
    warehouse: Code | None = None
    custom: OwnFields = Field(
        default={},
        description="All values of the company's own dimensions and fields that the line is to have.",
        json_schema_extra=_no_default,
    )


class BillEdit(Input):
    """What to change on a bill; fields that are absent stay as they are. Number, quantities, prices and amounts were
    matched: while nothing of the bill was sent, `POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}` corrects
    them, or `POST /v1/bills/{bill_id}` of a bill without an order."""

    memo: Text = Field(default="", json_schema_extra=_no_default)
    bill_date: Day = Field(default=date.min, json_schema_extra=_no_default)
    posting_date: Day = Field(default=date.min, json_schema_extra=_no_default)
    due_date: Day | None = Field(default=None, json_schema_extra=_no_default)
    lines: list[BillLineEdit] = Field(default=[], max_length=500)


LineChanges = Mapping[int, Mapping[str, Any]]


@router.patch(
    "/{bill_id}",
    operation_id="editBill",  # S1-17, S1-18, S5-136
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
        "ACCOUNT_MISSING",
        "ACCOUNT_UNKNOWN",
        "ACCOUNT_ITEM_MISSING",
    ),
)
async def edit(
    bill_id: Id, change: BillEdit, if_match: IfMatch, caller: Clerk, services: Services, response: Response
) -> EditedBill:
    """Change a bill. Before it is sent to the ERP, every field of the body may change; with other dates it is matched
    again before it is sent.

    After it is synced, and while nothing is paid, the memo, the due date and the lines' descriptions and dimensions may
    change. The edit is then sent to the ERP, and `edit_pending` is true until the ERP's own bill shows it.

    A changed GL account of a line on an order is not sent to the ERP. The answer reminds you to change it there too,
    and the reminder is kept as a notice. The account of a line off orders changes before the bill is sent only.
    """
    header = change.model_dump(exclude_unset=True, exclude={"lines"})
    lines = {line.line_no: line.model_dump(exclude_unset=True, exclude={"line_no"}) for line in change.lines}

    async def decide() -> tuple[Bill, list[Reminder], list[OutboxMessage]]:
        async with services.database.transaction() as session:
            if any(name in header for name in DATES):  # it may be matched again, and the orders' lines are locked first
                await ledger.lock_lines(session, await bills_in_review.orders_of(session, BillId(bill_id)))
            row = await locked_bill(session, caller, bill_id)
            check(if_match, row.version)
            if change.lines:
                await _check_lines(session, row, change, lines)
            try:
                edited = await edit_bill(session, row, header, lines, actor=caller.actor)
            except EditRefused as error:
                raise Problem(error.code, error.message) from error
            except Refused as refused:
                raise Problem(refused.code, refused.detail, fix=refused.fix) from refused
            reminders = await _remind(session, caller, row, edited.accounts)
            return await whole_of(session, row, caller), reminders, edited.messages

    bill, reminders, messages = await rerun_if_crossed(decide)
    services.outbox.deliver_behind_answer(*messages)
    tag(response, bill.version)
    return EditedBill(bill=bill, notices=reminders)


async def _check_lines(session: AsyncSession, row: BillRow, change: BillEdit, lines: LineChanges) -> None:
    """Check accounts and dimensions of the lines to change.

    Raises:
        Problem: One is unknown, inactive or another entity's, or the ERP's one line would have two values.
    """
    stored = await bill_reads.lines(session, BillId(row.id))
    order = None
    if row.purchase_order_id is not None:
        order = await purchase_orders.get(session, PurchaseOrderId(row.purchase_order_id))
    entity = row.entity if order is None else order.entity
    connection = await connections.get(session, ConnectionId(row.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    await check_dimensions(session, connection, change.lines, entity=entity, known=stored, accounts=not row.direct)
    await check_own_fields(session, connection, change.lines, known=stored)
    if connection.capabilities.get("one_line_per_order_line"):
        check_one_line_each(edited_lines(stored, lines))


async def _remind(session: AsyncSession, caller: Caller, row: BillRow, accounts: list[int]) -> list[Reminder]:
    """Return what a person should know of the edit, and leave it as notices of the bill. `accounts`: the lines whose GL
    account changed."""
    off_order = {line.line_no for line in await bill_reads.lines(session, BillId(row.id)) if line.off_order}
    kept_here = [line_no for line_no in accounts if line_no not in off_order]
    reminders: list[Reminder] = []
    if kept_here and row.purchase_order_id is not None:
        reminders.append(Reminder(code=GL_ACCOUNT_NOT_SYNCED, message=gl_account_reminder(kept_here)))
    if row.manual_both_sides:
        message = "This bill was linked by hand to an order with receipts: make the same edit in the ERP."  # S1-22
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
    return reminders
