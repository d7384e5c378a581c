"""Weigh, in points, what supports and what contradicts that an invoice line bills an order line.

Points are natural logarithms of likelihood ratios, rounded to what can be justified: +3 makes a pair twenty times as
likely, -3 twenty times less likely. They add up, and each comes with its reason, so that a person can follow the sum.
"""

from decimal import Decimal
from typing import NamedTuple

from matching.kernel.exact import Exact, divide, line_amount, multiply, plain, sensible, shown
from matching.kernel.inputs import Basis
from matching.kernel.ledger import LineLedger
from matching.kernel.units import UnitFactor
from matching.suggest.order_numbers import Named
from matching.suggest.wording import likeness, words
from models.domain.connections import MatchMode
from models.domain.ids import PurchaseOrderId
from models.domain.invoice_numbers import number_key
from models.domain.record import Record
from models.domain.units import unit_key

LARGEST_TEXT = 2_000
"""How many characters of a description are compared."""


class InvoiceLine(Record):
    """What a supplier's invoice says of one line. None and blank: it does not say."""

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
    order_line_id: str = ""
    """The ERP's id of the line."""
    item_id: str
    item_code: str = ""
    """The code people print, if the ERP has its own numbers for items; blank: `item_id` is that code."""
    description: str = ""
    unit: str = ""
    price: Decimal
    basis: Basis = Basis.QUANTITY
    ledger: LineLedger
    closed: bool = False
    units: tuple[UnitFactor, ...] = ()
    """Other units that an invoice may use for this line."""

    @property
    def printed_code(self) -> str:
        """Return the code an invoice uses for the item."""
        return self.item_code or self.item_id


class Reason(Record):
    """One piece of evidence, for a person to read."""

    code: str
    text: str
    points: float


class Comparable(NamedTuple):
    """An invoice line or an order line with its texts prepared for comparison, once."""

    code: str
    code_words: str
    words: str
    """The words of the description; for an order line without one, of its item."""


def left_to_bill(mode: MatchMode, candidate: CandidateLine) -> Exact:
    """Return how much more the line can take: up to what is ordered; in 3-way mode up to what was received, if that is
    more."""
    ledger = candidate.ledger
    if mode is MatchMode.TWO_WAY:
        return ledger.remaining
    return max(ledger.remaining, ledger.unbilled_received)


def comparable(code: str, text: str) -> Comparable:
    """Return a code and a text prepared for comparison."""
    return Comparable(number_key(code) if code.strip() else "", words(code), words(text[:LARGEST_TEXT]))


def in_unit_of(candidate: CandidateLine, line: InvoiceLine) -> Exact | None:
    """Return how much of the order line's unit one of the invoice's units is; None: nobody has said.

    Two names for one unit, such as EA and Each, show by the same price.
    """
    if not line.unit or not candidate.unit or unit_key(line.unit) == unit_key(candidate.unit):
        return Decimal(1)
    for known in candidate.units:
        if unit_key(known.unit) == unit_key(line.unit):
            return known.factor
    return Decimal(1) if said(line)[1] == candidate.price else None


def taken(line: InvoiceLine, candidate: CandidateLine) -> Exact | None:
    """Return what the invoice line takes of the order line: a quantity in the order line's unit, or money; None: it
    does not say."""
    quantity, price, amount = said(line)
    if candidate.basis is Basis.AMOUNT:
        if amount is None and quantity is not None and price is not None:
            return line_amount(quantity, price)
        return amount
    factor = in_unit_of(candidate, line)
    return None if quantity is None or factor is None else multiply(quantity, factor)


def said(line: InvoiceLine) -> tuple[Decimal | None, Exact | None, Decimal | None]:
    """Return quantity, price and amount, each if it is sensible; the price may follow from the other two."""
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
    """Return every reason for or against this pair. `named`: the orders that the invoice names for this line."""
    results = [
        _order(candidate, named),
        _item(line, line_text, candidate, candidate_text),
        _wording(line_text, candidate_text),
        _price(line, candidate),
        _quantity(mode, line, candidate),
        _unit(line, candidate),
    ]
    if candidate.closed:
        results.append(Reason(code="LINE_CLOSED", text="the ERP closed this order line", points=-3))
    return tuple(reason for reason in results if reason is not None)


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
