"""Enter a credit of a vendor: against a bill, an order or neither."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.bill_entry import as_problem
from api.bills.direct_bills import known_entry
from api.bills.line_dimensions import check_dimensions
from api.connections.routes import load, must_be_let_in
from api.credits.schemas import CreditSummary, summary
from api.http.auth import Accountant, Caller, Clerk
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.problems import Problem, answers, not_found
from api.http.schemas import Code, Day, Id, Input, Name, Number, PositiveAmount, PositiveQuantity, Reason, Text
from api.http.services import Services, ServiceSet
from models.domain.bills import BillKind
from models.domain.ids import BillId, PurchaseOrderId
from models.domain.lists import ListKind
from models.domain.retractions import BillEvent
from models.store.audit.outbox import OutboxMessage
from models.store.orders import ledger
from models.store.orders.purchase_orders import order_and_connection
from models.store.payables import bill_edits, bill_reads
from models.tables import BillRow, ConnectionRow, PurchaseOrderRow
from services.accounting_settings import posting_date
from services.bills.retraction import take_event
from services.credits.entry import RequestedCredit, RequestedCreditLine, enter_credit, order_of_bill

router = APIRouter(prefix="/v1/credits", tags=["credits"], route_class=ExactRoute)

REFUSALS = (
    "NOT_FOUND",
    "CONNECTION_PENDING",
    "CREDITS_NOT_TAKEN",
    "CREDIT_DATE_UNLIKELY",
    "CREDIT_EXCEEDS_BILLED",
    "CREDIT_NUMBER_TAKEN",
    "CREDIT_NEEDS_BILL",
    "BILL_NOT_CREDITABLE",
    "ORDER_LINE_GONE",
    "ACCOUNT_MISSING",
    "ACCOUNT_UNKNOWN",
)


class NewCreditLine(Input):
    """One line: an amount, and what it gives back of an order's line."""

    amount: PositiveAmount = Field(description="Above zero.")
    order_line_no: Annotated[int, Field(strict=True, ge=0)] | None = Field(
        default=None,
        description="The line of the order that it gives something back of, by its number as it is now; not needed "
        "beside `order_line_id`, which counts.",
    )
    order_line_id: Name | None = Field(
        default=None, description="The line by the id that orders and bills name: the same line, wherever it moves."
    )
    quantity: PositiveQuantity | None = Field(
        default=None, description="What may be billed again of that line, in its unit; null: money only."
    )
    account: Code | None = Field(
        default=None,
        description="The GL account, by its id, number or name; null: the connection's `expense_account`.",
        examples=["6600"],
    )
    description: Text = ""
    department: Code | None = None
    location: Code | None = None
    class_id: Code | None = None
    project: Code | None = None


class NewCredit(Input):
    """Name a bill, or an order, or a connection and a vendor."""

    bill_id: Name | None = Field(default=None, description="The bill that it is against.")
    purchase_order_id: Name | None = Field(default=None, description="The order that it is against, where no bill is.")
    connection_id: Name | None = None
    vendor_id: Code | None = Field(default=None, description="By the ERP's id, number or name.", examples=["V-150"])
    number: Number = Field(description="The vendor's number of the credit.", examples=["CM-77"])
    credit_date: Day
    posting_date: Day | None = Field(
        default=None, description="Decides the accounting period; null: as the connection's bills."
    )
    memo: Text = ""
    lines: Annotated[list[NewCreditLine], Field(min_length=1, max_length=500)]


