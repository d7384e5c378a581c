"""Purchase orders: view-only mirrors of the ERP's (S1-01, S1-29), with their ledger and their live state."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.judging import ledger_of
from api import durable
from api.auth import Caller, Viewer
from api.bill_shapes import BillSummary, summary
from api.exact import ExactRoute
from api.problems import Problem, answers, not_found
from api.services import Services
from api.shapes import Cursor, Exact, Filter, Id, Instant, Limit, Page, columns
from matching.exact import as_decimal
from matching.receipts import over_received
from models.domain import (
    BillStatus,
    ConnectionId,
    ErpId,
    LineBasis,
    MatchingStatus,
    PoStatus,
    PurchaseOrderId,
    ReceiptStatus,
)
from models.store import bill_reads, connections, ledger, purchase_orders, receipts
from models.store.ledger import LedgerLine
from models.store.order_access import order_and_connection
from models.tables import ConnectionRow, PurchaseOrderRow
from workflows.contract import purchase_order_workflow_id

router = APIRouter(prefix="/v1/purchase-orders", tags=["purchase orders"], route_class=ExactRoute)


class PurchaseOrderSummary(BaseModel):
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
    total: Exact
    erp_status: str
    """The ERP's own word."""
    status: PoStatus
    """What it means (S4-48)."""
    matching_status: MatchingStatus
    changed_at: datetime


class PurchaseOrderLine(BaseModel):
    """One line with its ledger (S4-35); quantities in the line's own unit."""

    line_no: int
    item_id: str
    description: str
    unit: str
    quantity: Exact
    price: Exact
    amount: Exact
    ordered: Exact
    """O: over the whole back-order chain."""
    received: Exact
    """R."""
    billed: Exact
    """E: what the ERP billed."""
    pending: Exact
    """P: on our bills, not yet inside E."""
    credited: Exact
    """C: taken back by vendor credits and still inside E, so it may be billed again. Below zero: the ERP took off E
    what was only credited in price, so that may not."""
    basis: LineBasis
    """Of an amount-only line (services), what is left is money."""
    remaining: Exact
    """O - (E + P - C)."""
    unbilled_received: Exact
    """R - (E + P - C)."""
    over_received: Exact
    """How much more arrived than was ordered: a flag, billed with a warning in 3-way matching (S4-15)."""
    receivable: bool
    """false: no receipt is ever made of it (a service, an expense), so nothing waits for one (S4-69)."""
    closed: bool
    hidden: bool
    """Fully received and fully billed: left out of bill drafts (S4-36)."""
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None


class LiveBill(BaseModel):
    bill_id: str
    number: str
    status: BillStatus
    covered: bool
    """The ERP's own billed quantity shows it: the double sync is done (S4-67)."""


class Live(BaseModel):
    """What the order's workflow says right now."""

    bills: list[LiveBill]
    waiting_for: str


class PurchaseOrder(PurchaseOrderSummary):
    memo: str
    reference: str | None
    term: str | None
    snapshot: int
    """Counts the contents we held; match results name it."""
    created_from: str | None
    lines: list[PurchaseOrderLine]
    live: Live | None
    """null: no workflow of this order runs, or no worker answered in time."""


class ReceiptLine(BaseModel):
    line_no: int
    item_id: str
    description: str
    unit: str
    quantity: Exact
    billed: Exact
    order_line: str | None


class Receipt(BaseModel):
    id: str
    document_id: str
    number: str
    erp_status: str
    status: ReceiptStatus
    received_on: date
    memo: str
    lines: list[ReceiptLine]


class Receipts(BaseModel):
    items: list[Receipt]


def _line(line: LedgerLine) -> PurchaseOrderLine:
    sums = ledger_of(line)
    return PurchaseOrderLine(
        **columns(line, PurchaseOrderLine)
        | {
            "billed": as_decimal(sums.billed),
            "pending": as_decimal(sums.pending),
            "credited": as_decimal(sums.credited),
        },
        remaining=as_decimal(sums.remaining),
        unbilled_received=as_decimal(sums.unbilled_received),
        over_received=as_decimal(over_received(sums)),
        hidden=sums.hidden,
    )


async def load(
    session: AsyncSession, caller: Caller, purchase_order_id: str, *, to_write: bool = False
) -> tuple[PurchaseOrderRow, ConnectionRow]:
    """The caller's order and its connection. With the feature off an order is not viewable (S2-85), nor billable."""
    found = await order_and_connection(session, PurchaseOrderId(purchase_order_id), caller.organization_id)
    if found is None:
        raise not_found("purchase order", purchase_order_id)
    row, connection = found
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
    q: Annotated[str | None, Query(max_length=100, description="Part of the number.")] = None,
    changed_since: Instant | None = None,
    open: Annotated[
        bool,
        Query(description="Only orders that can still be billed; with connection and vendor: the drop-down (S4-23)."),
    ] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[PurchaseOrderSummary]:
    """Most recent first. Orders of connections whose purchase order feature is off are not shown."""
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
        found = await purchase_orders.page(
            session,
            organization_id=caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            vendor=vendor,
            status=status,
            matching_status=matching_status,
            q=q,
            changed_since=changed_since,
            cursor=cursor,
            limit=limit,
        )
    items = [PurchaseOrderSummary(**columns(row, PurchaseOrderSummary)) for row in found.items]
    return Page(items=items, next_cursor=found.next_cursor)


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
    live: Annotated[bool, Query(description="Also ask the order's workflow.")] = True,
) -> PurchaseOrder:
    """The mirror's order with its ledger, and what its workflow says if one runs."""
    async with services.database.transaction() as session:
        row, _ = await load(session, caller, purchase_order_id)
        lines = await ledger.lines(session, PurchaseOrderId(row.id))
    now = None
    if live:
        workflow_id = purchase_order_workflow_id(ConnectionId(row.connection_id), ErpId(row.erp_id))
        answer = await durable.purchase_order_live(services.temporal, workflow_id)
        if answer is not None:
            bills = [LiveBill(**columns(bill, LiveBill)) for bill in answer.bills]
            now = Live(bills=bills, waiting_for=answer.waiting_for)
    return PurchaseOrder(**columns(row, PurchaseOrder), lines=[_line(line) for line in lines], live=now)


@router.get(
    "/{purchase_order_id}/bills",
    operation_id="listBillsOfPurchaseOrder",
    summary="List the bills against an order",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_bills(
    purchase_order_id: Id, caller: Viewer, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> Page[BillSummary]:
    """Ours and those made in the ERP; there may be several (S1-23)."""
    async with services.database.transaction() as session:
        row, _ = await load(session, caller, purchase_order_id)
        found = await bill_reads.page(
            session,
            organization_id=caller.organization_id,
            purchase_order_id=PurchaseOrderId(row.id),
            limit=limit,
            cursor=cursor,
        )
    return Page(items=[summary(bill) for bill in found.items], next_cursor=found.next_cursor)


@router.get(
    "/{purchase_order_id}/receipts",
    operation_id="listReceiptsOfPurchaseOrder",
    summary="List what was received against an order",
    responses=answers("NOT_FOUND"),
)
async def list_receipts(purchase_order_id: Id, caller: Viewer, services: Services) -> Receipts:
    """The ERP's goods receipts (S4-31)."""
    async with services.database.transaction() as session:
        row, _ = await load(session, caller, purchase_order_id)
        found = await receipts.for_order(session, PurchaseOrderId(row.id))
    return Receipts(
        items=[
            Receipt(**columns(receipt, Receipt), lines=[ReceiptLine(**columns(line, ReceiptLine)) for line in lines])
            for receipt, lines in found
        ]
    )
