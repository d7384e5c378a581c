"""Show the money on an order: billed, paid, scheduled, owed and outstanding, per line and in total."""

from fastapi import APIRouter

from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers
from api.http.schemas import Exact, Id, Money
from api.http.services import Services
from api.orders.routes import load
from models.domain.ids import PurchaseOrderId
from models.domain.orders import PoStatus
from models.store.orders import ledger, order_payments
from services.orders import money

router = APIRouter(prefix="/v1/purchase-orders", tags=["purchase orders"], route_class=ExactRoute)


class Figures(Output):
    """Money, in the order's currency."""

    ordered: Money
    """O - X."""
    cancelled: Money
    """X: what was not billed when the line, or the order, was closed."""
    received: Money
    returned: Money
    """What went back to the vendor, at the order's price."""
    billed: Money
    """E + P - C: what the ERP counts, and what is on its way there, less credits that give it back."""
    credited: Money
    paid: Money
    """Posted by the ERP: a bill's payments, shared over its lines by their amounts."""
    scheduled: Money
    """Planned, sent, or waiting for the ERP to post it."""
    outstanding: Money
    """ordered - billed; below zero: more was billed."""
    owed: Money
    """billed - paid."""
    received_percent: Exact | None
    """Of O - X, by quantity on a line that has one; null: nothing is ordered."""
    billed_percent: Exact | None


class LineMoney(Output):
    line_no: int
    billed_quantity: Exact
    received_quantity: Exact
    returned_quantity: Exact
    outstanding_quantity: Exact
    cancelled_quantity: Exact
    """X, in what the line is measured by: money on a line that is matched by its amount."""
    money: Figures
    notices: list[str]
    """`CLOSED_UNBILLED`: closed, or billed in full by the ERP's word, and by our sum less is billed than received."""


class OrderMoney(Output):
    purchase_order_id: str
    number: str
    currency: str
    status: PoStatus
    off_lines: Money
    """Charges, taxes, discounts and lines off the order on its bills. They are in `billed` and `owed` of the whole."""
    whole: Figures
    lines: list[LineMoney]
    notices: list[str]


@router.get(
    "/{purchase_order_id}/money",
    operation_id="getPurchaseOrderMoney",
    summary="Read the money on a purchase order",
    responses=answers("NOT_FOUND"),
)
async def read(purchase_order_id: Id, caller: Viewer, services: Services) -> OrderMoney:
    """Return what is billed, paid, scheduled, owed and outstanding on an order and on each of its lines."""
    async with services.database.transaction() as session:
        row, connection = await load(session, caller, purchase_order_id)
        order_id = PurchaseOrderId(row.id)
        figures = money.order_money(
            PoStatus(row.status),
            await ledger.lines(session, order_id),
            await order_payments.of_order(session, order_id),
            await order_payments.off_lines(session, order_id),
            filled_is_billed=not connection.capabilities.get("receipts_count_as_billed", False),
        )
    return OrderMoney(
        purchase_order_id=row.id,
        number=row.number,
        currency=row.currency,
        status=PoStatus(row.status),
        off_lines=figures.off_lines,
        whole=Figures(**figures.whole._asdict()),
        lines=[
            LineMoney(
                line_no=line.line_no,
                billed_quantity=line.billed_quantity,
                received_quantity=line.received_quantity,
                returned_quantity=line.returned_quantity,
                outstanding_quantity=line.outstanding_quantity,
                cancelled_quantity=line.cancelled_quantity,
                money=Figures(**line.money._asdict()),
                notices=list(line.notices),
            )
            for line in figures.lines
        ],
        notices=list(figures.notices),
    )
