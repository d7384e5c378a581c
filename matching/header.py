"""Checks of the bill as a whole, before its lines (matching rules 3.5). None of them needs a policy."""

from collections.abc import Iterator

from matching.inputs import BillToMatch, OrderToMatch
from matching.result import Finding, Outcome
from models.domain import MatchingStatus, PoStatus


def check_header(order: OrderToMatch, bill: BillToMatch) -> Iterator[Finding]:
    """Everything wrong with the bill as a whole, in the order a person would look at it."""
    yield from _order_state(order)
    yield from _same_vendor(order, bill)
    yield from _same_currency(order, bill)
    yield from _same_entity(order, bill)
    yield from _not_kept_already(bill)
    if not bill.lines:
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


def _order_state(order: OrderToMatch) -> Iterator[Finding]:
    if order.status is PoStatus.CLOSED or order.matching_status is MatchingStatus.CLOSED:
        rest = f" What was left of it goes on as order {order.continued_by}." if order.continued_by else ""
        fix = ("reopen the order in the accounting system and sync", "or bill another order")
        yield Finding(
            id="PO_CLOSED",
            code="PO_CLOSED",
            severity=Outcome.BLOCK,
            message=f"Order {order.number} is closed in the accounting system and takes no more bills.{rest}",
            rule="HEADER.PO_STATUS",
            formula="order status = closed",
            values={"status": order.status, "matching_status": order.matching_status},
            who="purchasing",
            fix=(f"bill order {order.continued_by}",) if order.continued_by else fix,
        )
    elif order.matching_status in (MatchingStatus.PENDING_APPROVAL, MatchingStatus.DELETED):
        yield Finding(
            id="PO_NOT_BILLABLE",
            code="PO_NOT_BILLABLE",
            severity=Outcome.BLOCK,
            message=f"Order {order.number} is {_STATE_WORDS[order.matching_status]} in the accounting system.",
            rule="HEADER.PO_STATUS",
            formula="order status is neither open nor partly billed",
            values={"status": order.status, "matching_status": order.matching_status},
            who="purchasing",
            fix=("have the order approved in the accounting system and sync", "or bill another order"),
        )


_STATE_WORDS = {
    MatchingStatus.PENDING_APPROVAL: "not approved yet",
    MatchingStatus.DELETED: "deleted or declined",
}


def _same_vendor(order: OrderToMatch, bill: BillToMatch) -> Iterator[Finding]:
    if bill.vendor_id != order.vendor_id:
        yield Finding(
            id="VENDOR_MISMATCH",
            code="VENDOR_MISMATCH",
            severity=Outcome.HOLD,
            message=f"The bill is from vendor {bill.vendor_id}, order {order.number} went to {order.vendor_id}.",
            rule="HEADER.VENDOR",
            formula="bill vendor <> order vendor",
            values={"bill": bill.vendor_id, "order": order.vendor_id},
            who="ap",
            fix=("choose an order of the bill's vendor", "or correct the bill's vendor"),
        )


def _same_currency(order: OrderToMatch, bill: BillToMatch) -> Iterator[Finding]:
    # An ERP that keeps one currency leaves it out; only two that are named can disagree.
    if order.currency is not None and bill.currency is not None and bill.currency != order.currency:
        yield Finding(
            id="CURRENCY_MISMATCH",
            code="CURRENCY_MISMATCH",
            severity=Outcome.BLOCK,
            message=f"The bill is in {bill.currency}, order {order.number} is in {order.currency}.",
            rule="HEADER.CURRENCY",
            formula="bill currency <> order currency",
            values={"bill": bill.currency, "order": order.currency},
            who="vendor",
            fix=(f"ask the vendor for a bill in {order.currency}", "or choose another order"),
        )


def _same_entity(order: OrderToMatch, bill: BillToMatch) -> Iterator[Finding]:
    if order.entity is not None and bill.entity is not None and bill.entity != order.entity:
        yield Finding(
            id="ENTITY_MISMATCH",
            code="ENTITY_MISMATCH",
            severity=Outcome.BLOCK,
            message=f"The bill is for entity {bill.entity}, order {order.number} belongs to entity {order.entity}.",
            rule="HEADER.ENTITY",
            formula="bill entity <> order entity",
            values={"bill": bill.entity, "order": order.entity},
            who="ap",
            fix=(f"create the bill on a connection to entity {order.entity}", "or choose another order"),
        )


def _not_kept_already(bill: BillToMatch) -> Iterator[Finding]:
    if bill.duplicates:
        kept = ", ".join(bill.duplicates)
        yield Finding(
            id="DUPLICATE_EXACT",
            code="DUPLICATE_EXACT",
            severity=Outcome.BLOCK,
            message=f"Number {bill.number} of vendor {bill.vendor_id} is kept already as {kept}.",
            rule="HEADER.DUPLICATE",
            formula="same vendor and same number; case, spaces, punctuation and leading zeros do not count",
            values={"number": bill.number, "kept": kept},
            who="ap",
            fix=("open the bill that is kept already", "or correct the number if this is another invoice"),
        )
