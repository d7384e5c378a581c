"""Which order lines an invoice's lines bill: proposals with their reasons, for whoever decides (nothing is saved)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.judging import ledger_of
from api.auth import Viewer
from api.connections import load
from api.exact import ExactRoute
from api.problems import Problem, answers
from api.services import Services
from api.shapes import STORABLE, Amount, Code, Input, Name, Named, Price, Quantity, columns
from matching.inputs import Basis
from matching.suggestion import CandidateLine, Confidence, InvoiceLine, OrderLineGuess, Suggestion, suggest
from matching.units import UnitFactor
from models.domain import ConnectionId, MatchMode, PurchaseOrderId
from models.store import ledger, list_entries, purchase_orders, unit_factors
from models.store.ledger import LedgerLine
from models.store.pages import LARGEST_PAGE
from models.store.unit_factors import UnitWanted
from models.tables import PurchaseOrderRow

router = APIRouter(prefix="/v1/line-suggestions", tags=["bills"], route_class=ExactRoute)

Wording = Annotated[str, Field(max_length=2_000, pattern=STORABLE)]
FreeText = Annotated[
    str,
    Field(
        max_length=10_000,
        pattern=STORABLE,
        description="Whatever else the invoice says; order numbers are found in it: PO 1007, P.O.#1007, po-1007.",
        examples=["Delivered on your P.O.#1007"],
    ),
]


class LineOfInvoice(Input):
    """As much of an invoice line as is known. Blank and null: the invoice does not say."""

    description: Wording = Field(default="", examples=["M8 x 40 hex bolt, zinc plated"])
    item_code: Code = Field(default="", description="The supplier's or ours.")
    quantity: Quantity | None = Field(default=None, examples=["4"])
    unit: Code = ""
    price: Price | None = Field(default=None, examples=["31.25"])
    amount: Amount | None = None
    order_number: Code = Field(default="", description="A purchase order number, if the line has one in a field.")


LinesOfInvoice = Annotated[list[LineOfInvoice], Field(min_length=1, max_length=500)]


class NewSuggestions(Input):
    connection_id: Name
    vendor_id: Named = Field(examples=["V-100"])
    text: FreeText = ""
    lines: LinesOfInvoice


class SuggestionReason(BaseModel):
    code: str
    text: str
    points: float
    """Natural logarithm of a likelihood ratio: +3 is twenty times as likely, -3 a twentieth."""


class Guess(BaseModel):
    """An order line the invoice line may bill."""

    purchase_order_id: str
    purchase_order_number: str
    order_line_no: int
    item_id: str
    description: str
    fit: float
    """0 to 1, judged by itself."""
    reasons: list[SuggestionReason]


class LineSuggestion(BaseModel):
    line_no: int
    """The place of the line in the request, from 1."""
    confidence: Confidence
    """sure: score 0.97 and more; likely: 0.80 and more; else unsure."""
    score: float
    """0 to 1: how far the answer for the whole invoice is ahead of any that puts this line elsewhere."""
    proposed: Guess | None
    others: list[Guess]
    """What else it may bill, best first; without a proposal the first is the best guess."""


class Suggestions(BaseModel):
    orders: int
    """How many open orders of the vendor were looked at, most recent first, 500 at most."""
    items: list[LineSuggestion]


@router.post(
    "",
    operation_id="suggestLines",
    summary="Propose order lines for invoice lines",
    responses=answers("NOT_FOUND", "PO_FEATURE_OFF"),
)
async def suggest_lines(new: NewSuggestions, caller: Viewer, services: Services) -> Suggestions:
    """Place an invoice's lines on the lines of the vendor's open orders, all together, each with a score and reasons.

    By order numbers in the text, item codes, wording, price, quantity and unit. Nothing is saved or reserved.
    """
    async with services.database.transaction() as session:
        connection = await load(session, services, caller, new.connection_id)
        if not connection.purchase_orders_enabled:
            raise Problem("PO_FEATURE_OFF", status=404)
        open_orders = await purchase_orders.open_for_vendor(
            session, ConnectionId(connection.id), new.vendor_id, limit=LARGEST_PAGE
        )
        held = await ledger.lines_of(session, [PurchaseOrderId(order.id) for order in open_orders])
        candidates = await candidate_lines(session, open_orders, held, new.lines)
    found = await placed(MatchMode(connection.match_mode), new.lines, candidates, new.text)
    return Suggestions(orders=len(open_orders), items=[shown(one) for one in found])


async def candidate_lines(
    session: AsyncSession,
    orders: Sequence[PurchaseOrderRow],
    held: Mapping[PurchaseOrderId, Sequence[LedgerLine]],
    asked: Sequence[LineOfInvoice],
) -> list[CandidateLine]:
    """The orders' lines as suggestions look at them: with what people call the items, and the unit factors needed.

    All orders are of one connection and one vendor.
    """
    if not orders:
        return []
    units = {line.unit for line in asked if line.unit}
    lines = [(order, line) for order in orders for line in held.get(PurchaseOrderId(order.id), ())]
    wanted = {
        UnitWanted(line.item_id, unit, line.unit)
        for _, line in lines
        for unit in units
        if line.unit and unit_factors.unit_key(unit) != unit_factors.unit_key(line.unit)
    }
    known = await unit_factors.factors_for(
        session, ConnectionId(orders[0].connection_id), orders[0].vendor_id, sorted(wanted)
    )
    codes = await list_entries.item_codes(
        session, ConnectionId(orders[0].connection_id), {line.item_id for _, line in lines if line.item_id}
    )
    factors: dict[tuple[str, str], list[UnitFactor]] = {}
    for want, factor in known.items():
        factors.setdefault((want.item_id, want.order_unit), []).append(UnitFactor(unit=want.unit, factor=factor))
    return [
        CandidateLine(
            purchase_order_id=PurchaseOrderId(order.id),
            order_number=order.number,
            line_no=line.line_no,
            item_id=line.item_id,
            item_code=codes.get(line.item_id, ""),
            description=line.description,
            unit=line.unit,
            price=line.price,
            basis=Basis(line.basis),
            ledger=ledger_of(line),
            closed=line.closed,
            units=tuple(factors.get((line.item_id, line.unit), ())),
        )
        for order, line in lines
    ]


async def placed(
    mode: MatchMode, asked: Sequence[LineOfInvoice], candidates: Sequence[CandidateLine], text: str
) -> Sequence[Suggestion]:
    """One suggestion per line, in order. A long invoice takes a second: other requests go on meanwhile."""
    lines = [InvoiceLine(line_no=position, **line.model_dump()) for position, line in enumerate(asked, start=1)]
    return await asyncio.to_thread(suggest, mode, lines, candidates, text)


def shown(found: Suggestion) -> LineSuggestion:
    return LineSuggestion(
        line_no=found.line_no,
        confidence=found.confidence,
        score=found.score,
        proposed=None if found.proposed is None else _guess(found.proposed),
        others=[_guess(other) for other in found.others],
    )


def _guess(guess: OrderLineGuess) -> Guess:
    return Guess(
        **{name: value for name, value in columns(guess, Guess).items() if name != "reasons"},
        purchase_order_number=guess.order_number,
        reasons=[SuggestionReason(**columns(reason, SuggestionReason)) for reason in guess.reasons],
    )
