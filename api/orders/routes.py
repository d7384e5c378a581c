"""List and read purchase orders: view-only mirrors of the ERP's orders, with their ledger and the live state of their
workflow."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.auth import Caller, Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.schemas import Cursor, Exact, Filter, Id, Instant, Limit, Money, Page, columns, columns_as, page_of
from api.http.services import Services
from matching.kernel.exact import as_decimal
from matching.kernel.receipts import over_received
from models.domain.bills import BillStatus
from models.domain.ids import ConnectionId, PurchaseOrderId
from models.domain.orders import LineBasis, MatchingStatus, PoStatus
from models.domain.receipts import ReceiptStatus
from models.store.connections import connections
from models.store.orders import ledger, purchase_orders, receipts
from models.store.orders.ledger import LedgerLine
from models.store.orders.purchase_orders import OrderSort, order_and_connection
from models.tables import ConnectionRow, PurchaseOrderRow, ReceiptLineRow
from services.bills.matching import ledger_of
from temporal_gateway import gateway

router = APIRouter(prefix="/v1/purchase-orders", tags=["purchase orders"], route_class=ExactRoute)


class PurchaseOrderSummary(Output):
    id: str
    connection_id: str
    erp_id: str
    document_id: str
    number: str
    vendor_id: str
    vendor_name: str
    ordered_on: date
    due_on: date | None
    currency: str
    entity: str | None
    total: Money
    erp_status: str
    """The status as the ERP names it."""
    status: PoStatus
    """What the ERP's status means."""
    matching_status: MatchingStatus
    left_out: str
    """Why the order takes no bill any more though it was imported: it changed to what the sync leaves out. Empty: it
    takes bills."""
    changed_at: datetime


class PurchaseOrderLine(Output):
    """One line of an order with its ledger. Quantities are in the line's own unit."""

    line_no: int
    order_line_id: str
    """The ERP's id of the line: it stays when lines are inserted or deleted before it."""
    item_id: str
    description: str
    unit: str
    quantity: Exact
    price: Exact
    amount: Money
    ordered: Exact
    """O: the ordered quantity, over the whole chain of back orders."""
    cancelled: Exact
    """X: what was not billed when the line, or its order, was closed. Money on an amount line."""
    received: Exact
    """R: the received quantity."""
    billed: Exact
    """E: the quantity the ERP counts as billed."""
    pending: Exact
    """P: the quantity on our bills that is not yet part of E."""
    credited: Exact
    """C: the quantity that vendor credits took back and that is still part of E, so that it may be billed again. Below
    zero: the ERP took a quantity off E that was credited only in price and so may not be billed again."""
    basis: LineBasis
    """What the line is measured by. For an amount line (services), what remains is money, in the order's currency."""
    line_type: Literal["item"] = "item"
    """Always this: whatever an order's line is measured by, it is billed as one of an item."""
    billed_amount: Money
    """What the ERP counts as billed, in the order's currency."""
    remaining: Exact
    """O - X - (E + P - C)."""
    unbilled_received: Exact
    """R - (E + P - C)."""
    over_received: Exact
    """How much more was received than ordered. In 3-way matching it can be billed, with a warning."""
    receivable: bool
    """False: the line never gets a receipt (a service, an expense), so no bill waits for one."""
    closed: bool
    ends_on: date | None
    """The last bill date that the line accepts, as people set it here."""
    release_cap: Money | None
    """The most that one bill may take of the line, as people set it here."""
    hidden: bool
    """True: fully received and fully billed, so bill drafts leave it out."""
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    warehouse: str | None
    custom: dict[str, str]
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""


class LiveBill(Output):
    bill_id: str
    number: str
    status: BillStatus
    confirmed: bool
    """True: the ERP's own billed quantity includes the bill, so the double sync is done."""


class Live(Output):
    """What the order's workflow reports right now."""

    bills: list[LiveBill]
    waiting_for: str


