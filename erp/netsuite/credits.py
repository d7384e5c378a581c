"""Vendor credits: which order lines they take back, and how much of that the order's billed quantity still has.

A credit names the document it was created from, and each of its lines a line of that (reference 3.4, 4): of a bill,
whose line names an order's; of a return authorization, whose line names a bill's; or of an order. A credit made by hand
names none and takes back no line. Nothing is worked out from items, and what the records leave open counts as not
credited: it is better to ask a person than to let goods be billed twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from erp.errors import AuthenticationFailed, ErpError, NotFound, Rejected
from erp.netsuite import statuses, transactions, translate, wire
from erp.netsuite.reader import Reader
from erp.netsuite.translate import ZERO
from erp.netsuite.wire import Fields, Held
from models.domain import ErpId, LineBasis, OrderCredit, PurchaseOrder

RETURN_AUTHORIZATION = "VendorReturnAuthorization"

ASKED_AS = ("vendorBill", "vendorReturnAuthorization", "purchaseOrder")
"""What a credit may be created from, the likeliest first: a reference rarely says of which type its record is."""

ROUNDED = Decimal("0.000001")
"""How far sums of NetSuite's doubles may be apart and still be the same."""


class Origin(NamedTuple):
    """The order line behind a line of a credit."""

    order: str
    line: ErpId
    bill: str | None
    """The bill between them; None where the order itself was credited."""
    billed: Fields
    """The line of the bill, or of the order, that is credited."""


async def sources_of(reader: Reader, credits: Iterable[Held], known: Iterable[Held]) -> dict[str, Held]:
    """What these credits were created from, and what that was, by internal id: what is `known` already is not asked for
    again. What the role may not see, or what is of another kind, is left out."""
    sources = {record.id: record for record in known if record.kind in _KINDS}
    waiting = list(credits)
    while waiting:
        ids = {made for record in waiting if (made := wire.ref_id(record.fields, "createdFrom"))}
        missing = sorted(ids - sources.keys())
        found: list[Held] = []
        for kind in ASKED_AS:
            answers = await reader.records([(kind, one) for one in missing]) if missing else {}
            found += [record for record in answers.values() if isinstance(record, Held)]
            missing = [one for one, answer in answers.items() if _perhaps_of_another_kind(answer)]
        sources |= {record.id: record for record in found}
        # Only a return authorization was made from something that matters here; and never from another one.
        waiting = [] if waiting[0].kind == RETURN_AUTHORIZATION else _returns(sources.values())
    return sources


_KINDS = frozenset({"VendorBill", RETURN_AUTHORIZATION, "PurchaseOrder"})


def _perhaps_of_another_kind(answer: Held | ErpError) -> bool:
    """Whether it is not shown as this kind. Where the role may not see the record, the credit stays unlinked."""
    if isinstance(answer, ErpError) and not isinstance(answer, (NotFound, Rejected, AuthenticationFailed)):
        raise answer
    return isinstance(answer, ErpError)


def _returns(records: Iterable[Held]) -> list[Held]:
    return [record for record in records if record.kind == RETURN_AUTHORIZATION]


def lines_of(document: Held) -> Iterable[tuple[Fields, bool]]:
    """The lines of a credit, items first, and whether they are expenses."""
    for sublist, name in (("itemList", "item"), ("expenseList", "expense")):
        for line in document.lines(sublist, name):
            yield line, name == "expense"


def origin(document: Held, line: Fields, sources: Mapping[str, Held], *, expense: bool) -> Origin | None:
    """The order line that a line of a credit takes back; None where the records name none, or not a single one."""
    source = sources.get(wire.ref_id(document.fields, "createdFrom") or "")
    number = wire.text(line, "orderLine")
    if source is None or number is None:
        return None
    same = [one for one, is_expense in lines_of(source) if (wire.text(one, "line"), is_expense) == (number, expense)]
    if len(same) != 1 or wire.ref_id(same[0], "item") != wire.ref_id(line, "item"):
        return None
    (found,) = same
    if source.kind == RETURN_AUTHORIZATION:
        return None if document.kind == RETURN_AUTHORIZATION else origin(source, found, sources, expense=expense)
    if source.kind == "PurchaseOrder":
        return Origin(source.id, translate.line_id(source.id, number, expense=expense), None, found)
    order, order_line = wire.text(found, "orderDoc"), wire.text(found, "orderLine")
    if not order or not order_line:
        return None
    return Origin(order, translate.line_id(order, order_line, expense=expense), source.id, found)


class Back(NamedTuple):
    """What credits take back of one line; of a line without a quantity, in money."""

    restored: Decimal
    """K: what may be billed again."""
    named: Decimal
    """All that the credits' lines name, at whatever price."""
    most: Decimal
    """What was billed there."""

    def plus(self, other: "Back") -> "Back":
        return Back(self.restored + other.restored, self.named + other.named, self.most + other.most)


NOTHING = Back(ZERO, ZERO, ZERO)


