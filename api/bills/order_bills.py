"""Bill a purchase order: draft a bill from it, match a bill without saving, and create a bill."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.bill_charges import check_charges
from api.bills.bill_draft import BillDraft, draft_header, draft_lines
from api.bills.bill_entry import as_problem, blocked, check_mode, check_part
from api.bills.line_dimensions import (
    KINDS,
    ONE_EACH,
    PlacedLine,
    check_dimensions,
    check_one_line_each,
    check_own_fields,
)
from api.bills.new_bill import NewBill, requested
from api.bills.schemas import BillSummary, OpenNeeds, Reminder, summary
from api.http.auth import Caller, Clerk, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, refusal
from api.http.output import Output
from api.http.problems import Problem, StoredMatch, answers
from api.http.schemas import (
    Cursor,
    Id,
    Limit,
    Money,
    Page,
    page_of,
)
from api.http.services import Services
from api.http.stored_amounts import with_decimals
from api.orders.routes import load
from models.domain.bills import BillStatus, ChargeKind
from models.domain.ids import PurchaseOrderId
from models.domain.orders import LineBasis
from models.domain.units import unit_key
from models.store.audit.outbox import OutboxMessage
from models.store.base.crossing import rerun_if_crossed
from models.store.orders import ledger
from models.store.orders.ledger import LedgerLine
from models.store.payables import bill_listing
from models.store.payables.bill_listing import BillsWanted
from models.tables import ConnectionRow, PurchaseOrderRow
from services.accounting_settings import as_carried
from services.bills.acceptance import accept_bill
from services.bills.gl_accounts import GL_ACCOUNT_NOT_SYNCED, gl_account_reminder
from services.bills.intake import RequestedBill, match_requested, to_stored_json
from services.bills.review import needed

router = APIRouter(prefix="/v1/purchase-orders/{purchase_order_id}", tags=["bills"], route_class=ExactRoute)


class AcceptedBill(Output):
    """The bill as it was saved; `GET /v1/bills/{id}` shows its present state. A bill with warnings or holds is saved
    and reserves its quantity, but it is not sent to the ERP before a person has acknowledged or released it."""

    id: str
    purchase_order_id: str
    number: str
    total: Money
    currency: str
    status: BillStatus
    match_outcome: str


class BillCreated(Output):
    bill: AcceptedBill
    needs: OpenNeeds
    """What the bill still needs from a person, by kind; all empty: it is on its way to the ERP."""
    match: StoredMatch
    """The match result with its explanation: outcome, findings, policy, inputs."""
    notices: list[Reminder]
    """Reminders of what is kept here and not sent to the ERP, such as a GL account."""


class DryRun(Output):
    """What `POST .../bills` would answer right now. Nothing is saved, reserved or locked."""

    outcome: str
    status: BillStatus | None
    """The status the bill would get; null: the bill would be refused."""
    needs: OpenNeeds
    match: StoredMatch


@router.get(
    "/bills",
    operation_id="listBillsOfPurchaseOrder",  # S1-23
    summary="List the bills against an order",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_bills(
    purchase_order_id: Id, caller: Viewer, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> Page[BillSummary]:
    """Return the bills against this order: those created here and those made in the ERP. An order may have several
    bills."""
    async with services.database.transaction() as session:
        row, _ = await load(session, caller, purchase_order_id)
        wanted = BillsWanted(organization_id=caller.organization_id, purchase_order_id=PurchaseOrderId(row.id))
        listing = await bill_listing.page(session, wanted, limit=limit, cursor=cursor)
    return page_of(listing, summary)


@router.get(
    "/bill-draft",
    operation_id="draftBill",  # S1-03
    summary="Draft a bill for what is left of an order",
    responses=answers("NOT_FOUND"),
)
async def draft(purchase_order_id: Id, caller: Viewer, services: Services) -> BillDraft:
    """Draft a bill for what can still be billed: in 3-way mode what was received and not billed, else what remains of
    the order. The mode is that of the order's vendor or connection.

    Nothing is saved or reserved. Add the supplier's invoice number and send the draft to `POST .../bills`.
    """
    async with services.database.transaction() as session:
        order, connection = await load(session, caller, purchase_order_id)
        stored = await ledger.lines(session, PurchaseOrderId(order.id))
        header = await draft_header(session, order, connection)
    lines, left_out = draft_lines(header.match_mode, [as_carried(connection, line) for line in stored])
    return BillDraft(
        **header.model_dump(),
        total=sum((line.amount for line in lines), Decimal(0)),
        lines=lines,
        left_out=left_out,
    )


@router.post(
    "/bills",
    status_code=201,
    operation_id="createBill",  # S4-22..24, S4-28
    summary="Create a bill against an order",
    response_model=BillCreated,
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "PO_FEATURE_OFF",
        "ORDERS_OF_TWO_CONNECTIONS",
        "NO_PART_OF_THAT_INVOICE",
        "ORDER_LINE_GONE",
        "ORDER_LINE_CHANGED",
        "ACCOUNT_MISSING",
        "ACCOUNT_UNKNOWN",
        "ACCOUNT_ITEM_MISSING",
        "ACCOUNT_LINES_NOT_TAKEN",
        "CHARGES_NOT_TAKEN",
        "MATCH_BLOCKED",
        "SETUP_CHECK_FAILED",
        "ORDER_QUEUE_FULL",
        "ORDER_BUSY",
    ),
)
async def create(
    purchase_order_id: Id, new: NewBill, key: IdempotencyKey, caller: Clerk, services: Services
) -> JSONResponse:
    """Create a bill: match it against the order, reserve its quantities and save it in one transaction. It is then sent
    to the ERP.

    The answer comes as soon as the bill is saved, even while Temporal is down. The bill reaches the ERP exactly once,
    whatever fails on the way; `GET /v1/bills/{id}` shows how far it is. A bill with warnings or holds waits until a
    person acknowledges or releases it. A blocked bill is not saved: the answer is 422 with the findings.
    """
    route = f"POST /v1/purchase-orders/{purchase_order_id}/bills"
    idempotent = IdempotentRequest(services, caller, key, route)
    body = requested(purchase_order_id, new)
    asked = RequestedBill.model_validate(body)

    async def decide() -> tuple[Answer, PurchaseOrderRow, OutboxMessage | None]:
        """Claim the key, match the bill, and store the answer and the message to the order's workflow, all in one
        transaction."""
        async with services.database.transaction() as session:
            order, connection = await load(session, caller, purchase_order_id, to_write=True)
            await check_bill(session, caller, order, connection, new)
            known = await idempotent.claim(session, body)
            if known is not None:
                return known, order, None
            await check_bill_dimensions(session, order, connection, new)
            with as_problem():
                accepted = await accept_bill(
                    session, asked, organization_id=caller.organization_id, request_key=key, actor=caller.actor
                )
            check_mode(caller, accepted.answer)
            status = 422 if accepted.bill_id is None else 201
            return await idempotent.store(session, Answer(status, accepted.answer)), order, accepted.message

    async with services.order_gate.one_at_a_time(asked.orders):
        known, order, message = await rerun_if_crossed(decide)
    if message is not None:
        services.outbox.deliver_behind_answer(message)
    return rendered(known, order, route, reminders_of(body))


@router.post(
    "/match",
    operation_id="matchBill",
    summary="Match a bill without saving it",
    responses=answers(
        "NOT_FOUND",
        "PO_FEATURE_OFF",
        "ORDERS_OF_TWO_CONNECTIONS",
        "NO_PART_OF_THAT_INVOICE",
        "ORDER_LINE_GONE",
        "ORDER_LINE_CHANGED",
        "ACCOUNT_MISSING",
        "ACCOUNT_UNKNOWN",
        "ACCOUNT_ITEM_MISSING",
        "ACCOUNT_LINES_NOT_TAKEN",
        "CHARGES_NOT_TAKEN",
    ),
)
async def match(purchase_order_id: Id, new: NewBill, caller: Viewer, services: Services) -> DryRun:
    """Match a bill as `POST .../bills` does, with the same body, but save nothing. A blocked bill is answered with 200
    too.

    Another bill may be saved between this answer and your `POST .../bills`, and change its result.
    """
    asked = RequestedBill.model_validate(requested(purchase_order_id, new))
    async with services.database.transaction() as session:
        order, connection = await load(session, caller, purchase_order_id, to_write=True)
        await check_bill(session, caller, order, connection, new)
        await check_bill_dimensions(session, order, connection, new)
        with as_problem():
            matched = await match_requested(session, connection, order, asked, bill_id=None)
    return DryRun(
        outcome=matched.result.outcome,
        status=None if matched.refused else matched.status,
        needs=OpenNeeds.model_validate(needed(matched.needs)),
        match=dict(to_stored_json(matched.result)),
    )


async def check_bill(
    session: AsyncSession, caller: Caller, home: PurchaseOrderRow, connection: ConnectionRow, new: NewBill
) -> None:
    """Check that the ERP has a place for the bill's charges, and that the other orders it names are the caller's and of
    the same connection.

    Raises:
        Problem: CHARGES_NOT_TAKEN, NOT_FOUND, PO_FEATURE_OFF, ORDERS_OF_TWO_CONNECTIONS or
            VALIDATION_FAILED.
    """
    if new.purchase_order_id not in (None, home.id):
        what = f"The draft is of order {new.purchase_order_id}, the path names {home.id}."
        error = {"where": "body.purchase_order_id", "message": what, "rule": "other_order"}
        raise Problem("VALIDATION_FAILED", f"body.purchase_order_id: {what}", extra={"errors": [error]})
    kinds = [ChargeKind(charge.charge_class) for charge in new.charges]
    kinds += [kind for kind, amount in ((ChargeKind.TAX, new.tax), (ChargeKind.DISCOUNT, new.discount)) if amount]
    check_charges(connection, kinds)
    for order_id in {line.purchase_order_id for line in new.lines} - {None, home.id}:
        other, _ = await load(session, caller, str(order_id), to_write=True)
        if other.connection_id != home.connection_id:
            raise Problem("ORDERS_OF_TWO_CONNECTIONS", f"{other.number} and {home.number} are of two connections.")
    if any(line.off_order for line in new.lines) and not connection.capabilities.get("account_lines"):
        raise Problem("ACCOUNT_LINES_NOT_TAKEN", f"Every line of a bill of {connection.name} is on an order.")
    _check_decimals(connection, new)
    await check_part(
        session,
        caller,
        home.connection_id,
        new.part_of,
        vendor_id=new.vendor_id or home.vendor_id,
        number=new.number,
    )
    await _check_prices(session, home, new)


def _check_decimals(connection: ConnectionRow, new: NewBill) -> None:
    """Check that the ERP keeps all decimals of what was written: it would stand there otherwise."""
    most = connection.capabilities.get("decimals", 10)
    for position, line in enumerate(new.lines):
        for name, value in (("quantity", line.quantity), ("price", line.price)):
            if value is not None and value != round(value, most):
                what = f"{value} has more than the {most} decimals that the ERP keeps."
                error = {"where": f"body.lines.{position}.{name}", "message": what, "rule": "decimal_max_places"}
                raise Problem("VALIDATION_FAILED", f"body.lines.{position}.{name}: {what}", extra={"errors": [error]})


async def check_bill_dimensions(
    session: AsyncSession, home: PurchaseOrderRow, connection: ConnectionRow, new: NewBill
) -> None:
    """Check the accounts and dimensions of the bill's lines.

    Raises:
        Problem: VALIDATION_FAILED, by line.
    """
    if not any(getattr(line, field, None) for line in new.lines for field in (*KINDS, "warehouse", "custom")):
        return
    orders = {PurchaseOrderId(line.purchase_order_id or home.id) for line in new.lines}
    stored = await ledger.lines_of(session, sorted(orders))
    if connection.capabilities.get("one_line_per_order_line"):
        check_one_line_each(list(_placed(home, new, stored)))
    known = [line for lines in stored.values() for line in lines]
    await check_dimensions(session, connection, new.lines, entity=home.entity, known=known, accounts=True)
    await check_own_fields(session, connection, new.lines, known=known)


def _placed(
    home: PurchaseOrderRow, new: NewBill, stored: Mapping[PurchaseOrderId, Sequence[LedgerLine]]
) -> Iterator[PlacedLine]:
    """Yield the bill's lines on orders with what they will have of the order line, where they do not say."""
    for position, line in enumerate(new.lines):
        order_id = PurchaseOrderId(line.purchase_order_id or home.id)
        for ordered in () if line.off_order else stored.get(order_id, ()):
            named = line.order_line_id or line.order_line_no
            if named in (ordered.erp_id, ordered.line_no):
                values = {field: getattr(line, field) or getattr(ordered, field) for field in ONE_EACH}
                yield PlacedLine(position, (order_id, ordered.line_no), values)


