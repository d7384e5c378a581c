"""Work out which order lines vendor credits take back, and how much of that the order's billed quantity still includes.

A credit names the document it was created from, and each of its lines names a line of that document (reference 3.4, 4):
of a bill, whose line names an order's; of a return authorization, whose line names a bill's; or of an order. A credit
made by hand names none and takes back no line. Nothing is guessed from items, and what the records leave open counts as
not credited: it is better to ask a person than to let goods be billed twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from erp.errors import AuthenticationFailed, ErpError, NotFound, Rejected
from erp.netsuite import statuses, transactions, translate, wire
from erp.netsuite.reader import Reader
from erp.netsuite.translate import ZERO
from erp.netsuite.wire import Fields, NsRecord
from models.domain.ids import ErpId
from models.domain.orders import LineBasis, OrderCredit, PurchaseOrder

RETURN_AUTHORIZATION = "VendorReturnAuthorization"

ASKED_AS = ("vendorBill", "vendorReturnAuthorization", "purchaseOrder")
"""Types that a credit may be created from, the most likely first: a reference rarely says which type its record has."""

ROUNDED = Decimal("0.000001")
"""How far sums of NetSuite's doubles may differ and still be the same."""


class Origin(NamedTuple):
    """The order line behind a line of a credit."""

    order: str
    line: ErpId
    bill: str | None
    """The bill between them; None: the order itself was credited."""
    billed: Fields
    """The credited line of the bill or of the order."""


async def sources_of(reader: Reader, credits: Iterable[NsRecord], known: Iterable[NsRecord]) -> dict[str, NsRecord]:
    """Return, by internal id, the documents these credits were created from, and the documents behind those. What is in
    `known` is not read again. What the role may not see, or what is of another kind, is left out."""
    sources = {record.id: record for record in known if record.kind in _KINDS}
    waiting = list(credits)
    while waiting:
        ids = {made for record in waiting if (made := wire.ref_id(record.fields, "createdFrom"))}
        missing = sorted(ids - sources.keys())
        read: list[NsRecord] = []
        for kind in ASKED_AS:
            answers = await reader.records([(kind, one) for one in missing]) if missing else {}
            read += [record for record in answers.values() if isinstance(record, NsRecord)]
            missing = [one for one, answer in answers.items() if _perhaps_of_another_kind(answer)]
        sources |= {record.id: record for record in read}
        # Only a return authorization has a source that matters here, and its source is never another one.
        waiting = [] if waiting[0].kind == RETURN_AUTHORIZATION else _returns(sources.values())
    return sources


_KINDS = frozenset({"VendorBill", RETURN_AUTHORIZATION, "PurchaseOrder"})


def _perhaps_of_another_kind(answer: NsRecord | ErpError) -> bool:
    """Return whether the record is not shown as this kind. If the role may not see the record, the credit stays
    unlinked.

    Raises:
        ErpError: any other reason why it is not shown.
    """
    if isinstance(answer, ErpError) and not isinstance(answer, (NotFound, Rejected, AuthenticationFailed)):
        raise answer
    return isinstance(answer, ErpError)


def _returns(records: Iterable[NsRecord]) -> list[NsRecord]:
    return [record for record in records if record.kind == RETURN_AUTHORIZATION]


def lines_of(document: NsRecord) -> Iterable[tuple[Fields, bool]]:
    """Return the lines of a credit, items first, each with whether it is an expense."""
    for sublist, name in (("itemList", "item"), ("expenseList", "expense")):
        for line in document.lines(sublist, name):
            yield line, name == "expense"


def origin(document: NsRecord, line: Fields, sources: Mapping[str, NsRecord], *, expense: bool) -> Origin | None:
    """Return the order line that a line of a credit takes back; None: the records name none, or more than one."""
    source = sources.get(wire.ref_id(document.fields, "createdFrom") or "")
    number = wire.text(line, "orderLine")
    if source is None or number is None:
        return None
    same = [one for one, is_expense in lines_of(source) if (wire.text(one, "line"), is_expense) == (number, expense)]
    if len(same) != 1 or wire.ref_id(same[0], "item") != wire.ref_id(line, "item"):
        return None
    (result,) = same
    if source.kind == RETURN_AUTHORIZATION:
        return None if document.kind == RETURN_AUTHORIZATION else origin(source, result, sources, expense=expense)
    if source.kind == "PurchaseOrder":
        return Origin(source.id, translate.line_id(source.id, number, expense=expense), None, result)
    order, order_line = wire.text(result, "orderDoc"), wire.text(result, "orderLine")
    if not order or not order_line:
        return None
    return Origin(order, translate.line_id(order, order_line, expense=expense), source.id, result)


class Back(NamedTuple):
    """What credits take back of one line: a quantity, or money for a line without a quantity."""

    restored: Decimal
    """K: what may be billed again."""
    named: Decimal
    """Everything that the credits' lines name, at whatever price."""
    most: Decimal
    """What was billed there."""

    def plus(self, other: "Back") -> "Back":
        """Return the sum of both."""
        return Back(self.restored + other.restored, self.named + other.named, self.most + other.most)


NOTHING = Back(ZERO, ZERO, ZERO)


class Credited(NamedTuple):
    """What credits take back of one order."""

    counted: tuple[OrderCredit, ...]
    left_out: Mapping[str, Decimal]
    """By line: credited quantity that NetSuite took off the billed quantity itself. The bills are still part of it."""


