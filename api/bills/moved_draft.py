"""Draft a bill for another order: the same invoice, with its figures, on that order's lines of the same items.

A bill that was unlinked, or whose order was deleted or goes on as a back order, is entered again in this way.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query

from api.bills.bill_charges import ShownCharge
from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers, not_found
from api.http.schemas import Exact, Id, Money, columns
from api.http.services import Services
from api.orders.routes import load
from models.domain.bills import BillMatchMode
from models.domain.ids import BillId, PurchaseOrderId
from models.domain.units import unit_key
from models.store.orders import ledger
from models.store.orders.ledger import LedgerLine
from models.store.payables import bill_reads
from models.tables import BillLineRow
from services.accounting_settings import coding
from services.bills.match_modes import mode_of_vendor
from services.bills.matching import ledger_of

router = APIRouter(prefix="/v1/bills/{bill_id}", tags=["bills"], route_class=ExactRoute)


OrderWanted = Annotated[str, Query(min_length=1, max_length=200, description="The order to draft the bill for.")]


class MovedLine(Output):
    order_line_no: int
    order_line_id: str
    item_id: str
    substitute: str | None
    description: str
    unit: str
    quantity: Exact | None
    price: Exact | None
    amount: Money
    account: str | None
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    warehouse: str | None
    custom: dict[str, str]
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""


class UnplacedLine(Output):
    """A line of the bill whose item the order does not have."""

    line_no: int
    item_id: str | None
    description: str
    unit: str
    quantity: Exact | None
    amount: Money


class MovedDraft(Output):
    """The bill as it can be sent to `POST /v1/purchase-orders/{purchase_order_id}/bills`, as it is."""

    purchase_order_id: str
    purchase_order_number: str
    vendor_id: str
    currency: str
    match_mode: BillMatchMode
    number: str
    bill_date: date
    posting_date: date
    due_date: date | None
    memo: str
    total: Money | None
    """The total that the supplier wrote; null: none was given."""
    tax: Money
    discount: Money
    charges: list[ShownCharge]
    lines: list[MovedLine]
    unassigned: list[UnplacedLine]
    """Lines for which the order has no line of the same item: a person chooses one."""


@router.get(
    "/draft",
    operation_id="draftBillForAnotherOrder",  # S1-24
    summary="Draft an unlinked bill for another order",
    responses=answers("NOT_FOUND", "PO_FEATURE_OFF"),
)
async def draft(bill_id: Id, purchase_order_id: OrderWanted, caller: Viewer, services: Services) -> MovedDraft:
    """Put what a bill says on the lines of another order, item by item: first where enough is left to bill, first lines
    first. Nothing is saved or reserved, and none of the supplier's figures is changed.

    Send it to `POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}`, which moves the bill.
    """
    async with services.database.transaction() as session:
        bill = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
        if bill is None:
            raise not_found("bill", bill_id)
        order, connection = await load(session, caller, purchase_order_id)
        if order.connection_id != bill.connection_id:
            raise not_found("purchase order", purchase_order_id)
        stored = await ledger.lines(session, PurchaseOrderId(order.id))
        lines = await bill_reads.lines(session, BillId(bill.id))
        mode = await mode_of_vendor(session, connection, order)
    placed, unplaced = _place(lines, stored)
    placed = [line.model_copy(update=coding(connection, line)._asdict()) for line in placed]
    of_order = {
        "purchase_order_id": order.id,
        "purchase_order_number": order.number,
        "match_mode": mode if bill.match_mode is None else BillMatchMode(bill.match_mode),
        "lines": placed,
        "unassigned": unplaced,
    }
    return MovedDraft(**{**columns(bill, MovedDraft), "total": bill.invoice_total, **of_order})


def _place(lines: Sequence[BillLineRow], stored: Sequence[LedgerLine]) -> tuple[list[MovedLine], list[UnplacedLine]]:
    """Put each line on an order line of its item that no other line of the bill has, and say which found none."""
    placed: list[MovedLine] = []
    unplaced: list[UnplacedLine] = []
    free = [line for line in stored if not line.closed]
    for line in lines:
        unit, quantity = line.billed_unit or line.unit, line.billed_quantity or line.quantity
        fitting = [one for one in free if line.item_id and one.item_id == line.item_id]
        if not fitting:
            unplaced.append(
                UnplacedLine(
                    line_no=line.line_no,
                    item_id=line.item_id,
                    description=line.description,
                    unit=unit,
                    quantity=quantity,
                    amount=line.amount,
                )
            )
            continue
        chosen = min(fitting, key=lambda one: (not _has_left(one, unit, quantity), one.line_no))
        free.remove(chosen)
        placed.append(
            MovedLine(
                order_line_no=chosen.line_no,
                order_line_id=chosen.erp_id,
                item_id=chosen.item_id,
                substitute=line.substitute,
                description=line.description,
                unit=unit,
                quantity=quantity,
                price=line.price,
                amount=line.amount,
                account=line.account,
                department=line.department,
                location=line.location,
                class_id=line.class_id,
                project=line.project,
                warehouse=line.warehouse,
                custom=dict(line.custom),
            )
        )
    return placed, unplaced


def _has_left(line: LedgerLine, unit: str, quantity: Decimal | None) -> bool:
    return unit_key(line.unit) == unit_key(unit) and quantity is not None and ledger_of(line).remaining >= quantity
