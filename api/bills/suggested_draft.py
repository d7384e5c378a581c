"""Draft a bill from an invoice: put its lines on the order's lines where that is sure enough, and keep the supplier's
figures."""

from decimal import Decimal

from fastapi import APIRouter
from pydantic import Field

from api.bills.bill_draft import DraftHeader, draft_header
from api.bills.line_suggestions import (
    FreeText,
    LineOfInvoice,
    LinesOfInvoice,
    LineSuggestion,
    SuggestionReason,
    candidate_lines,
    placed,
    shown,
)
from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers
from api.http.schemas import Exact, Id, Input, Money
from api.http.services import Services
from api.orders.routes import load
from matching.kernel.exact import as_decimal, line_amount
from matching.suggest.suggestion import Confidence
from models.domain.bills import BillMatchMode
from models.domain.connections import MatchMode
from models.domain.ids import PurchaseOrderId
from models.domain.units import unit_key
from models.store.orders import ledger
from models.store.orders.ledger import LedgerLine
from services.accounting_settings import as_carried
from services.bills.matching import ledger_of

router = APIRouter(prefix="/v1/purchase-orders/{purchase_order_id}", tags=["bills"], route_class=ExactRoute)


class NewDraft(Input):
    lines: LinesOfInvoice
    text: FreeText = ""
    accept: Confidence = Field(
        default=Confidence.SURE, description="The lowest confidence at which a line is put on an order line."
    )


class SuggestedLine(Output):
    """One line of the draft. Quantity, unit, price and amount are the invoice's; what the invoice does not say comes
    from the order."""

    invoice_line_no: int
    order_line_no: int
    order_line_id: str
    item_id: str
    description: str
    unit: str
    quantity: Exact | None
    """In the invoice line's unit; null: the invoice does not say, fill it in."""
    price: Exact | None
    """Per the line's unit; null: the invoice does not say, and its unit differs from the order's."""
    amount: Money | None
    department: str | None
    location: str | None
    class_id: str | None
    project: str | None
    warehouse: str | None
    custom: dict[str, str]
    """Values of the company's own dimensions and fields, by the names that the connection has for them."""
    remaining: Exact
    unbilled_received: Exact
    confidence: Confidence
    score: float
    reasons: list[SuggestionReason]


class SuggestedDraft(DraftHeader):
    total: Money
    lines: list[SuggestedLine]
    unassigned: list[LineSuggestion]
    """Invoice lines for which no order line was sure enough, with the best guesses: a person assigns them."""


@router.post(
    "/bill-draft",
    operation_id="draftBillFromInvoice",
    summary="Draft a bill from an invoice's lines",
    responses=answers("NOT_FOUND", "PO_FEATURE_OFF", "SUGGESTIONS_NOT_INSTALLED"),
)
async def draft(purchase_order_id: Id, new: NewDraft, caller: Viewer, services: Services) -> SuggestedDraft:
    """Put the lines of an invoice on this order's lines, where the confidence is at least `accept`.

    Nothing is saved or reserved, and none of the supplier's figures is changed.
    """
    async with services.database.transaction() as session:
        order, connection = await load(session, caller, purchase_order_id)
        stored = await ledger.lines(session, PurchaseOrderId(order.id))
        candidates = await candidate_lines(session, [order], {PurchaseOrderId(order.id): stored}, new.lines)
        header = await draft_header(session, order, connection)
    # What was received is asked for in 3-way matching only.
    by_mode = MatchMode.THREE_WAY if header.match_mode is BillMatchMode.THREE_WAY else MatchMode.TWO_WAY
    # The caller named the order: only the line is asked for.
    results = [shown(one) for one in await placed(by_mode, new.lines, candidates, f"PO {order.number}\n{new.text}")]
    by_number = {line.line_no: as_carried(connection, line) for line in stored}
    lines: list[SuggestedLine] = []
    unassigned: list[LineSuggestion] = []
    for asked, suggestion in zip(new.lines, results, strict=True):
        if suggestion.proposed is not None and suggestion.confidence.reaches(new.accept):
            lines.append(_line(asked, suggestion, by_number[suggestion.proposed.order_line_no]))
        else:
            unassigned.append(suggestion)
    return SuggestedDraft(
        **header.model_dump(),
        total=sum((line.amount for line in lines if line.amount is not None), Decimal(0)),
        lines=lines,
        unassigned=unassigned,
    )


def _line(asked: LineOfInvoice, suggestion: LineSuggestion, line: LedgerLine) -> SuggestedLine:
    assert suggestion.proposed is not None, "only lines with a proposal come here"
    sums = ledger_of(line)
    price = asked.price
    if price is None and asked.amount is not None and asked.quantity:
        price = as_decimal(asked.amount / asked.quantity)
    if price is None and unit_key(asked.unit or line.unit) == unit_key(line.unit):
        price = line.price
    amount = asked.amount
    if amount is None and asked.quantity is not None and price is not None:
        amount = line_amount(asked.quantity, price)
    return SuggestedLine(
        invoice_line_no=suggestion.line_no,
        order_line_no=line.line_no,
        order_line_id=line.erp_id,
        item_id=line.item_id,
        description=asked.description or line.description,
        unit=asked.unit or line.unit,
        quantity=asked.quantity,
        price=price,
        amount=amount,
        department=line.department,
        location=line.location,
        class_id=line.class_id,
        project=line.project,
        warehouse=line.warehouse,
        custom=dict(line.custom),
        remaining=as_decimal(sums.remaining),
        unbilled_received=as_decimal(sums.unbilled_received),
        confidence=suggestion.confidence,
        score=suggestion.score,
        reasons=suggestion.proposed.reasons,
    )