class Credited(NamedTuple):
    """What credits take back of one order."""

    told: tuple[OrderCredit, ...]
    left_out: Mapping[str, Decimal]
    """By line: credited quantity that NetSuite took off the billed quantity itself. The bills are inside it still."""


def credited(
    order: PurchaseOrder, bills: Sequence[Held], credits: Iterable[Held], sources: Mapping[str, Held]
) -> Credited:
    """What of an order's billed quantities was credited, from documents that were read after the order.

    Whether NetSuite takes a credit off the billed quantity is nowhere written (reference 5). The figures tell: billed
    quantity E, and what bills (G) and credits of goods (K) name of a line. What is billed is G - K, so C = E - (G - K),
    where E is G less what NetSuite took off: nothing, K, or all quantities that credits name, those of a price among
    them; then C is below zero. Any other E has one of them on its way, and nothing is freed.
    """
    alive = [bill for bill in bills if transactions.state(bill) not in statuses.DEAD_BILLS]
    lines = {line.erp_id: line for line in order.lines}
    by_bills = _by_bills(order, alive)
    taken = _taken_back(order, {bill.id for bill in alive}, credits, sources)
    told: list[OrderCredit] = []
    left_out: dict[str, Decimal] = {}
    for erp_id, back in taken.items():
        line = lines[erp_id]
        if line.basis is LineBasis.AMOUNT:
            # Its billed amount is the sum of these same bills.
            part = translate.part_of(back.restored, line.amount)
            told.append(OrderCredit(order_line=erp_id, quantity=part, amount=back.restored))
            continue
        off = _taken_off(line.billed, by_bills.get(erp_id, ZERO), back)
        freed = back.restored - (back.named if off is None else off)
        left_out[erp_id] = off or ZERO
        told.append(
            OrderCredit(
                order_line=erp_id,
                quantity=freed,
                amount=wire.cents(freed * line.price),
                unclear=back.named if off is None else ZERO,
            )
        )
    return Credited(tuple(credit for credit in told if credit.quantity or credit.unclear), left_out)


def _taken_off(billed: Decimal, gross: Decimal, back: Back) -> Decimal | None:
    """What NetSuite took off the billed quantity for these credits; None where the figures do not fit."""
    fits = (off for off in (ZERO, back.restored, back.named) if abs(billed - (gross - off)) <= ROUNDED)
    return next(fits, None)


def _by_bills(order: PurchaseOrder, bills: Iterable[Held]) -> Mapping[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for bill in bills:
        for _, line, found, _ in transactions.billed_lines(bill):
            sums[line] += translate.optional_decimal(found, "quantity") or ZERO
    return sums


def _taken_back(
    order: PurchaseOrder, bills: set[str], credits: Iterable[Held], sources: Mapping[str, Held]
) -> Mapping[ErpId, Back]:
    """By order line. No line of a bill gives back more than it billed."""
    basis = {line.erp_id: line.basis for line in order.lines}
    by_source: dict[tuple[ErpId, str | None, str | None], Back] = {}
    for credit in credits:
        if not total_of(credit):
            continue  # voided: its amounts are zero, whatever its lines say
        for line, expense in lines_of(credit):
            found = origin(credit, line, sources, expense=expense)
            if found is None or found.line not in basis or (found.bill is not None and found.bill not in bills):
                continue
            back = _back(line, found.billed, basis[found.line])
            key = (found.line, found.bill, wire.text(found.billed, "line"))
            so_far = by_source.get(key, NOTHING)
            by_source[key] = Back(
                min(so_far.restored + back.restored, back.most), min(so_far.named + back.named, back.most), back.most
            )
    sums: dict[ErpId, Back] = {}
    for (line_id, _, _), back in by_source.items():
        sums[line_id] = sums.get(line_id, NOTHING).plus(back)
    return {line_id: back for line_id, back in sums.items() if back.named}


def _back(line: Fields, billed: Fields, basis: LineBasis) -> Back:
    """What one line of a credit takes back.

    A quantity only at the price it was billed at: for less, it is the price that was credited, and the goods stay. Of a
    line without a quantity only all of it: a part of its amount may as well be a lower price.
    """
    amount, worth = translate.money(line, "amount") or ZERO, translate.money(billed, "amount") or ZERO
    if basis is LineBasis.AMOUNT:
        return Back(amount if amount == worth else ZERO, amount, worth)
    quantity = translate.optional_decimal(line, "quantity") or ZERO
    most = translate.optional_decimal(billed, "quantity") or ZERO
    units = {known for one in (line, billed) if (known := wire.ref_id(one, "units"))}
    if quantity <= 0 or most <= 0 or len(units) > 1:
        return Back(ZERO, ZERO, most)
    as_billed = amount > 0 and amount + wire.CENT >= quantity * worth / most
    return Back(quantity if as_billed else ZERO, quantity, most)


def total_of(credit: Held) -> Decimal:
    """What a credit is for."""
    total = translate.money(credit.fields, "userTotal")
    if total is None:
        total = translate.money(credit.fields, "total")
    return total or ZERO