class PurchaseOrder(PurchaseOrderSummary):
    memo: str
    reference: str | None
    term: str | None
    snapshot: int
    """Counts the contents of the order that the mirror has held; match results name it."""
    created_from: str | None
    lines: list[PurchaseOrderLine]
    live: Live | None
    """null: no workflow of this order runs, no worker answered in time, or nobody was asked."""
    as_of: datetime
    """When this was true: now if `live` is there, else when the mirror was last known to hold what the ERP holds."""


class ReceiptLine(Output):
    line_no: int
    item_id: str
    description: str
    unit: str
    quantity: Exact
    billed: Exact
    order_line_id: str | None
    """The order's line that was received."""
    source_document: str | None
    """What the ERP made it from: the order, or the receipt that it continues."""
    notes: str
    """The line's own text, which is its description where the ERP has no other."""
    continues: str | None
    """The number of the receipt that this line is the rest of: the ERP closed that one with a back order, and only what
    was billed of it counts as received under its own number."""


class Receipt(Output):
    id: str
    document_id: str
    number: str
    erp_status: str
    status: ReceiptStatus
    received_on: date
    shipped_on: date
    """The ERPs know one day: the one on which the goods came in."""
    vendor_id: str
    entity: str | None
    memo: str
    lines: list[ReceiptLine]


class Receipts(Output):
    items: list[Receipt]


def _receipt_line(line: ReceiptLineRow, numbers: Mapping[str, str], order: PurchaseOrderRow) -> ReceiptLine:
    continues = None if line.source_line is None else numbers.get(line.source_line)
    of_order = None if line.order_line is None else order.document_id
    return ReceiptLine(
        **columns(line, ReceiptLine),
        order_line_id=line.order_line,
        continues=continues,
        source_document=continues or of_order,
        notes=line.description,
    )


def _line(line: LedgerLine) -> PurchaseOrderLine:
    sums = ledger_of(line)
    return PurchaseOrderLine(
        **columns(line, PurchaseOrderLine)
        | {"order_line_id": line.erp_id}
        | {
            "billed": as_decimal(sums.billed),
            "pending": as_decimal(sums.pending),
            "credited": as_decimal(sums.credited),
        },
        remaining=as_decimal(sums.remaining),
        unbilled_received=as_decimal(sums.unbilled_received),
        over_received=as_decimal(over_received(sums)),
        hidden=sums.without_sign.hidden,
    )


async def load(
    session: AsyncSession, caller: Caller, purchase_order_id: str, *, to_write: bool = False
) -> tuple[PurchaseOrderRow, ConnectionRow]:
    """Return the caller's order and its connection. With `to_write`, it is for a change of the order's bills.

    Raises:
        Problem: NOT_FOUND, also for another organization's order; PO_FEATURE_OFF, when the feature is
            off: the order can then be neither viewed nor billed.
    """
    result = await order_and_connection(session, PurchaseOrderId(purchase_order_id), caller.organization_id)
    if result is None:
        raise not_found("purchase order", purchase_order_id)
    row, connection = result
    if not connection.purchase_orders_enabled:
        raise Problem("PO_FEATURE_OFF", status=409 if to_write else 404)
    return row, connection


