"""Ties bills and expenses to the order lines they bill (reference 6.2): which links hold, and what the order does."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.documents import Draft, Options
from sandbox.quickbooks_online.errors import cannot_link
from sandbox.quickbooks_online.received import counted, received, settle_order
from sandbox.quickbooks_online.records import Line, Link, Record
from sandbox.quickbooks_online.values import ZERO

_BACK_TYPES = {"Bill": "Bill", "Purchase": "Check"}


def keep_good_links(company: Company, kind: str, draft: Draft, before: Record | None, options: Options) -> None:
    """Take the links that do not hold off the draft's lines. Raises Refused (620) where a switch says so."""
    named = {link.txn_id for link in draft.header_links}
    taken: dict[tuple[str, str], Decimal] = {}
    for line in draft.lines:
        wanted = [link for link in line.links if link.txn_type == "PurchaseOrder" and link.line_id]
        line.links = []
        if kind not in _BACK_TYPES or options.drop_links:
            continue
        held = before.line(line.id) if before is not None and line.id else None
        for link in wanted[:1]:
            if held is not None and link not in held.links:
                # Only a line without Id takes a new link.
                continue
            if company.switches.word("header_link") == "required" and link.txn_id not in named:
                continue
            if _holds(company, kind, draft, line, link, before, taken):
                line.links.append(link)


def _holds(
    company: Company,
    kind: str,
    draft: Draft,
    line: Line,
    link: Link,
    before: Record | None,
    taken: dict[tuple[str, str], Decimal],
) -> bool:
    order = company.get("PurchaseOrder", link.txn_id)
    target = order.line(link.line_id) if order is not None else None
    known = before is not None and any(link in one.links for one in before.lines)
    problem = _problem(kind, draft, line, order, target, known=known)
    if problem or order is None or target is None:
        if company.switches.word("bad_link") == "refused":
            raise cannot_link(problem)
        return False
    key = (link.txn_id, link.line_id)
    if key in taken and company.switches.word("repeated_order_line") == "second_dropped":
        return False
    quantity = counted(target, line)
    left = target.measure - received(company, order, target, but=before) - taken.get(key, ZERO)
    if quantity > left and company.switches.word("over_billing") != "accepted":
        if company.switches.word("over_billing") == "refused":
            raise cannot_link("The quantity is more than what is left of the purchase order's line.")
        return False
    taken[key] = taken.get(key, ZERO) + quantity
    return True


def _problem(kind: str, draft: Draft, line: Line, order: Record | None, target: Line | None, *, known: bool) -> str:
    """Why a link does not fit; empty where it does. A link that holds already outlives the order's closing."""
    if order is None:
        return "The purchase order does not exist."
    if target is None:
        return "The purchase order has no such line."
    if not known and (order["POStatus"] == "Closed" or target.closed):
        return "The purchase order is closed."
    vendor = draft.values.get("EntityRef" if kind == "Purchase" else "VendorRef")
    if order["VendorRef"] != vendor:
        return "The purchase order is of another vendor."
    if kind == "Bill" and order["APAccountRef"] != draft.values.get("APAccountRef"):
        return "The purchase order has another accounts payable account."
    if target.bought != line.bought:
        return "The line is for something else than the purchase order's line."
    return ""


def orders_of(record: Record) -> set[str]:
    """The orders that a document's lines are linked to."""
    return {link.txn_id for line in record.lines for link in line.links if link.txn_type == "PurchaseOrder"}


def relink(company: Company, record: Record, before: Iterable[str], *, deleted: bool = False) -> None:
    """The orders follow what a document's lines say now; `before` are those it was linked to until now."""
    now = set() if deleted else orders_of(record)
    back = Link(record.id, _BACK_TYPES.get(record.type.name, record.type.name))
    for identifier in sorted({*before, *now}, key=int):
        order = company.get("PurchaseOrder", identifier)
        if order is None:
            continue
        linked = company.linked.setdefault(identifier, {})
        if identifier in now:
            linked[record.type.name, record.id] = record
            if back not in order.back_links:
                order.back_links.append(back)
        else:
            linked.pop((record.type.name, record.id), None)
            order.back_links = [link for link in order.back_links if link != back]
        settle_order(company, order, deleted=deleted)


def forget_order(company: Company, order: Record) -> None:
    """An order is deleted: the documents that billed it lose their links to it."""
    for document in company.linked.pop(order.id, {}).values():
        for line in document.lines:
            line.links = [link for link in line.links if link.txn_id != order.id]
        company.touch(document)


def forget_lines(company: Company, order: Record) -> None:
    """Lines of an order are gone: what billed them loses its link, and the order what was linked to them alone."""
    names = {line.id for line in order.lines}
    for key, document in list(company.linked.get(order.id, {}).items()):
        lost = [
            line
            for line in document.lines
            for link in line.links
            if link.txn_id == order.id and link.line_id not in names
        ]
        if not lost:
            continue
        for line in lost:
            line.links = []
        if order.id not in orders_of(document):
            del company.linked[order.id][key]
            order.back_links = [link for link in order.back_links if link.txn_id != document.id]
        company.touch(document)
