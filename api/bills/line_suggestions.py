"""Suggest which order lines an invoice's lines bill, with reasons for the person who decides. Nothing is saved."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections.routes import load
from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.schemas import LINES, LINES_RULES, Amount, Code, Input, Name, Named, Price, Quantity, columns
from api.http.services import Services
from matching.kernel.inputs import Basis
from matching.kernel.units import UnitFactor
from matching.suggest.suggestion import (
    CandidateLine,
    Confidence,
    InvoiceLine,
    OrderLineGuess,
    Suggestion,
    SuggestionsNotInstalled,
    suggest,
)
from models.domain.connections import MatchMode
from models.domain.ids import ConnectionId, PurchaseOrderId
from models.domain.units import unit_key
from models.store.base.pages import LARGEST_PAGE
from models.store.orders import ledger, purchase_orders
from models.store.orders.ledger import LedgerLine
from models.store.policies import unit_factors
from models.store.policies.unit_factors import UnitWanted
from models.store.sync import list_entries
from models.tables import PurchaseOrderRow
from services.bills.matching import ledger_of

router = APIRouter(prefix="/v1/line-suggestions", tags=["bills"], route_class=ExactRoute)

Wording = Annotated[str, Field(max_length=2_000, pattern=LINES), *LINES_RULES]
FreeText = Annotated[
    str,
    Field(
        max_length=10_000,
        pattern=LINES,
        description="Other text of the invoice. Order numbers are read from it: PO 1007, P.O.#1007, po-1007.",
        examples=["Delivered on your P.O.#1007"],
    ),
    *LINES_RULES,
]


class LineOfInvoice(Input):
    """What is known of one invoice line. Leave a field blank or null where the invoice says nothing."""

    description: Wording = Field(default="", examples=["M8 x 40 hex bolt, zinc plated"])
    item_code: Code = Field(default="", description="The supplier's item code, or ours.")
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


class SuggestionReason(Output):
    code: str
    text: str
    points: float
    """Natural logarithm of a likelihood ratio: +3 makes the order line twenty times as likely, -3 twenty times less
    likely."""


class Guess(Output):
    """An order line that the invoice line may bill."""

    purchase_order_id: str
    purchase_order_number: str
    order_line_no: int
    order_line_id: str
    item_id: str
    description: str
    fit: float
    """From 0 to 1: how well this pair fits, without regard to the other lines of the invoice."""
    reasons: list[SuggestionReason]


class LineSuggestion(Output):
    line_no: int
    """Position of the line in the request, counted from 1."""
    confidence: Confidence
    """sure: score 0.97 and more; likely: score 0.80 and more; unsure: less."""
    score: float
    """From 0 to 1: how much better the proposal for the whole invoice is than any that puts this line elsewhere."""
    proposed: Guess | None
    others: list[Guess]
    """Other order lines it may bill, best first. Without a proposal, the first is the best guess."""


class Suggestions(Output):
    orders: int
    """How many open orders of the vendor were looked at: the most recent ones, 500 at most."""
    items: list[LineSuggestion]


@router.post(
    "",
    operation_id="suggestLines",
    summary="Propose order lines for invoice lines",
    responses=answers("NOT_FOUND", "PO_FEATURE_OFF", "SUGGESTIONS_NOT_INSTALLED"),
)
async def suggest_lines(new: NewSuggestions, caller: Viewer, services: Services) -> Suggestions:
    """Propose an order line of the vendor's open orders for each line of an invoice, with a score and reasons.

    All lines are placed together. The proposal uses order numbers in the text, item codes, wording, price, quantity and
    unit. Nothing is saved or reserved.
    """
    async with services.database.transaction() as session:
        connection = await load(session, services, caller, new.connection_id)
        if not connection.purchase_orders_enabled:
            raise Problem("PO_FEATURE_OFF", status=404)
        open_orders = await purchase_orders.open_for_vendor(
            session, ConnectionId(connection.id), new.vendor_id, limit=LARGEST_PAGE
        )
        stored = await ledger.lines_of(session, [PurchaseOrderId(order.id) for order in open_orders])
        candidates = await candidate_lines(session, open_orders, stored, new.lines)
    result = await placed(MatchMode(connection.match_mode), new.lines, candidates, new.text)
    return Suggestions(orders=len(open_orders), items=[shown(one) for one in result])


async def candidate_lines(
    session: AsyncSession,
    orders: Sequence[PurchaseOrderRow],
    stored: Mapping[PurchaseOrderId, Sequence[LedgerLine]],
    asked: Sequence[LineOfInvoice],
) -> list[CandidateLine]:
    """Return the orders' lines in the form suggestions work on: with the names people use for the items, and the unit
    factors needed.

    All orders must be of one connection and one vendor.
    """
    if not orders:
        return []
    units = {line.unit for line in asked if line.unit}
    lines = [(order, line) for order in orders for line in stored.get(PurchaseOrderId(order.id), ())]
    wanted = {
        UnitWanted(line.item_id, unit, line.unit)
        for _, line in lines
        for unit in units
        if line.unit and unit_key(unit) != unit_key(line.unit)
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
            order_line_id=line.erp_id,
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
    """Return one suggestion per invoice line, in order. It runs in a thread, because a long invoice takes about a
    second and other requests must go on.

    Raises:
        Problem: SUGGESTIONS_NOT_INSTALLED.
    """
    lines = [InvoiceLine(line_no=position, **line.model_dump()) for position, line in enumerate(asked, start=1)]
    try:
        return await asyncio.to_thread(suggest, mode, lines, candidates, text)
    except SuggestionsNotInstalled as error:
        raise Problem("SUGGESTIONS_NOT_INSTALLED") from error


def shown(result: Suggestion) -> LineSuggestion:
    return LineSuggestion(
        line_no=result.line_no,
        confidence=result.confidence,
        score=result.score,
        proposed=None if result.proposed is None else _guess(result.proposed),
        others=[_guess(other) for other in result.others],
    )


def _guess(guess: OrderLineGuess) -> Guess:
    return Guess(
        **{name: value for name, value in columns(guess, Guess).items() if name != "reasons"},
        purchase_order_number=guess.order_number,
        reasons=[SuggestionReason(**columns(reason, SuggestionReason)) for reason in guess.reasons],
    )
