"""Find what item receipts hold of what a bill bills, where receiving is the ordinary one (reference 3.2).

There a receipt owes and stocks as a bill does, until a person turns it into one. So a bill beside it must be for other
goods. Nobody can tell that: a bill of six, on an order of ten of which four were received, may be for the six that are
to come, or for the four and two more. So one that bills anything of a line that a receipt holds is not sent.

A receipt may be entered without the order whose goods came: the order shows nothing of it. So the vendor's receipts
that name no order are looked at, too, and hold back what bills their items.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from lxml import etree

from erp.errors import Rejected
from erp.quickbooks_desktop import contents, fields, wire
from erp.quickbooks_desktop.bill_lines import Line, order_line
from erp.quickbooks_desktop.client import records_of
from erp.quickbooks_desktop.envelope import Answer
from erp.quickbooks_desktop.orders import WHOLE
from erp.quickbooks_desktop.wire import ZERO
from models.domain.bills import BillToPush

RECEIPT = "ItemReceipt"

OF_A_VENDOR = ("TxnID", "TxnDate", "RefNumber", "LinkedTxn", *contents.ITEM_LINES)
"""What is asked of all receipts of a vendor."""


def linked_receipts(orders: Mapping[str, etree._Element]) -> list[str]:
    """Return the ids of the item receipts that orders are linked to."""
    return list(dict.fromkeys(one for order in orders.values() for one in contents.linked(order, RECEIPT)))


def receipts_question(ids: Sequence[str]) -> str:
    """Return the question for item receipts, whole."""
    return wire.request(f"{RECEIPT}Query", *(wire.part("TxnID", one) for one in ids), *WHOLE, key="receipts")


def vendors_receipts_question(vendor_id: str) -> str:
    """Return the question for all item receipts of a vendor: those that became bills are no longer among them."""
    only = [wire.part("IncludeRetElement", one) for one in OF_A_VENDOR]
    vendor = wire.group("EntityFilter", wire.part("ListID", vendor_id))
    return wire.request(f"{RECEIPT}Query", vendor, *WHOLE, *only, key="receipts")


def without_an_order(seen: Answer) -> list[etree._Element]:
    """Return the item receipts in an answer that name no order."""
    return [one for one in records_of(seen.responses, (f"{RECEIPT}Ret",)) if not contents.linked(one, "PurchaseOrder")]


def must_not_be_received_without_an_order(
    lines: Sequence[Line], orders: Mapping[str, etree._Element], receipts: Sequence[etree._Element]
) -> None:
    """Check that item receipts that name no order hold nothing of the items that the bill bills.

    Raises:
        Rejected: RECEIVED_BY_ITEM_RECEIPT, or as `order_line`.
    """
    for line in lines:
        order = orders[line.order]
        item = wire.ref(order_line(line, order), "ItemRef")
        holding = [one for one in receipts if _may_have_booked(one, item)]
        if holding:
            raise _booked(
                f"Line {line.first.line_no} bills", order, [(wire.text(one, "TxnID") or "", one) for one in holding],
                named="which names no order", order_line=line.order_line,
            )  # fmt: skip


def must_not_be_received(
    bill: BillToPush,
    lines: Sequence[Line],
    orders: Mapping[str, etree._Element],
    receipts: Sequence[etree._Element],
) -> None:
    """Check that item receipts hold nothing of what the bill bills. `receipts` are those that QuickBooks shows; one
    that an order is linked to and that is not shown may hold anything of it.

    Raises:
        Rejected: RECEIVED_BY_ITEM_RECEIPT, or as `order_line`.
    """
    shown = {wire.text(one, "TxnID"): one for one in receipts}
    for line in lines:
        order = orders[line.order]
        theirs = order_line(line, order)
        item = wire.ref(theirs, "ItemRef")
        linked = contents.linked(order, RECEIPT)
        if fields.number(theirs, "ReceivedQuantity") == 0:
            # Whatever came of the order, none of it is of this line; but a receipt may hold more than its orders say.
            ids = [one for one in linked if one in shown and holds_more(shown[one], item, orders)]
        else:
            ids = [one for one in linked if one not in shown or _may_have_booked(shown[one], item)]
        if ids:
            raise _booked(
                f"Line {line.first.line_no} bills", order, [(one, shown.get(one)) for one in ids],
                order_line=line.order_line, ordered=wire.text(theirs, "Quantity") or "",
                taken=wire.text(theirs, "ReceivedQuantity") or "",
            )  # fmt: skip
    if bill.charges:
        _charges_must_not_be_received(orders, receipts)


def _charges_must_not_be_received(orders: Mapping[str, etree._Element], receipts: Sequence[etree._Element]) -> None:
    for order in orders.values():
        linked = contents.linked(order, RECEIPT)
        charged = [one for one in receipts if wire.text(one, "TxnID") in linked and has_charges(one, orders)]
        if charged:
            raise _booked("It has charges", order, [(wire.text(one, "TxnID") or "", one) for one in charged])


def has_charges(receipt: etree._Element, orders: Mapping[str, etree._Element]) -> bool:
    """Return whether a receipt holds money of no order line: it may be the freight that a bill has too."""
    ordered = {
        wire.ref(line, "ItemRef")
        for order in orders.values()
        for line in contents.lines_in(order, contents.ORDER_LINES)
    }
    if next(wire.children(receipt, ("ExpenseLineRet",)), None) is not None:
        return True
    return any(wire.ref(line, "ItemRef") not in ordered for line in contents.lines_in(receipt, contents.ITEM_LINES))


def _may_have_booked(receipt: etree._Element, item: str | None) -> bool:
    """Return whether a receipt may hold something of an order line of this item: its lines do not name theirs."""
    return any(wire.ref(line, "ItemRef") in (item, None) for line in contents.lines_in(receipt, contents.ITEM_LINES))


def holds_more(receipt: etree._Element, item: str | None, orders: Mapping[str, etree._Element]) -> bool:
    """Return whether a receipt has more of an item than was received on the lines of its orders: a line that a person
    typed in names none. What cannot be told by the orders at hand counts as no more."""
    named = contents.linked(receipt, "PurchaseOrder")
    if not all(one in orders for one in named):
        return False
    on_it = _of_item(contents.lines_in(receipt, contents.ITEM_LINES), item, "Quantity")
    received = [
        _of_item(contents.lines_in(orders[one], contents.ORDER_LINES), item, "ReceivedQuantity") for one in named
    ]
    return on_it > sum(received, ZERO)


def _of_item(lines: Iterable[etree._Element], item: str | None, field: str) -> Decimal:
    return sum((fields.number(one, field) or ZERO for one in lines if wire.ref(one, "ItemRef") == item), ZERO)


def _booked(
    what: str,
    order: etree._Element,
    receipts: Sequence[tuple[str, etree._Element | None]],
    *,
    named: str = "",
    **evidence: str,
) -> Rejected:
    number = wire.text(order, "RefNumber") or fields.need(order, "TxnID")
    names = ", ".join(_name(identifier, record) for identifier, record in receipts)
    of_order = f", {named}," if named else f" of order {number}"
    return Rejected(
        f"{what} what may stand on item receipt {names}{of_order} already; a bill beside it would count twice.",
        code="RECEIVED_BY_ITEM_RECEIPT",
        evidence={"order": number, "item_receipts": names, **evidence},
    )


def _name(identifier: str, record: etree._Element | None) -> str:
    """Return how a person finds a receipt in QuickBooks, which shows no ids."""
    if record is None:
        return identifier
    number = wire.text(record, "RefNumber")
    day = wire.text(record, "TxnDate") or ""
    return f"{number} of {day}" if number else f"of {day} without a number"
