"""Check the bill as a whole, before its lines. Of these checks, only the dates have limits that a policy sets."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from matching.kernel.exact import sensible
from matching.kernel.inputs import BillToMatch, OrderToMatch, VendorState
from matching.kernel.result import FIRST_RULES, Finding, Outcome
from matching.rules.dates import check_dates
from matching.rules.tolerances import DateLimits
from models.domain.orders import MatchingStatus, PoStatus


def check_header(orders: Sequence[OrderToMatch], bill: BillToMatch, rules: int, days: DateLimits) -> Iterator[Finding]:
    """Return everything wrong with the bill as a whole, in the order a person would check it."""
    yield from _vendor_state(bill)
    for position, order in enumerate(orders):
        for finding in _against(orders[0], order, bill):
            yield finding if position == 0 else finding.model_copy(update={"id": f"{finding.id}:{order.id}"})
    yield from _open_period(bill)
    if rules > FIRST_RULES:
        yield from check_dates(bill, rules, days)
    if bill.due_known is False:
        yield _due_date_missing(bill)
    if not bill.lines and not bill.account_lines:
        yield Finding(
            id="NO_LINES",
            code="NO_LINES",
            severity=Outcome.BLOCK,
            message="The bill has no lines, so there is nothing to match.",
            rule="HEADER.LINES",
            formula="the bill has no lines",
            who="ap",
            fix=("add at least one line of the order to the bill",),
        )


def _due_date_missing(bill: BillToMatch) -> Finding:
    return Finding(
        id="DUE_DATE_MISSING",
        code="DUE_DATE_MISSING",
        severity=Outcome.HOLD,
        message="Nobody knows when the bill is due: it has no due date, and neither order nor vendor has a payment "
        "term. The accounting system takes no such bill.",
        rule="HEADER.DUE_DATE",
        formula="no due date and no payment term",
        values={"vendor": bill.vendor_id},
        who="ap",
        fix=(
            "give the bill its due date",
            "or give the vendor a payment term in the accounting system and sync",
        ),
    )


def _against(first: OrderToMatch, order: OrderToMatch, bill: BillToMatch) -> Iterator[Finding]:
    """Check the bill against one of its orders. What the bill does not say is taken from its first order."""
    yield from _order_state(order)
    yield from _same_vendor(order, bill)
    yield from _same_currency(order, bill.currency if bill.currency is not None else first.currency)
    yield from _same_entity(order, bill.entity if bill.entity is not None else first.entity)


def _order_state(order: OrderToMatch) -> Iterator[Finding]:
    if order.left_out:
        yield Finding(
            id="PO_NOT_BILLABLE",
            code="PO_NOT_BILLABLE",
            purchase_order_id=order.id,
            severity=Outcome.BLOCK,
            message=f"Order {order.number} stays out of the sync: {order.left_out}.",
            rule="HEADER.PO_STATUS",
            formula="order left out",
            values={"left_out": order.left_out},
            who="purchasing",
            fix=("have the order put right in the accounting system and sync", "or bill another order"),
        )
    elif order.status is not PoStatus.CLOSED and order.matching_status is MatchingStatus.CLOSED:
        yield _closed(order, "is billed in full", _RAISE)
    elif order.status is PoStatus.CLOSED:
        goes_on = (f"bill order {order.continued_by}",) if order.continued_by else _REOPEN_ORDER
        yield _closed(order, "is closed", goes_on)
    elif order.matching_status in _NOT_BILLABLE:
        state, help_ = _NOT_BILLABLE[order.matching_status]
        yield Finding(
            id="PO_NOT_BILLABLE",
            code="PO_NOT_BILLABLE",
            purchase_order_id=order.id,
            severity=Outcome.BLOCK,
            message=f"Order {order.number} is {state} in the accounting system.",
            rule="HEADER.PO_STATUS",
            formula="order status is neither open nor partly billed",
            values={"status": order.status, "matching_status": order.matching_status},
            who="purchasing",
            fix=(f"have the order {help_} in the accounting system and sync", "or bill another order"),
        )


_NOT_BILLABLE = {
    MatchingStatus.PENDING_APPROVAL: ("not approved yet", "approved"),
    MatchingStatus.DELETED: ("deleted or declined", "made again"),
}
"""The order states that take no bill, in words, with what would help."""


def _closed(order: OrderToMatch, state: str, fix: tuple[str, ...]) -> Finding:
    rest = f" What was left of it goes on as order {order.continued_by}." if order.continued_by else ""
    return Finding(
        id="PO_CLOSED",
        code="PO_CLOSED",
        purchase_order_id=order.id,
        severity=Outcome.BLOCK,
        message=f"Order {order.number} {state} in the accounting system and takes no more bills.{rest}",
        rule="HEADER.PO_STATUS",
        formula="order status = closed",
        values={"status": order.status, "matching_status": order.matching_status},
        who="purchasing",
        fix=fix,
    )


_REOPEN_ORDER = ("reopen the order in the accounting system and sync", "or bill another order")
_RAISE = ("bill another order", "or have the order raised in the accounting system and sync")


LINKED = "HEADER.VENDOR_LINK"
"""The rule's name if the ERP itself requires one vendor: then nobody can decide otherwise."""


