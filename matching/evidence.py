"""What speaks for and against one invoice line billing one order line, in points.

Points are natural logarithms of likelihood ratios, rounded to what can be defended: +3 makes a pair twenty times as
likely, -3 a twentieth. They add up, and each comes with its reason, so that a person can follow the sum.
"""

from decimal import Decimal
from typing import NamedTuple

from matching.exact import Exact, divide, line_amount, multiply, plain, sensible, shown
from matching.inputs import Basis
from matching.ledger import LineLedger
from matching.order_numbers import Named
from matching.supplier_number import number_key
from matching.units import UnitFactor, unit_key
from matching.wording import likeness, words
from models.domain import MatchMode, PurchaseOrderId, Record

LARGEST_TEXT = 2_000
"""Characters of a description that are compared."""


class InvoiceLine(Record):
    """One line of a supplier's invoice, as far as it says anything. None and blank: it does not say."""

    line_no: int
    description: str = ""
    item_code: str = ""
    """The supplier's code or ours, whichever is printed."""
    quantity: Decimal | None = None
    unit: str = ""
    price: Decimal | None = None
    """Per `unit`."""
    amount: Decimal | None = None
    order_number: str = ""
    """A purchase order number given in a field of its own."""


class CandidateLine(Record):
    """One line of an open order of the invoice's vendor."""

    purchase_order_id: PurchaseOrderId
    order_number: str
    line_no: int
    item_id: str
    item_code: str = ""
    """The code people print, where the ERP knows items by numbers of its own; blank: `item_id` is that code."""
    description: str = ""
    unit: str = ""
    price: Decimal
    basis: Basis = Basis.QUANTITY
    ledger: LineLedger
    closed: bool = False
    units: tuple[UnitFactor, ...] = ()
    """Other units an invoice may use for this line."""

    @property
    def printed_code(self) -> str:
        """What an invoice calls the item."""
        return self.item_code or self.item_id


class Reason(Record):
    """One piece of evidence, for a person to read."""

    code: str
    text: str
    points: float


class Comparable(NamedTuple):
    """An invoice line or an order line with its texts made comparable once."""

    code: str
    code_words: str
    words: str
    """Of the description; of an order line without one, of its item."""


def left_to_bill(mode: MatchMode, candidate: CandidateLine) -> Exact:
    """How much more the line takes: up to what is ordered; in 3-way mode up to what was received, if that is more."""
    ledger = candidate.ledger
    if mode is MatchMode.TWO_WAY:
        return ledger.remaining
    return max(ledger.remaining, ledger.unbilled_received)


def comparable(code: str, text: str) -> Comparable:
    return Comparable(number_key(code) if code.strip() else "", words(code), words(text[:LARGEST_TEXT]))


def in_unit_of(candidate: CandidateLine, line: InvoiceLine) -> Exact | None:
    """What one of the invoice's units is in the order's; None when nobody has told.

    Two names for one unit, EA and Each, betray themselves by the same price.
    """
    if not line.unit or not candidate.unit or unit_key(line.unit) == unit_key(candidate.unit):
        return Decimal(1)
    for known in candidate.units:
        if unit_key(known.unit) == unit_key(line.unit):
            return known.factor
    return Decimal(1) if said(line)[1] == candidate.price else None


def taken(line: InvoiceLine, candidate: CandidateLine) -> Exact | None:
    """What the invoice line takes of the order line: quantity in the order's unit, or money; None: it does not say."""
    quantity, price, amount = said(line)
    if candidate.basis is Basis.AMOUNT:
        if amount is None and quantity is not None and price is not None:
            return line_amount(quantity, price)
        return amount
    factor = in_unit_of(candidate, line)
    return None if quantity is None or factor is None else multiply(quantity, factor)


def said(line: InvoiceLine) -> tuple[Decimal | None, Exact | None, Decimal | None]:
    """Quantity, price and amount as far as they are sensible; the price may follow from the other two."""
    quantity, price, amount = (
        value if value is not None and value > 0 and sensible(value) else None
        for value in (line.quantity, line.price, line.amount)
    )
    if price is None and quantity is not None and amount is not None:
        return quantity, divide(amount, quantity), amount
    return quantity, price, amount


def evidence(
    mode: MatchMode,
    line: InvoiceLine,
    line_text: Comparable,
    candidate: CandidateLine,
    candidate_text: Comparable,
    named: Named,
) -> tuple[Reason, ...]:
    """Every reason for or against this pair. `named`: the orders the invoice names for this line."""
    found = [
        _order(candidate, named),
        _item(line, line_text, candidate, candidate_text),
        _wording(line_text, candidate_text),
        _price(line, candidate),
        _quantity(mode, line, candidate),
        _unit(line, candidate),
    ]
    if candidate.closed:
        found.append(Reason(code="LINE_CLOSED", text="the ERP closed this order line", points=-3))
    return tuple(reason for reason in found if reason is not None)


