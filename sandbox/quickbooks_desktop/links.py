"""Ties lines of bills and receipts to order lines: which links hold, and what becomes of one that does not."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import Refused, bad_value, not_found, related_locked
from sandbox.quickbooks_desktop.receiving import is_closed, receivable, taken
from sandbox.quickbooks_desktop.records import ZERO, Line, Link, Txn

LINK_IGNORED = Refused(
    530, 'The field "LinkToTxn" was not supported and has been ignored: the line was not linked.', severity="Warn"
)
ORDER_CLOSED = Refused(
    570, "The transaction could not be linked because the purchase order is already closed.", severity="Warn"
)


class Wish(NamedTuple):
    """A line that wants a link, and what it takes where it names no quantity."""

    line: Line
    link: Link


def order_of(company: Company, txn_id: str) -> Txn:
    """The order that a link names. Raises Refused."""
    order = company.txns["PurchaseOrder"].get(txn_id)
    if order is None:
        raise not_found(txn_id)
    return order


def link_lines(company: Company, kind: str, vendor: str, wishes: list[Wish]) -> list[Refused]:
    """Give lines the item, price and link of the order lines they name.

    The answer is the remarks of links that were left out. Raises Refused.
    """
    remarks: list[Refused] = []
    if company.switches.word("link_order") == "refused":
        _check_order(company, wishes)
    sums: dict[Link, Decimal] = {}
    for line, link in wishes:
        order = order_of(company, link.txn_id)
        target = order.line(link.line_id)
        if target is None:
            raise not_found(link.line_id)
        if order.txn_id in company.locks:
            raise related_locked(kind)
        _inherit(line, target, order, company, link, sums)
        remark = _remark(company, kind, vendor, order, target, line, sums.get(link, ZERO))
        if remark is not None:
            if remark.severity == "Error":
                raise remark
            remarks.append(remark)
            continue
        line.link = link
        sums[link] = sums.get(link, ZERO) + (line.quantity or ZERO)
    return remarks


def _check_order(company: Company, wishes: list[Wish]) -> None:
    """Lines of one order stand together and in the order's own order."""
    done: list[str] = []
    position = -1
    for _, link in wishes:
        order = order_of(company, link.txn_id)
        at = next((index for index, line in enumerate(order.lines) if line.id == link.line_id), -1)
        if at < 0:
            raise not_found(link.line_id)
        if not done or done[-1] != link.txn_id:
            if link.txn_id in done:
                raise bad_value("LinkToTxn", link.txn_id, "Lines of several purchase orders cannot be interleaved.")
            done.append(link.txn_id)
            position = -1
        if at <= position:
            raise bad_value("LinkToTxn", link.line_id, "Linked lines must be in the order of the purchase order.")
        position = at


def _inherit(line: Line, target: Line, order: Txn, company: Company, link: Link, sums: Mapping[Link, Decimal]) -> None:
    """What the bill's line does not say comes from the order's line."""
    for name in ("ItemRef", "Desc", "UnitOfMeasure", "ClassRef"):
        if line.values.get(name) is None and target.values.get(name) is not None:
            line.values[name] = target.values[name]
    if line.quantity is None and line.amount is None:
        done = taken(company, order, target)
        so_far = done.billed if company.enhanced else done.received
        line.quantity = max((target.quantity or ZERO) - so_far - sums.get(link, ZERO), ZERO)
    if line.price is None and line.amount is None:
        line.price = target.price
    line.settle()


def _remark(
    company: Company, kind: str, vendor: str, order: Txn, target: Line, line: Line, besides: Decimal
) -> Refused | None:
    """Why a link does not hold: a warning, or the refusal of the document; None where it holds."""
    switches = company.switches
    if order.entity != vendor:
        if switches.word("other_vendor_link") == "530":
            return LINK_IGNORED
        return bad_value("TxnID", order.txn_id, "The purchase order is of another vendor.")
    billing_enhanced = company.enhanced and kind == "Bill"
    if order.values.get("IsManuallyClosed") or (is_closed(company, order) and not billing_enhanced):
        return closed_remark(company, order)
    done = taken(company, order, target)
    quantity = target.quantity or ZERO
    if not receivable(target) or target.closed or (not billing_enhanced and quantity <= done.received):
        if switches.word("full_line_link") == "530":
            return LINK_IGNORED
        return bad_value("TxnLineID", target.id, "The purchase order line cannot receive any more.")
    if billing_enhanced:
        refusal = _billing_enhanced(company, target, done.received, done.billed)
        if refusal is not None:
            return refusal
    so_far = done.billed if billing_enhanced else done.received
    if (line.quantity or ZERO) > quantity - so_far - besides and switches.word("over_receiving") == "refused":
        return bad_value("Quantity", str(line.quantity), "The quantity is more than what is left of the line.")
    return None


def closed_remark(company: Company, order: Txn) -> Refused:
    """What becomes of a link to a closed order: a warning, or the refusal of the document."""
    closed = company.switches.word("closed_order_link")
    if closed == "refused":
        return bad_value("TxnID", order.txn_id, "The purchase order is closed.")
    return ORDER_CLOSED if closed == "570" else LINK_IGNORED


def _billing_enhanced(company: Company, target: Line, received: Decimal, billed: Decimal) -> Refused | None:
    """What a bill may do with a line that receipts filled is not known (reference 3.2)."""
    quantity = target.quantity or ZERO
    if billed >= quantity:
        return bad_value("TxnLineID", target.id, "The purchase order line is billed in full.")
    if received < quantity:
        return None
    way = company.switches.word("enhanced_link")
    if way == "refused":
        return bad_value("TxnLineID", target.id, "The purchase order line cannot receive any more.")
    return LINK_IGNORED if way == "without_link" else None


def touch_orders(company: Company, txn: Txn, before: frozenset[str] = frozenset()) -> None:
    """The orders that a document is, or was, linked to change with it."""
    for txn_id in sorted(txn.linked_to | before):
        order = company.txns["PurchaseOrder"].get(txn_id)
        if order is not None:
            company.touch(order)
