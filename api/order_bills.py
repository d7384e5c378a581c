"""Bills against a purchase order: the pre-filled draft and the write that saves, reserves and pushes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.client import WorkflowUpdateFailedError

from activities.billing import RequestedBill, as_kept, bill_to_match, order_rows, standing
from activities.judging import judge, read_orders
from activities.waiting_bills import needed
from api import durable
from api.auth import Caller, Clerk, Viewer
from api.bill_charges import NewCharge, check_charges
from api.bill_draft import BillDraft, draft_lines
from api.bill_shapes import FindingId, OpenNeeds
from api.exact import ExactRoute
from api.idempotency import Answer, IdempotencyKey, Once, refusal
from api.problems import Problem, answers
from api.purchase_orders import load
from api.services import Services
from api.shapes import WRITTEN, Amount, Code, Day, Exact, Id, Input, Name, Price, Quantity, Text, UnsignedAmount
from matching.result import Outcome
from matching.units import unit_key
from models.domain import BillStatus, ChargeKind, ConnectionId, Erp, ErpId, LineBasis, MatchMode, PurchaseOrderId
from models.messages import PurchaseOrderState, RequestRef
from models.store import ledger, payment_terms, purchase_orders
from models.tables import ConnectionRow, PurchaseOrderRow

router = APIRouter(prefix="/v1/purchase-orders/{purchase_order_id}", tags=["bills"], route_class=ExactRoute)


class NewBillLine(Input):
    """One line against one line of an order. Price and amount default to the order's price (S1-03)."""

    purchase_order_id: Name | None = Field(
        default=None, description="Another order of the same connection; null: the order of the path."
    )
    order_line_no: int = Field(ge=1, le=100_000, examples=[1])
    quantity: Quantity | None = Field(
        default=None, description="Needed, except against a line whose basis is its amount.", examples=["4"]
    )
    unit: Code | None = Field(
        default=None,
        description="The supplier's unit, for quantity and price; null: the order line's.",
        examples=["Each"],
    )
    price: Price | None = Field(default=None, description="Per `unit`; needed, or `amount`, with another unit.")
    amount: Amount | None = None
    description: Text | None = None
    account: Code | None = None
    department: Code | None = None
    location: Code | None = None
    class_id: Code | None = None
    project: Code | None = None


class NewBill(Input):
    number: Annotated[
        str, Field(min_length=1, max_length=45, pattern=WRITTEN, description="The supplier's invoice number.")
    ] = Field(examples=["INV-2041"])
    bill_date: Day = Field(examples=["2026-11-20"])
    posting_date: Day | None = Field(default=None, description="Decides the period (S2-48); null: the bill date.")
    due_date: Day | None = None
    memo: Text = ""
    vendor_id: Code | None = Field(default=None, description="Who sent the bill; null: the order's vendor.")
    currency: Code | None = Field(default=None, description="null: the order's.", examples=["USD"])
    entity: Code | None = Field(default=None, description="null: the connection's own.")
    total: Amount | None = Field(
        default=None, description="What the supplier wrote as the total; compared with what the bill adds up to."
    )
    tax: UnsignedAmount | None = None
    expected_tax: UnsignedAmount | None = Field(
        default=None, description="What a tax engine says; compared with `tax` where a tolerance policy asks for it."
    )
    discount: UnsignedAmount = Field(default=Decimal(0), description="Taken off the total.")
    charges: Annotated[list[NewCharge], Field(max_length=50)] = Field(
        default=[], description="What is on no line of an order: freight, surcharges."
    )
    acknowledge: Annotated[list[FindingId], Field(max_length=500)] = Field(
        default=[],
        description="Warnings known beforehand, by finding id (from `.../match`): the bill goes on in spite of them.",
        examples=[["BILLED_BEYOND_RECEIVED:line-1"]],
    )
    lines: Annotated[list[NewBillLine], Field(min_length=1, max_length=500)]


class AcceptedBill(BaseModel):
    """The bill as it was saved; `GET /v1/bills/{id}` shows where it stands now. One that warns or holds is saved and
    reserves its quantity, but is not sent before a person acknowledged or released it."""

    id: str
    purchase_order_id: str
    number: str
    total: Exact
    currency: str
    status: BillStatus
    match_outcome: str


class BillCreated(BaseModel):
    bill: AcceptedBill
    needs: list[str]
    """Codes of the findings that keep the bill back; none: it is on its way."""
    match: dict[str, Any]
    """The explainable match result: outcome, findings, policy, inputs."""