def _order(candidate: CandidateLine, named: Named) -> Reason | None:
    if candidate.order_number in named.orders:
        return Reason(code="PO_NUMBER_NAMED", text=f"the invoice names {candidate.order_number}", points=4)
    if named.orders:
        others = ", ".join(sorted(named.orders))
        return Reason(code="OTHER_PO_NAMED", text=f"the invoice names {others}", points=-6)
    if named.unknown:
        written = ", ".join(named.unknown)
        return Reason(
            code="UNKNOWN_PO_NAMED", text=f"the invoice names {written}, none of the open orders looked at", points=-6
        )
    return None


def _item(
    line: InvoiceLine, line_text: Comparable, candidate: CandidateLine, candidate_text: Comparable
) -> Reason | None:
    ours = candidate_text.code
    if not ours:
        return None
    if line_text.code in (ours, number_key(candidate.item_id)):
        return Reason(code="ITEM_CODE_EQUAL", text=f"item code {candidate.printed_code}", points=5)
    # A short number in a description is a size or a count, not a code.
    telling = len(ours) >= (5 if ours.isdecimal() else 3)
    if telling and f" {candidate_text.code_words} " in f" {line_text.words} ":
        return Reason(code="ITEM_CODE_IN_TEXT", text=f"the description holds {candidate.printed_code}", points=4)
    if line_text.code:
        # Suppliers print codes of their own: another code says little.
        text = f"item code {line.item_code} here, {candidate.printed_code} on the order"
        return Reason(code="ITEM_CODE_DIFFERS", text=text, points=-1.5)
    return None


def _wording(line_text: Comparable, candidate_text: Comparable) -> Reason | None:
    if not line_text.words or not candidate_text.words:
        return None
    alike = likeness(line_text.words, candidate_text.words)
    if alike >= 0.55:
        points = round(5 * (alike - 0.55) / 0.45, 2)
        return Reason(code="WORDING_SIMILAR", text=f"similar wording, {alike:.2f}", points=points)
    points = round(-2 * min(1.0, (0.55 - alike) / 0.35), 2)
    return Reason(code="WORDING_DIFFERS", text=f"other wording, {alike:.2f}", points=points)


def _price(line: InvoiceLine, candidate: CandidateLine) -> Reason | None:
    factor = in_unit_of(candidate, line)
    _, asked, _ = said(line)
    if candidate.basis is Basis.AMOUNT or asked is None or factor is None:
        return None
    price = divide(asked, factor)
    if price == candidate.price:
        return Reason(code="PRICE_EQUAL", text=f"price {plain(candidate.price)}", points=3)
    text = f"price {shown(price)} here, {plain(candidate.price)} on the order"
    if candidate.price == 0:
        return Reason(code="PRICE_DIFFERS", text=text, points=-1)
    off = abs(float(price) / float(candidate.price) - 1)
    points = round(max(-3.0, 2 - 20 * off), 2)
    return Reason(code="PRICE_CLOSE" if points >= 0 else "PRICE_DIFFERS", text=text, points=points)


def _quantity(mode: MatchMode, line: InvoiceLine, candidate: CandidateLine) -> Reason | None:
    takes = taken(line, candidate)
    if takes is None:
        return None
    left = left_to_bill(mode, candidate)
    what = "amount" if candidate.basis is Basis.AMOUNT else "quantity"
    if takes == left:
        return Reason(code="QUANTITY_IS_THE_REST", text=f"{what} {shown(takes)} is all that is left", points=1.5)
    if takes < left:
        return Reason(code="QUANTITY_FITS", text=f"{what} {shown(takes)} of {shown(left)} left", points=0.5)
    if left <= 0:
        return Reason(code="NOTHING_LEFT", text="nothing is left to bill on this order line", points=-3)
    text = f"{what} {shown(takes)}, only {shown(left)} left"
    return Reason(code="QUANTITY_EXCEEDS", text=text, points=-1.5)


def _unit(line: InvoiceLine, candidate: CandidateLine) -> Reason | None:
    if not line.unit or not candidate.unit:
        return None
    if unit_key(line.unit) == unit_key(candidate.unit):
        return Reason(code="UNIT_EQUAL", text=f"unit {candidate.unit}", points=0.5)
    if any(unit_key(known.unit) == unit_key(line.unit) for known in candidate.units):
        return None
    text = f"unit {line.unit} here, {candidate.unit} on the order"
    return Reason(code="UNIT_DIFFERS", text=text, points=-0.5)
