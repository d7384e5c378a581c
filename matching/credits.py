"""What was billed and is not owed: vendor credits, and returns that ask for one (matching rules 3.6, R01..R10)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum

from matching.exact import ZERO, Exact, multiply, plain, sensible, shown, size, subtract, total
from matching.header import same_currency, same_entity, same_vendor
from matching.inputs import Basis, OrderLineToMatch, OrderToMatch
from matching.ledger import LineLedger
from matching.lines import unit_factor
from matching.result import Finding, Outcome, worst
from models.domain import MatchMode, PurchaseOrderId, Record


class CreditKind(StrEnum):
    """Whether goods are taken off the bill, or only money."""

    QUANTITY = "quantity"
    """Goods that may be billed again: it enters C."""
    PRICE = "price"
    """Money only: the quantity stays billed."""


class CreditLineToMatch(Record):
    """One line of a vendor credit. Quantity and amount are positive, as on the credit note."""

    line_no: int
    purchase_order_id: PurchaseOrderId
    order_line_no: int
    kind: CreditKind = CreditKind.QUANTITY
    quantity: Decimal = ZERO
    unit: str = ""
    amount: Decimal


class CreditToMatch(Record):
    """A vendor credit about to be saved."""

    vendor_id: str
    number: str
    currency: str | None
    entity: str | None
    lines: tuple[CreditLineToMatch, ...]


class CreditResult(Record):
    """As a match result: the worst finding decides, and the inputs are kept to compute it again."""

    outcome: Outcome
    mode: MatchMode
    orders: tuple[OrderToMatch, ...]
    credit: CreditToMatch
    findings: tuple[Finding, ...] = ()


def match_credit(mode: MatchMode, orders: Sequence[OrderToMatch], credit: CreditToMatch) -> CreditResult:
    """Judge a vendor credit before it is saved: nobody credits more than was billed (R09).

    A closed order or line takes a credit: it was billed, so it may be credited.
    """
    findings = tuple(_check(orders, credit))
    return CreditResult(
        outcome=worst(finding.severity for finding in findings),
        mode=mode,
        orders=tuple(orders),
        credit=credit,
        findings=findings,
    )


def credited_quantity(order_line: OrderLineToMatch, line: CreditLineToMatch) -> Exact | None:
    """What a credit line adds to C, in the order's unit; None where its unit is unknown."""
    if line.kind is CreditKind.PRICE:
        return ZERO
    if order_line.basis is Basis.AMOUNT:
        return line.amount
    factor = unit_factor(order_line, line.unit)
    return None if factor is None else multiply(line.quantity, factor)


def expected_credit(mode: MatchMode, ledger: LineLedger, *, received_before: Exact | None = None) -> Exact:
    """The quantity that was billed, sent back and not credited yet: B - R_net after a return (R01..R03).

    Without a return, a bill ahead of its goods expects goods, not a credit. `received_before` tells of goods that left
    without a return document: a receipt that was lowered. 2-way matching knows nothing of receipts, and asks for none.
    """
    went_back = ledger.returned > 0 or (received_before is not None and received_before > ledger.net_received)
    if mode is MatchMode.TWO_WAY or not went_back:
        return ZERO
    return max(subtract(ledger.net_billed, ledger.net_received), ZERO)


def _check(orders: Sequence[OrderToMatch], credit: CreditToMatch) -> Iterator[Finding]:
    for position, order in enumerate(orders):
        for finding in (
            *same_vendor(order, credit.vendor_id, "credit"),
            *same_currency(order, credit.currency, "credit"),
            *same_entity(order, credit.entity, "credit"),
        ):
            yield finding if position == 0 else finding.model_copy(update={"id": f"{finding.id}:{order.id}"})
    held = {(order.id, line.line_no): (order, line) for order in orders for line in order.lines}
    of_line: dict[tuple[PurchaseOrderId, int], list[tuple[CreditLineToMatch, Exact]]] = defaultdict(list)
    for line in credit.lines:
        key = (line.purchase_order_id, line.order_line_no)
        if key not in held:
            yield _unfit(line, "LINE_NOT_ON_ORDER", "credits a line that its order does not have", "no such line")
            continue
        order_line = held[key][1]
        by_quantity = line.kind is CreditKind.QUANTITY and order_line.basis is Basis.QUANTITY
        if not (sensible(line.quantity) and sensible(line.amount) and order_line.ledger.sensible):
            yield _unfit(line, "INVALID_NUMBER", "has a number that is too large or too precise", "10^21 or more")
        elif by_quantity and line.quantity <= 0:
            yield _unfit(line, "INVALID_QTY", "needs a quantity of more than zero", "c <= 0")
        elif line.amount < 0 or (line.amount == 0 and not by_quantity):
            yield _unfit(line, "INVALID_AMOUNT", "needs an amount of more than zero", "amount <= 0")
        else:
            quantity = credited_quantity(order_line, line)
            if quantity is None:
                yield _unfit(
                    line, "UOM_UNKNOWN", f"is in {line.unit}, a unit not known here", "no factor", Outcome.HOLD
                )
            else:
                of_line[key].append((line, quantity))
    for key, lines in of_line.items():
        yield from _exceeds(*held[key], lines, home=key[0] == orders[0].id)
    yield from _exceeds_amounts(orders, credit)