class DryRun(BaseModel):
    """What `POST .../bills` would answer right now. Nothing is saved, reserved or locked."""

    outcome: str
    status: BillStatus | None
    """Where the bill would stand; null: it would be refused."""
    needs: OpenNeeds
    match: dict[str, Any]


@router.get(
    "/bill-draft",
    operation_id="draftBill",
    summary="A bill for what is left of an order",
    responses=answers("NOT_FOUND"),
)
async def draft(purchase_order_id: Id, caller: Viewer, services: Services) -> BillDraft:
    """Pre-filled from the order (S1-03): in 2-way mode what remains of it, in 3-way what was received and not billed.

    Nothing is saved or reserved. Give it a number and send it to `POST .../bills`.
    """
    async with services.database.transaction() as session:
        order, connection = await load(session, caller, purchase_order_id)
        held = await ledger.lines(session, PurchaseOrderId(order.id))
        today = datetime.now(UTC).date()
        due_date = await payment_terms.due_on(
            session,
            ConnectionId(order.connection_id),
            term=order.term,
            vendor_id=order.vendor_id,
            bill_date=today,
        )
    lines, left_out = draft_lines(MatchMode(connection.match_mode), held)
    return BillDraft(
        purchase_order_id=order.id,
        purchase_order_number=order.number,
        vendor_id=order.vendor_id,
        vendor_name=order.vendor_name,
        currency=order.currency,
        match_mode=MatchMode(connection.match_mode),
        number="",
        bill_date=today,
        due_date=due_date,
        memo=order.memo,
        total=sum((line.amount for line in lines), Decimal(0)),
        lines=lines,
        left_out=left_out,
    )


@router.post(
    "/bills",
    status_code=201,
    operation_id="createBill",
    summary="Create a bill against an order",
    response_model=BillCreated,
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "PO_FEATURE_OFF",
        "ORDERS_OF_TWO_CONNECTIONS",
        "CHARGES_NOT_TAKEN",
        "MATCH_BLOCKED",
        "WORKER_UNAVAILABLE",
        "TEMPORAL_UNAVAILABLE",
    ),
)
async def create(
    purchase_order_id: Id, new: NewBill, key: IdempotencyKey, caller: Clerk, services: Services
) -> JSONResponse:
    """Match the bill against the order, reserve its quantities and save it in one transaction, then push (S4-22..24).

    The answer comes once the bill is saved. It reaches the ERP exactly once, whatever fails; `GET /v1/bills/{id}` shows
    how far it is. A bill that warns or holds waits until a person acknowledges or releases it. A blocked bill is not
    saved: 422 with the findings (S4-28).
    """
    route = f"POST /v1/purchase-orders/{purchase_order_id}/bills"
    once = Once(services, caller, key, route)
    body = {"purchase_order_id": purchase_order_id, **new.model_dump(mode="json")}
    refused: Problem | None = None
    async with services.database.statement() as session:  # a claimed key needs nothing else to be true with it
        order, connection = await load(session, caller, purchase_order_id, to_write=True)
        await _check(session, caller, order, connection, new)
        known = await once.claim(session, body)
        facts = None
        if known is None:
            facts = await purchase_orders.facts(session, PurchaseOrderId(order.id))
    if known is None:
        state = PurchaseOrderState(
            connection_id=ConnectionId(order.connection_id),
            erp=Erp(connection.erp),
            purchase_order_id=PurchaseOrderId(order.id),
            erp_id=ErpId(order.erp_id),
            facts=facts,
        )
        request = RequestRef(organization_id=caller.organization_id, key=key)
        try:
            await durable.create_bill(services.temporal, state, request)
        except WorkflowUpdateFailedError as error:
            refused = Problem("INTERNAL_ERROR", f"The order's workflow refused the request: {error.cause}")
        known = await once.stored()
        if known is None:
            raise refused or Problem("INTERNAL_ERROR", "The order's workflow answered, but stored no answer.")
    return _rendered(known, order, route)


@router.post(
    "/match",
    operation_id="matchBill",
    summary="What a bill would be answered, without saving it",
    responses=answers("NOT_FOUND", "PO_FEATURE_OFF", "ORDERS_OF_TWO_CONNECTIONS", "CHARGES_NOT_TAKEN"),
)
async def match(purchase_order_id: Id, new: NewBill, caller: Viewer, services: Services) -> DryRun:
    """The same body and the same judgement as `POST .../bills`; also a blocked bill is answered with 200. Another bill
    may be saved in between: only the save itself is sure."""
    asked = RequestedBill.model_validate({"purchase_order_id": purchase_order_id, **new.model_dump(mode="json")})
    async with services.database.transaction() as session:
        order, connection = await load(session, caller, purchase_order_id, to_write=True)
        await _check(session, caller, order, connection, new)
        orders = await read_orders(session, await order_rows(session, asked), without_bill=None)
        bill = bill_to_match(asked, orders, connection)
        result = await judge(session, connection, orders, bill, bill_id=None)
    status, open_needs = standing(result, asked.acknowledge)
    return DryRun(
        outcome=result.outcome,
        status=None if result.outcome is Outcome.BLOCK else status,
        needs=OpenNeeds.model_validate(needed(open_needs)),
        match=dict(as_kept(result)),
    )