@router.get(
    "",
    operation_id="listPurchaseOrders",
    summary="List purchase orders",
    responses=answers("NOT_FOUND", "INVALID_CURSOR", "FILTER_INCOMPLETE"),
)
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    vendor: Filter = None,
    status: PoStatus | None = None,
    matching_status: MatchingStatus | None = None,
    q: Annotated[str | None, Query(max_length=100, description="Part of the order number.")] = None,
    changed_since: Instant | None = None,
    open: Annotated[
        bool,
        Query(description="true: only orders that can still be billed. Needs connection and vendor."),  # S4-23
    ] = False,
    sort: Annotated[
        OrderSort, Query(description="`-` puts the last one first. With open=true always the most recent first.")
    ] = OrderSort.DATE_LAST_FIRST,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[PurchaseOrderSummary]:
    """Return purchase orders, most recent first unless `sort` says otherwise. Orders of connections whose purchase
    order feature is off are not shown."""
    async with services.database.transaction() as session:
        if open:
            if connection is None or vendor is None:
                raise Problem("FILTER_INCOMPLETE", "open=true needs connection and vendor.")
            owned = await connections.get(session, ConnectionId(connection), caller.organization_id)
            if owned is None:
                raise not_found("connection", connection)
            rows = (
                await purchase_orders.open_for_vendor(session, ConnectionId(connection), vendor, q or "", limit)
                if owned.purchase_orders_enabled
                else []
            )
            return Page(items=[PurchaseOrderSummary(**columns(row, PurchaseOrderSummary)) for row in rows])
        listing = await purchase_orders.page(
            session,
            organization_id=caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            vendor=vendor,
            status=status,
            matching_status=matching_status,
            q=q,
            changed_since=changed_since,
            sort=sort,
            cursor=cursor,
            limit=limit,
        )
    return page_of(listing, columns_as(PurchaseOrderSummary))


@router.get(
    "/{purchase_order_id}",
    operation_id="getPurchaseOrder",
    summary="Read a purchase order",
    responses=answers("NOT_FOUND"),
)
async def read(
    purchase_order_id: Id,
    caller: Viewer,
    services: Services,
    live: Annotated[
        bool | None,
        Query(
            description="Whether to ask the order's workflow for its state. true: wait for it, up to two seconds; "
            "false: do not ask; left out: wait 40 ms at most, then answer from the mirror; after one that did not "
            "answer in time no workflow is asked for half a second."
        ),
    ] = None,
) -> PurchaseOrder:
    """Return a purchase order with the ledger of its lines, and the state of its workflow if one runs.

    `as_of` says of when that is; `live` is there when the workflow answered.
    """
    async with services.database.transaction() as session:
        row, connection = await load(session, caller, purchase_order_id)
        lines = await ledger.lines(session, PurchaseOrderId(row.id))
    now = None if live is False else await _ask_workflow(services, row, wait=live is True)
    return PurchaseOrder(
        **columns(row, PurchaseOrder),
        lines=[_line(line) for line in lines],
        live=now,
        as_of=datetime.now(UTC) if now else max(row.changed_at, connection.last_synced_at or row.changed_at),
    )


async def _ask_workflow(services: Services, row: PurchaseOrderRow, *, wait: bool) -> Live | None:
    """Return what the order's workflow reports. None: it does not run, or no worker answers in time."""
    if wait:
        answer = await gateway.purchase_order_live(services.temporal, row.workflow_id, gateway.QUERY_TIMEOUT)
    else:
        answer = await services.glances.purchase_order_live(services.temporal, row.workflow_id)
    if answer is None:
        return None
    bills = [LiveBill(**columns(bill, LiveBill)) for bill in answer.bills]
    return Live(bills=bills, waiting_for=answer.waiting_for)


@router.get(
    "/{purchase_order_id}/receipts",
    operation_id="listReceiptsOfPurchaseOrder",
    summary="List what was received against an order",
    responses=answers("NOT_FOUND"),
)
async def list_receipts(purchase_order_id: Id, caller: Viewer, services: Services) -> Receipts:
    """Return the goods receipts of the order, as the ERP has them."""
    async with services.database.transaction() as session:
        row, _ = await load(session, caller, purchase_order_id)
        result = await receipts.for_order(session, PurchaseOrderId(row.id))
    numbers = {line.erp_id: receipt.number for receipt, lines in result for line in lines}
    return Receipts(
        items=[
            Receipt(
                **columns(receipt, Receipt),
                shipped_on=receipt.received_on,
                lines=[_receipt_line(line, numbers, row) for line in lines],
            )
            for receipt, lines in result
        ]
    )