def _exceeds(
    order: OrderToMatch, order_line: OrderLineToMatch, lines: Sequence[tuple[CreditLineToMatch, Exact]], *, home: bool
) -> Iterator[Finding]:
    quantity = total(credited for _, credited in lines)
    billed = order_line.ledger.net_billed
    if quantity > billed:
        yield Finding(
            id=f"CREDIT_EXCEEDS_BILLED:{'' if home else f'{order.id}/'}line-{order_line.line_no}",
            code="CREDIT_EXCEEDS_BILLED",
            severity=Outcome.BLOCK,
            message=(
                f"Line {order_line.line_no} ({order_line.item}): {shown(quantity)} credited, but only "
                f"{shown(max(billed, ZERO))} is billed."
            ),
            purchase_order_id=order.id,
            line=order_line.line_no,
            bill_lines=tuple(line.line_no for line, _ in lines),
            rule="CREDIT.QUANTITY",
            formula="c > B",
            values={"c": plain(quantity), "B": plain(billed)},
            limit=billed,
            margin=subtract(billed, quantity),
            money_at_stake=multiply(subtract(quantity, max(billed, ZERO)), order_line.price)
            if order_line.basis is Basis.QUANTITY
            else subtract(quantity, max(billed, ZERO)),
            who="ap",
            fix=(f"lower the credit to {shown(max(billed, ZERO))}", "or enter the bill it belongs to first"),
        )


def _exceeds_amounts(orders: Sequence[OrderToMatch], credit: CreditToMatch) -> Iterator[Finding]:
    """Credits of money alone cannot be more than the money billed on their order."""
    for position, order in enumerate(orders):
        amounts = [
            line.amount
            for line in credit.lines
            if line.purchase_order_id == order.id and line.kind is CreditKind.PRICE and sensible(line.amount)
        ]
        asked = total(amounts)
        if asked > order.billed_amount:
            yield Finding(
                id=f"CREDIT_EXCEEDS_AMOUNT{'' if position == 0 else f':{order.id}'}",
                code="CREDIT_EXCEEDS_BILLED",
                severity=Outcome.BLOCK,
                message=(
                    f"{shown(asked)} credited on order {order.number}, but only {shown(order.billed_amount)} is billed."
                ),
                purchase_order_id=order.id,
                rule="CREDIT.AMOUNT",
                formula="credited amount > billed amount",
                values={"credited": plain(asked), "billed": plain(order.billed_amount)},
                limit=order.billed_amount,
                margin=subtract(order.billed_amount, asked),
                money_at_stake=size(subtract(asked, order.billed_amount)),
                who="ap",
                fix=("lower the credit to what was billed", "or enter the bill it belongs to first"),
            )


def _unfit(line: CreditLineToMatch, code: str, what: str, formula: str, severity: Outcome = Outcome.BLOCK) -> Finding:
    return Finding(
        id=f"{code}:credit-line-{line.line_no}",
        code=code,
        severity=severity,
        message=f"Credit line {line.line_no} {what}.",
        purchase_order_id=line.purchase_order_id,
        line=line.order_line_no,
        bill_lines=(line.line_no,),
        rule="CREDIT.LINE",
        formula=formula,
        values={"quantity": plain(line.quantity), "amount": plain(line.amount), "unit": line.unit},
        who="ap",
        fix=("enter the line as it is on the credit note",),
    )