async def _check(
    session: AsyncSession, caller: Caller, home: PurchaseOrderRow, connection: ConnectionRow, new: NewBill
) -> None:
    """The ERP has a place for the bill's charges; its other orders are the caller's and of the same connection."""
    kinds = [ChargeKind(charge.charge_class) for charge in new.charges]
    kinds += [kind for kind, amount in ((ChargeKind.TAX, new.tax), (ChargeKind.DISCOUNT, new.discount)) if amount]
    check_charges(connection, kinds)
    for order_id in {line.purchase_order_id for line in new.lines} - {None, home.id}:
        other, _ = await load(session, caller, str(order_id), to_write=True)
        if other.connection_id != home.connection_id:
            raise Problem("ORDERS_OF_TWO_CONNECTIONS", f"{other.number} and {home.number} are of two connections.")
    await _check_prices(session, home, new)


async def _check_prices(session: AsyncSession, home: PurchaseOrderRow, new: NewBill) -> None:
    """The order's price is per its own unit: it says nothing of a line that is in another one."""
    unpriced = [
        (position, line)
        for position, line in enumerate(new.lines)
        if line.unit and line.price is None and line.amount is None
    ]
    orders = {line.purchase_order_id or home.id for _, line in unpriced}
    held = await ledger.lines_of(session, [PurchaseOrderId(order) for order in orders]) if orders else {}
    units = {
        (order, line.line_no): line.unit
        for order, lines in held.items()
        for line in lines
        if line.basis != LineBasis.AMOUNT
    }
    for position, line in unpriced:
        ours = units.get((PurchaseOrderId(line.purchase_order_id or home.id), line.order_line_no))
        if ours is not None and unit_key(ours) != unit_key(line.unit or ""):
            what = f"The line is in {line.unit}, the order's in {ours or 'no unit'}: give its price or its amount."
            error = {"where": f"body.lines.{position}.price", "message": what, "rule": "missing"}
            raise Problem("VALIDATION_FAILED", f"body.lines.{position}.price: {what}", extra={"errors": [error]})


def _rendered(known: Answer, order: PurchaseOrderRow, route: str) -> JSONResponse:
    """The worker's stored decision as the caller sees it; made of nothing else, so that a repeat sees the same."""
    match: dict[str, Any] = known.body.get("match", {})
    if known.status == 201:
        bill = {
            "id": known.body["bill_id"],
            "purchase_order_id": order.id,
            "number": known.body["number"],
            "total": known.body["total"],
            "currency": order.currency,
            "status": known.body.get("status", BillStatus.PENDING_PUSH),
            "match_outcome": match["outcome"],
        }
        needs = known.body.get("needs", [])
        return Answer(201, {"bill": bill, "needs": needs, "match": match}).response(location=f"/v1/bills/{bill['id']}")
    blocks = [finding for finding in match.get("findings", []) if finding["severity"] == "BLOCK"]
    detail = " ".join(finding["message"] for finding in blocks)
    blocked = Problem(
        "MATCH_BLOCKED", detail, fix=_steps(match["inputs"]["orders"], blocks) or None, extra={"match": match}
    )
    return refusal(blocked, route).response()


def _steps(orders: Sequence[Mapping[str, Any]], blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """What helps, each step once; a step that is not for all says for which order line it is."""
    numbers = {order["id"]: f"{order['number']} " if len(orders) > 1 else "" for order in orders}
    asking: dict[str, list[Mapping[str, Any]]] = {}
    for finding in blocks:
        for step in finding["fix"]:
            asking.setdefault(step, []).append(finding)
    of_lines, of_all = [], []
    for step, findings in asking.items():
        lines = [
            f"{numbers.get(finding['purchase_order_id'], '')}line {finding['line']}"
            for finding in findings
            if finding["line"] is not None
        ]
        if len(findings) < len(blocks) and len(lines) == len(findings):
            of_lines.append(f"{', '.join(dict.fromkeys(lines))}: {step}")
        else:
            of_all.append(step)
    return of_lines + of_all
