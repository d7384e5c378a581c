"""From a requested bill to what is matched and what is saved: the caller's figures, completed from the orders."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.judging import Order
from matching.decision import Needs, needs
from matching.exact import Exact, line_amount, rounded
from matching.inputs import BillLineToMatch, BillToMatch, ChargeToMatch, OrderLineToMatch
from matching.lines import in_order_unit
from matching.result import Finding, MatchResult
from matching.sources import choose_sources
from matching.supplier_number import number_key
from matching.totals import bill_total
from models.domain import BillId, BillStatus, ChargeKind, ConnectionId, LineBasis, PurchaseOrderId
from models.messages import RequestRef
from models.store import bills, purchase_orders
from models.store.bills import NewBillLine, NewCharge
from models.store.requests import Request
from models.tables import ConnectionRow, PurchaseOrderRow

ZERO = Decimal(0)

MESSAGES, MESSAGE_LENGTH = 5, 300
"""How many findings an operator reads in a workflow, and how much of each."""

PLACES = 20
"""Digits kept of a quantity whose decimals do not end, beside the exact fraction."""


class RequestedLine(BaseModel):
    """One line of a bill as the caller asked for it; what is absent comes from the order's line (S1-03)."""

    model_config = ConfigDict(extra="ignore")

    purchase_order_id: PurchaseOrderId | None = None
    order_line_no: int
    quantity: Decimal | None = None
    unit: str | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    description: str | None = None
    account: str | None = None
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None


class RequestedCharge(BaseModel):
    """Money that is on no line of an order; `charge_class` is `class` in the API."""

    model_config = ConfigDict(extra="ignore")

    charge_class: str
    amount: Decimal
    description: str = ""


class RequestedBill(BaseModel):
    """The stored body of a `POST /v1/purchase-orders/{id}/bills`."""

    model_config = ConfigDict(extra="ignore")

    purchase_order_id: PurchaseOrderId
    number: str
    bill_date: date
    posting_date: date | None = None
    due_date: date | None = None
    memo: str = ""
    vendor_id: str | None = None
    currency: str | None = None
    entity: str | None = None
    total: Decimal | None = None
    tax: Decimal | None = None
    expected_tax: Decimal | None = None
    discount: Decimal = ZERO
    charges: list[RequestedCharge] = []
    acknowledge: list[str] = []
    lines: list[RequestedLine]

    @property
    def orders(self) -> tuple[PurchaseOrderId, ...]:
        """The orders it bills, its home order first."""
        others = (line.purchase_order_id for line in self.lines if line.purchase_order_id is not None)
        return tuple(dict.fromkeys((self.purchase_order_id, *others)))


async def order_rows(session: AsyncSession, asked: RequestedBill) -> list[PurchaseOrderRow]:
    """The mirror's rows of the orders a bill is asked for, its home order first."""
    rows = []
    for order_id in asked.orders:
        row = await purchase_orders.get(session, order_id)
        assert row is not None, "the route checked that the orders exist"
        rows.append(row)
    return rows


def bill_to_match(asked: RequestedBill, orders: Sequence[Order], connection: ConnectionRow) -> BillToMatch:
    """The bill as it will be judged: the caller's figures; where there are none, the order's."""
    home = orders[0].row
    held = {(order.id, no): line for order in orders for no, line in order.held.items()}
    lines = []
    for position, line in enumerate(asked.lines, start=1):
        order_id = line.purchase_order_id or asked.purchase_order_id
        order_line = held.get((order_id, line.order_line_no))
        quantity = line.quantity
        if quantity is None:  # an amount-only line has none; of any other line nothing is billed, and it is told so
            quantity = Decimal(1) if order_line and order_line.basis == LineBasis.AMOUNT else ZERO
        price = line.price
        amount = line.amount
        if price is None and amount is not None and quantity:
            price = amount / quantity
        if price is None:
            price = order_line.price if order_line else ZERO
        if amount is None:
            amount = line_amount(quantity, price)
        lines.append(
            BillLineToMatch(
                line_no=position,
                purchase_order_id=order_id,
                order_line_no=line.order_line_no,
                quantity=quantity,
                price=price,
                amount=amount,
                unit=line.unit or "",
            )
        )
    return BillToMatch(
        connection_id=ConnectionId(connection.id),
        vendor_id=asked.vendor_id or home.vendor_id,
        number=asked.number,
        currency=asked.currency or home.currency,
        entity=asked.entity or connection.entity or home.entity,
        lines=tuple(lines),
        bill_date=asked.bill_date,
        posting_date=asked.posting_date or asked.bill_date,
        total=asked.total,
        tax=asked.tax,
        expected_tax=asked.expected_tax,
        discount=asked.discount,
        charges=tuple(ChargeToMatch(charge_class=one.charge_class, amount=one.amount) for one in asked.charges),
    )


def standing(
    result: MatchResult, acknowledged: Collection[str] = (), released: Collection[str] = ()
) -> tuple[BillStatus, Needs]:
    """Where a saved bill stands by its match and what people said of it: on its way, or waiting for whom."""
    open_needs = needs(result, acknowledged, released)
    if open_needs.release or open_needs.fix:
        return BillStatus.ON_HOLD, open_needs
    if open_needs.acknowledge:
        return BillStatus.AWAITING_ACKNOWLEDGEMENT, open_needs
    return BillStatus.PENDING_PUSH, open_needs