async def _check_prices(session: AsyncSession, home: PurchaseOrderRow, new: NewBill) -> None:
    """Check that every line in another unit than its order line has a price or an amount: the order's price is per the
    order line's unit.

    Raises:
        Problem: VALIDATION_FAILED, naming the first line that lacks both.
    """
    unpriced = [
        (position, line)
        for position, line in enumerate(new.lines)
        if line.unit and line.price is None and line.amount is None
    ]
    orders = {line.purchase_order_id or home.id for _, line in unpriced}
    stored = await ledger.lines_of(session, [PurchaseOrderId(order) for order in orders]) if orders else {}
    units = {
        (order, name): line.unit
        for order, lines in stored.items()
        for line in lines
        for name in (line.line_no, line.erp_id)
        if line.basis != LineBasis.AMOUNT
    }
    for position, line in unpriced:
        ours = units.get(
            (PurchaseOrderId(line.purchase_order_id or home.id), line.order_line_id or line.order_line_no or 0)
        )
        if ours is not None and unit_key(ours) != unit_key(line.unit or ""):
            what = f"The line is in {line.unit}, the order's in {ours or 'no unit'}: give its price or its amount."
            error = {"where": f"body.lines.{position}.price", "message": what, "rule": "missing"}
            raise Problem("VALIDATION_FAILED", f"body.lines.{position}.price: {what}", extra={"errors": [error]})


def reminders_of(body: Mapping[str, Any]) -> list[dict[str, str]]:
    lines = RequestedBill.model_validate(body).lines_with_account
    return [{"code": GL_ACCOUNT_NOT_SYNCED, "message": gl_account_reminder(lines)}] if lines else []


def rendered(
    known: Answer, order: PurchaseOrderRow, route: str, reminders: Sequence[Mapping[str, str]]
) -> JSONResponse:
    """Render the stored decision as the answer. It uses nothing else, so a repeated request gets the same answer."""
    match: dict[str, Any] = with_decimals(known.body.get("match", {}))
    if known.status in (200, 201):
        bill = {
            "id": known.body["bill_id"],
            "purchase_order_id": order.id,
            "number": known.body["number"],
            "total": known.body["total"],
            "currency": order.currency,
            "status": known.body.get("status", BillStatus.PENDING_PUSH),
            "match_outcome": match["outcome"],
        }
        needs = known.body["needs"]
        notices = [*reminders, *known.body.get("notices", ())]
        body = {"bill": bill, "needs": needs, "match": match, "notices": notices}
        location = f"/v1/bills/{bill['id']}" if known.status == 201 else None
        return Answer(known.status, body).response(location=location)
    return refusal(blocked(known), route).response()