def _same_vendor(order: OrderToMatch, bill: BillToMatch) -> Iterator[Finding]:
    """Return a finding if the vendor is another one. It needs a decision, because groups bill under several names."""
    if bill.vendor_id != order.vendor_id:
        refused = ""
        if not bill.other_vendors:
            refused = " The accounting system links no bill to an order of another vendor."
        yield Finding(
            id="VENDOR_MISMATCH",
            code="VENDOR_MISMATCH",
            purchase_order_id=order.id,
            severity=Outcome.HOLD,
            message=f"The bill is from vendor {bill.vendor}, order {order.number} went to {order.vendor}.{refused}",
            rule="HEADER.VENDOR" if bill.other_vendors else LINKED,
            formula="bill vendor <> order vendor",
            values={"bill": bill.vendor_id, "order": order.vendor_id},
            who="ap",
            fix=("choose an order of the bill's vendor", "or correct the bill's vendor"),
        )


def _same_currency(order: OrderToMatch, currency: str | None) -> Iterator[Finding]:
    """Return a finding if the currency is another one: it is refused, because no amount is ever converted."""
    if _disagree(order.currency, currency):
        yield Finding(
            id="CURRENCY_MISMATCH",
            code="CURRENCY_MISMATCH",
            purchase_order_id=order.id,
            severity=Outcome.BLOCK,
            message=f"The bill is in {currency}, order {order.number} is in {order.currency}.",
            rule="HEADER.CURRENCY",
            formula="bill currency <> order currency",
            values={"bill": str(currency), "order": str(order.currency)},
            who="vendor",
            fix=(f"ask the vendor for a bill in {order.currency}", "or choose another order"),
        )


def two_currencies(order: OrderToMatch, bill: BillToMatch) -> bool:
    """Return whether order and bill name two different currencies."""
    return _disagree(order.currency, bill.currency)


def _same_entity(order: OrderToMatch, entity: str | None) -> Iterator[Finding]:
    """Return a finding if the entity is another one: an order of one entity is not billed by another."""
    if _disagree(order.entity, entity):
        yield Finding(
            id="ENTITY_MISMATCH",
            code="ENTITY_MISMATCH",
            purchase_order_id=order.id,
            severity=Outcome.BLOCK,
            message=f"The bill is for entity {entity}, order {order.number} belongs to entity {order.entity}.",
            rule="HEADER.ENTITY",
            formula="bill entity <> order entity",
            values={"bill": str(entity), "order": str(order.entity)},
            who="ap",
            fix=(f"create the bill on a connection to entity {order.entity}", "or choose another order"),
        )


def _disagree(ours: str | None, theirs: str | None) -> bool:
    """Return whether two names differ. An ERP that keeps one currency or entity leaves it out: only two that are named
    can disagree."""
    return ours is not None and theirs is not None and ours != theirs