def codes(open_needs: Needs) -> list[str]:
    """The findings that keep a bill back, worst first, each code once."""
    return list(dict.fromkeys(finding.code for finding in _open_findings(open_needs)))


def because(open_needs: Needs) -> list[str]:
    """The same findings in words, cut to what a workflow may carry: the whole of them is in the match result."""
    return [finding.message[:MESSAGE_LENGTH] for finding in _open_findings(open_needs)[:MESSAGES]]


def _open_findings(open_needs: Needs) -> Sequence[Finding]:
    return (*open_needs.fix, *open_needs.release, *open_needs.acknowledge)


def order_lines(result: MatchResult) -> dict[tuple[PurchaseOrderId, int], OrderLineToMatch]:
    """The order lines a match looked at."""
    return {(order.id, line.line_no): line for order in result.inputs.orders for line in order.lines}


def reserved(order_line: OrderLineToMatch, line: BillLineToMatch) -> tuple[Decimal, str | None]:
    """What a bill line takes of its order line: the quantity in the order's unit, and the fraction where that is
    rounded. Nothing is known of a unit nobody told us of, so nothing is taken (the bill is on hold)."""
    quantity = line.quantity if order_line.basis == "amount" else in_order_unit(order_line, line)
    if quantity is None:
        return ZERO, None
    return number(quantity)


def number(quantity: Exact) -> tuple[Decimal, str | None]:
    """A quantity as a column holds it, and the fraction `n/d` where its decimals do not end."""
    if isinstance(quantity, Fraction):
        return rounded(quantity, PLACES), f"{quantity.numerator}/{quantity.denominator}"
    return quantity, None


def line_sources(result: MatchResult) -> dict[int, list[dict[str, str]]]:
    """What each bill line is converted from in the ERP, as the line keeps it."""
    sources: dict[int, list[dict[str, str]]] = {}
    for line_no, chosen in choose_sources(result.inputs.orders, result.inputs.bill).items():
        kept = []
        for source in chosen:
            quantity, exact = number(source.quantity)
            one = {"document_id": str(source.document_id), "line": str(source.line), "quantity": f"{quantity:f}"}
            kept.append(one if exact is None else {**one, "exact": exact})
        sources[line_no] = kept
    return sources


def new_bill(
    bill_id: BillId,
    ref: RequestRef,
    request: Request,
    asked: RequestedBill,
    due_on: date | None,
    orders: Sequence[Order],
    connection: ConnectionRow,
    result: MatchResult,
    status: BillStatus,
) -> bills.NewBill:
    """The bill as it is saved: judged lines, completed with what the order's lines are coded to."""
    home, bill = orders[0].row, result.inputs.bill
    held = {(order.id, no): line for order in orders for no, line in order.held.items()}
    matched = order_lines(result)
    sources = line_sources(result)
    lines: list[NewBillLine] = []
    for line, wanted in zip(bill.lines, asked.lines, strict=True):
        where = (line.purchase_order_id, line.order_line_no)
        order_line = held[where]
        quantity, exact_quantity = reserved(matched[where], line)
        other_unit = bool(line.unit) and line.unit != order_line.unit
        lines.append(
            NewBillLine(
                line_no=line.line_no,
                purchase_order_id=line.purchase_order_id,
                order_line_no=line.order_line_no,
                item_id=order_line.item_id,
                description=wanted.description if wanted.description is not None else order_line.description,
                quantity=quantity,
                exact_quantity=exact_quantity,
                unit=order_line.unit,
                billed_quantity=line.quantity if other_unit else None,
                billed_unit=line.unit if other_unit else None,
                price=line.price,
                amount=line.amount,
                account=wanted.account,
                department=wanted.department or order_line.department,
                location=wanted.location or order_line.location,
                class_id=wanted.class_id or order_line.class_id,
                project=wanted.project or order_line.project,
                sources=sources.get(line.line_no, []),
            )
        )
    return bills.NewBill(
        id=bill_id,
        organization_id=ref.organization_id,
        connection_id=ConnectionId(connection.id),
        purchase_order_id=PurchaseOrderId(home.id),
        order_number=home.number,
        vendor_id=bill.vendor_id,
        vendor_name=home.vendor_name if bill.vendor_id == home.vendor_id else bill.vendor_id,
        number=asked.number,
        number_key=number_key(asked.number),
        bill_date=asked.bill_date,
        posting_date=asked.posting_date or asked.bill_date,
        due_date=due_on,
        currency=home.currency,
        memo=asked.memo,
        total=rounded(bill_total(bill), 2),
        invoice_total=asked.total,
        charges=[
            NewCharge(kind=ChargeKind(one.charge_class), amount=one.amount, description=one.description)
            for one in asked.charges
        ],
        tax=asked.tax or ZERO,
        discount=asked.discount,
        match_outcome=result.outcome,
        created_by=request.actor,
        lines=lines,
        status=status,
    )


def as_kept(result: MatchResult) -> Mapping[str, Any]:
    """The result as it is stored and answered."""
    return result.model_dump(mode="json")
