"""From a requested bill to what is matched and what is saved: the caller's figures, completed from the order."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from matching.bill import BillLineToMatch, BillToMatch, MatchResult, OrderLineToMatch, OrderToMatch
from matching.ledger import LineLedger
from matching.receipts import ReceiptLineToBill
from matching.sources import OrderLineToConvert, Source
from matching.supplier_number import number_key
from models.domain import BillId, ConnectionId, DocumentId, ErpId, MatchingStatus, PoStatus, PurchaseOrderId
from models.messages import RequestRef
from models.store import bills, ledger
from models.tables import ConnectionRow, PurchaseOrderRow, RequestRow

CENT = Decimal("0.01")


class RequestedLine(BaseModel):
    """One line of a bill as the caller asked for it; what is absent comes from the order's line (S1-03)."""

    model_config = ConfigDict(extra="ignore")

    order_line_no: int
    quantity: Decimal
    price: Decimal | None = None
    amount: Decimal | None = None
    description: str | None = None
    account: str | None = None
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None


class RequestedBill(BaseModel):
    """The stored body of a `POST /v1/purchase-orders/{id}/bills`."""

    model_config = ConfigDict(extra="ignore")

    purchase_order_id: PurchaseOrderId
    number: str
    bill_date: date
    posting_date: date | None = None
    due_date: date | None = None
    memo: str = ""
    lines: list[RequestedLine]


def line_to_match(position: int, line: RequestedLine, held: dict[int, ledger.LedgerLine]) -> BillLineToMatch:
    """The line as it will be judged: the caller's figures; where there are none, the order's price."""
    order_line = held.get(line.order_line_no)
    price = line.price
    amount = line.amount
    if price is None and amount is not None and line.quantity:
        price = amount / line.quantity
    if price is None:
        price = order_line.price if order_line else Decimal(0)
    if amount is None:
        amount = (price * line.quantity).quantize(CENT, rounding=ROUND_HALF_UP)
    return BillLineToMatch(
        line_no=position, order_line_no=line.order_line_no, quantity=line.quantity, price=price, amount=amount
    )


def order_to_match(
    order: PurchaseOrderRow, held: dict[int, ledger.LedgerLine], *, continued_by: str | None = None
) -> OrderToMatch:
    """The order with its ledger as it stands under the lock. A deleted order is matched as deleted, whatever it was."""
    return OrderToMatch(
        number=order.number,
        snapshot=order.snapshot,
        vendor_id=order.vendor_id,
        currency=order.currency,
        entity=order.entity,
        status=PoStatus(order.status),
        matching_status=MatchingStatus.DELETED if order.deleted_at else MatchingStatus(order.matching_status),
        lines=tuple(
            OrderLineToMatch(
                line_no=line.line_no,
                item_id=line.item_id,
                unit=line.unit,
                price=line.price,
                closed=line.closed,
                ledger=LineLedger(
                    ordered=line.ordered, received=line.received, billed=line.billed, pending=line.pending
                ),
            )
            for line in held.values()
        ),
        continued_by=continued_by,
    )


async def convertible_lines(
    session: AsyncSession, order_id: PurchaseOrderId, held: dict[int, ledger.LedgerLine]
) -> dict[int, OrderLineToConvert]:
    """What each order line can be converted from in the ERP: itself, and the receipts made of it (rules 3.6)."""
    receipts: dict[str, list[ReceiptLineToBill]] = {}
    if any(line.received for line in held.values()):
        for source in await ledger.receipt_sources(session, order_id):
            receipts.setdefault(source.order_line, []).append(
                ReceiptLineToBill(
                    document_id=DocumentId(source.document_id),
                    number=source.number,
                    received_on=source.received_on,
                    line_no=source.line_no,
                    line=ErpId(source.line),
                    received=source.quantity,
                    consumed=source.billed + source.pending,
                )
            )
    return {
        line.line_no: OrderLineToConvert(ErpId(line.erp_id), tuple(receipts.get(line.erp_id, ())))
        for line in held.values()
    }


def new_bill(
    bill_id: BillId,
    ref: RequestRef,
    request: RequestRow,
    asked: RequestedBill,
    due_on: date | None,
    order: PurchaseOrderRow,
    connection: ConnectionRow,
    held: dict[int, ledger.LedgerLine],
    to_match: BillToMatch,
    sources: dict[int, tuple[Source, ...]],
    result: MatchResult,
) -> bills.NewBill:
    """The bill as it is saved: judged lines, completed with what the order's lines are coded to."""
    lines: list[bills.NewBillLine] = []
    for line, wanted in zip(to_match.lines, asked.lines, strict=True):
        order_line = held[line.order_line_no]
        lines.append(
            bills.NewBillLine(
                line_no=line.line_no,
                order_line_no=line.order_line_no,
                item_id=order_line.item_id,
                description=wanted.description if wanted.description is not None else order_line.description,
                quantity=line.quantity,
                unit=order_line.unit,
                price=line.price,
                amount=line.amount,
                account=wanted.account,
                department=wanted.department or order_line.department,
                location=wanted.location or order_line.location,
                class_id=wanted.class_id or order_line.class_id,
                project=wanted.project or order_line.project,
                sources=[
                    {"document_id": source.document_id, "line": source.line, "quantity": str(source.quantity)}
                    for source in sources[line.line_no]
                ],
            )
        )
    return bills.NewBill(
        id=bill_id,
        organization_id=ref.organization_id,
        connection_id=ConnectionId(connection.id),
        purchase_order_id=PurchaseOrderId(order.id),
        order_number=order.number,
        vendor_id=order.vendor_id,
        vendor_name=order.vendor_name,
        number=asked.number,
        number_key=number_key(asked.number),
        bill_date=asked.bill_date,
        posting_date=asked.posting_date or asked.bill_date,
        due_date=due_on,
        currency=order.currency,
        memo=asked.memo,
        total=sum((line.amount for line in lines), Decimal(0)),
        match_outcome=result.outcome,
        created_by=request.actor,
        lines=lines,
    )