@router.post(
    "",
    status_code=201,
    operation_id="createCredit",
    summary="Enter a credit",
    response_model=CreditSummary,
    responses=answers(*REFUSALS, "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED"),
)
async def create(new: NewCredit, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Enter a credit that a vendor gave: against a bill, an order or neither.

    It is refused beyond what was billed and not credited yet, and goes to the ERP exactly once, after its approval
    where approvals are on. A line with a quantity of an order's line lets so much be billed again; one without is
    money only.
    """
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        asked = await _asked(session, services, caller, new)
        with as_problem():
            entered = await enter_credit(
                session, asked, organization_id=caller.organization_id, request_key=key, actor=caller.actor
            )
        messages[:] = [entered.message]
        row = await bill_reads.get(session, entered.id)
        assert row is not None, "it was just saved"
        return answer(201, summary(row))

    idempotent = IdempotentRequest(services, caller, key, "POST /v1/credits")
    done = await idempotent.run(new.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    location = f"/v1/credits/{done.body['id']}" if done.status == 201 else None
    return done.response(location=location)


class Deletion(Input):
    reason: Reason = Field(examples=["The vendor withdrew it."])


@router.post(
    "/{credit_id}/delete",
    operation_id="deleteCredit",
    summary="Delete a credit",
    response_model=CreditSummary,
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "CREDIT_IS_APPLIED",
        "BILL_MADE_IN_ERP",
        "BILL_ON_ITS_WAY",
        "BILL_IS_CLOSED",
        "BILL_PERIOD_CLOSED",
        "RETRACTION_UNDER_WAY",
    ),
)
async def delete(
    credit_id: Id, asked: Deletion, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Delete a credit that was entered here. One that the ERP holds is deleted there first; one that was not sent is
    abandoned. A credit that is applied is not deleted: the refusal names the payment to void."""
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await bill_edits.lock(session, BillId(credit_id), caller.organization_id, kind=BillKind.CREDIT)
        if row is None or row.kind != BillKind.CREDIT:
            raise not_found("credit", credit_id)
        messages[:] = await take_event(
            session, row, BillEvent.DELETE, actor=caller.actor, why=asked.reason, request_key=key
        )
        await session.flush()
        await session.refresh(row)
        return answer(200, summary(row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/credits/{credit_id}/delete")
    done = await idempotent.run(asked.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()


async def _asked(session: AsyncSession, services: ServiceSet, caller: Caller, new: NewCredit) -> RequestedCredit:
    """Return the request with what it is against, as it is stored.

    Raises:
        Problem: NOT_FOUND, CONNECTION_PENDING, CREDITS_NOT_TAKEN, or VALIDATION_FAILED with the field.
    """
    bill: BillRow | None = None
    order: PurchaseOrderRow | None = None
    if new.bill_id is not None:
        bill = await bill_reads.get(session, BillId(new.bill_id), caller.organization_id)
        if bill is None:
            raise not_found("bill", new.bill_id)
        order = await order_of_bill(session, bill)
        connection = await load(session, services, caller, bill.connection_id)
        entity = bill.entity or (order.owner_entity if order is not None else None) or connection.entity
        vendor_id = bill.vendor_id
    elif new.purchase_order_id is not None:
        known = await order_and_connection(session, PurchaseOrderId(new.purchase_order_id), caller.organization_id)
        if known is None:
            raise not_found("purchase order", new.purchase_order_id)
        order, connection = known
        entity, vendor_id = order.owner_entity or connection.entity, order.vendor_id
    else:
        connection, vendor_id = await _of_vendor(session, services, caller, new)
        entity = connection.entity
    must_be_let_in(connection)
    if not connection.capabilities.get("credits"):
        raise Problem("CREDITS_NOT_TAKEN", f"{connection.name} takes no credits from here.")
    _check_lines(new, order)
    on_order = [] if order is None else await ledger.lines(session, PurchaseOrderId(order.id))
    await check_dimensions(session, connection, new.lines, entity=entity, known=on_order)
    lines = [RequestedCreditLine(**line.model_dump()) for line in new.lines]
    return RequestedCredit(
        connection=connection,
        bill=bill,
        order=order,
        vendor_id=vendor_id,
        number=new.number,
        credit_date=new.credit_date,
        posting_date=new.posting_date or await posting_date(session, connection, new.credit_date, entity=entity),
        memo=new.memo,
        entity=entity,
        lines=lines,
    )


async def _of_vendor(
    session: AsyncSession, services: ServiceSet, caller: Caller, new: NewCredit
) -> tuple[ConnectionRow, str]:
    if new.connection_id is None or new.vendor_id is None:
        _refuse("", "Name a bill, or an order, or a connection and a vendor.")
    assert new.connection_id is not None, "it was just checked"
    assert new.vendor_id is not None, "it was just checked"
    connection = await load(session, services, caller, new.connection_id)
    return connection, await known_entry(session, connection, ListKind.VENDOR, "vendor_id", new.vendor_id)


def _check_lines(new: NewCredit, order: PurchaseOrderRow | None) -> None:
    for position, line in enumerate(new.lines):
        named = [name for name in ("order_line_id", "order_line_no") if getattr(line, name) is not None]
        if line.quantity is not None and not named:
            _refuse(f"lines.{position}.quantity", "A quantity is of an order's line: name it.")
        if named and order is None:
            _refuse(f"lines.{position}.{named[0]}", "The credit is against no order.")


def _refuse(field: str, what: str) -> None:
    where = f"body.{field}" if field else "body"
    error: dict[str, Any] = {"where": where, "message": what, "rule": "refused"}
    raise Problem("VALIDATION_FAILED", f"{where}: {what}", extra={"errors": [error]})