def credited(
    order: PurchaseOrder, bills: Sequence[NsRecord], credits: Sequence[NsRecord], sources: Mapping[str, NsRecord]
) -> Credited:
    """Return how much of an order's billed quantities was credited, from documents that were read after the order.

    Whether NetSuite takes a credit off the billed quantity is not documented (reference 5), but the figures show it:
    the billed quantity E, and what bills (G) and credits of goods (K) name of a line. What is billed is G - K, so C = E
    - (G - K). E is G less what NetSuite took off: nothing, or K, or all quantities that credits name, including those
    that only credit a price; in the last case C is below zero. With any other E a document is still on its way, and
    nothing may be billed again.
    """
    alive = [bill for bill in bills if transactions.state(bill) not in statuses.DEAD_BILLS]
    lines = {line.erp_id: line for line in order.lines}
    by_bills = _by_bills(order, alive)
    taken = _taken_back(order, {bill.id for bill in alive}, credits, sources)
    returned = _returned(order, credits, sources)
    counted: list[OrderCredit] = []
    left_out: dict[str, Decimal] = {}
    for erp_id, back in taken.items():
        line = lines[erp_id]
        if line.basis is LineBasis.AMOUNT:
            # Its billed amount is the sum of these same bills.
            part = translate.part_of(back.restored, line.amount)
            counted.append(OrderCredit(order_line=erp_id, quantity=part, amount=back.restored))
            continue
        off = _taken_off(line.billed, by_bills.get(erp_id, ZERO), back)
        freed = back.restored - (back.named if off is None else off)
        left_out[erp_id] = off or ZERO
        gone, gone_on = returned.get(erp_id, (ZERO, None))
        counted.append(
            OrderCredit(
                order_line=erp_id,
                quantity=freed,
                amount=wire.cents(freed * line.price),
                returned=gone,
                returned_on=gone_on,
                unclear=back.named if off is None else ZERO,
            )
        )
    kept = tuple(credit for credit in counted if credit.quantity or credit.unclear or credit.returned)
    return Credited(kept, left_out)


def _taken_off(billed: Decimal, gross: Decimal, back: Back) -> Decimal | None:
    """Return what NetSuite took off the billed quantity for these credits; None: the figures do not fit."""
    fits = (off for off in (ZERO, back.restored, back.named) if abs(billed - (gross - off)) <= ROUNDED)
    return next(fits, None)


def _by_bills(order: PurchaseOrder, bills: Iterable[NsRecord]) -> Mapping[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for bill in bills:
        for _, line, result, _ in transactions.billed_lines(bill):
            sums[line] += translate.optional_decimal(result, "quantity") or ZERO
    return sums


def _taken_back(
    order: PurchaseOrder, bills: set[str], credits: Iterable[NsRecord], sources: Mapping[str, NsRecord]
) -> Mapping[ErpId, Back]:
    """Return what is taken back, by order line. No line of a bill gives back more than it billed."""
    basis = {line.erp_id: line.basis for line in order.lines}
    by_source: dict[tuple[ErpId, str | None, str | None], Back] = {}
    for credit in credits:
        if not total_of(credit):
            continue  # voided: its amounts are zero, whatever its lines say
        for line, expense in lines_of(credit):
            result = origin(credit, line, sources, expense=expense)
            if result is None or result.line not in basis or (result.bill is not None and result.bill not in bills):
                continue
            back = _back(line, result.billed, basis[result.line])
            key = (result.line, result.bill, wire.text(result.billed, "line"))
            so_far = by_source.get(key, NOTHING)
            by_source[key] = Back(
                min(so_far.restored + back.restored, back.most), min(so_far.named + back.named, back.most), back.most
            )
    sums: dict[ErpId, Back] = {}
    for (line_id, _, _), back in by_source.items():
        sums[line_id] = sums.get(line_id, NOTHING).plus(back)
    return {line_id: back for line_id, back in sums.items() if back.named}


def _returned(
    order: PurchaseOrder, credits: Iterable[NsRecord], sources: Mapping[str, NsRecord]
) -> Mapping[str, tuple[Decimal, date]]:
    """Return how much was credited on return authorizations, by order line, and the day of the last such credit.

    NetSuite's order and receipts keep the received quantity: what went back shows in the return's credit alone.
    """
    basis = {line.erp_id: line.basis for line in order.lines}
    sums: dict[str, tuple[Decimal, date]] = {}
    for credit in credits:
        source = sources.get(wire.ref_id(credit.fields, "createdFrom") or "")
        if source is None or source.kind != RETURN_AUTHORIZATION or not total_of(credit):
            continue
        on = translate.need_day(credit, "tranDate")
        for line, expense in lines_of(credit):
            result = origin(credit, line, sources, expense=expense)
            if result is None or basis.get(result.line) is not LineBasis.QUANTITY:
                continue
            quantity = translate.optional_decimal(line, "quantity") or ZERO
            so_far, last = sums.get(result.line, (ZERO, on))
            sums[result.line] = (so_far + quantity, max(last, on))
    return sums


def _back(line: Fields, billed: Fields, basis: LineBasis) -> Back:
    """Return what one line of a credit takes back.

    Count a quantity only if it is credited at the billed price; a lower amount is a price credit, and the goods stay.
    Of a line without a quantity count only the whole amount: a part of it may be a lower price just as well.
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


def total_of(credit: NsRecord) -> Decimal:
    """Return the total of a credit; zero: it was voided."""
    total = translate.money(credit.fields, "userTotal")
    if total is None:
        total = translate.money(credit.fields, "total")
    return total or ZERO