def _vendor_state(bill: BillToMatch) -> Iterator[Finding]:
    if bill.vendor_state is None or bill.vendor_state is VendorState.ACTIVE:
        return
    code, severity, words, fix = _VENDOR_STATES[bill.vendor_state]
    yield Finding(
        id=code,
        code=code,
        severity=severity,
        message=f"Vendor {bill.vendor} {words}.",
        rule="HEADER.VENDOR_STATE",
        formula=f"vendor is {bill.vendor_state.value.replace('_', ' ')}",
        values={"vendor": bill.vendor_id, "state": bill.vendor_state},
        who="admin",
        fix=fix,
    )


_REOPEN = ("make the vendor active in the accounting system and sync", "or correct the bill's vendor")
_VENDOR_STATES = {
    VendorState.ON_HOLD: (
        "VENDOR_ON_HOLD",
        Outcome.HOLD,
        "is on hold in the accounting system",
        ("take the hold off in the accounting system and sync", "or decide that this bill may go on"),
    ),
    VendorState.INACTIVE: ("VENDOR_INACTIVE", Outcome.BLOCK, "is inactive in the accounting system", _REOPEN),
    VendorState.CLOSED: ("VENDOR_INACTIVE", Outcome.BLOCK, "is closed in the accounting system", _REOPEN),
    VendorState.UNKNOWN: (
        "VENDOR_UNKNOWN",
        Outcome.HOLD,
        "is not in the accounting system's vendor list",
        ("add the vendor in the accounting system and sync", "or correct the bill's vendor"),
    ),
}


def _open_period(bill: BillToMatch) -> Iterator[Finding]:
    """Return a finding if the posting date lies in a closed period. A closed month of one entity says nothing about
    another: the caller gives the entity's own."""
    if bill.posting_date is None or bill.closed_through is None or bill.posting_date > bill.closed_through:
        return
    first_open = bill.closed_through + timedelta(days=1)
    whose = f" of entity {bill.entity}" if bill.entity else ""
    yield Finding(
        id="PERIOD_CLOSED",
        code="PERIOD_CLOSED",
        severity=Outcome.HOLD,
        message=f"The books{whose} are closed through {bill.closed_through}; the bill posts on {bill.posting_date}.",
        rule="HEADER.PERIOD",
        formula="posting date <= closed through",
        values={
            "posting_date": str(bill.posting_date),
            "closed_through": str(bill.closed_through),
            "first_open_date": str(first_open),
        },
        who="ap",
        fix=(f"post it on {first_open}, the first open day", "or reopen the period in the accounting system and sync"),
    )


def numbers_are_sensible(orders: Sequence[OrderToMatch], bill: BillToMatch) -> bool:
    """Return whether the rules can compute with every amount of the bill as a whole and of its orders."""
    return (
        sensible(bill.total, bill.tax, bill.expected_tax, bill.discount)
        and sensible(*[line.amount for line in bill.account_lines], *[charge.amount for charge in bill.charges])
        and all(
            sensible(order.total, order.tax, order.billed_amount, *order.billed_charges.values()) for order in orders
        )
    )


def check_figures(bill: BillToMatch, *, sensible_numbers: bool) -> Iterator[Finding]:
    """Return findings for figures of the bill as a whole that no check can compute with; `sensible_numbers` is what
    `numbers_are_sensible` says of it and its orders."""
    if not sensible_numbers:
        yield Finding(
            id="INVALID_NUMBER",
            code="INVALID_NUMBER",
            severity=Outcome.BLOCK,
            message="A total, a tax, a charge or the discount is too large or too precise.",
            rule="HEADER.NUMBERS",
            formula="a number is 10^21 or more, or has more than 41 digits or 40 decimal places",
            who="ap",
            fix=("enter the figures as they are on the invoice",),
        )
    elif bill.discount < 0:
        yield Finding(
            id="INVALID_AMOUNT",
            code="INVALID_AMOUNT",
            severity=Outcome.BLOCK,
            message=f"The discount is {bill.discount}; it is taken off the total and may not be negative.",
            rule="HEADER.DISCOUNT",
            formula="discount < 0",
            values={"discount": str(bill.discount)},
            who="ap",
            fix=("enter the discount without a sign", "or enter a charge if the vendor added something"),
        )
