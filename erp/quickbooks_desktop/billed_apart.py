"""Tell what bills took of an order's lines where QuickBooks keeps receipts and bills apart (reference 3.1).

A line says how much of it is not billed. Whether that is the rest of what was ordered or of what was received is not
known. Some lines show it: nothing is left of what was received but what was received. Else the bills that are linked to
the order do, as no more of an item can be billed than they hold. Where neither tells, the larger of both is billed: a
bill that is refused can be sent later, one that counts twice is paid. So it is with a line that says nothing at all: it
is billed as far as the linked bills hold its item, and whole where they do not tell either.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from lxml import etree

from erp.quickbooks_desktop import fields, wire
from erp.quickbooks_desktop.contents import BILLING_TYPES, ITEM_LINES, ORDER_LINES, lines_in, linked
from erp.quickbooks_desktop.wire import ZERO


class _Said(NamedTuple):
    """What an order's line says of itself."""

    place: str
    item: str | None
    unit: str | None
    ordered: Decimal
    received: Decimal
    unbilled: Decimal
    is_billed: bool
    is_known: bool
    """False: the line says nothing of what is billed of it."""

    @property
    def by_order(self) -> Decimal:
        """Return what is billed if the rest is that of what was ordered."""
        return self.ordered if self.is_billed else max(self.ordered - self.unbilled, ZERO)

    @property
    def by_receipts(self) -> Decimal:
        """Return what is billed if the rest is that of what was received. Where nothing is left, more may be."""
        return self.ordered if self.is_billed else max(self.received - self.unbilled, ZERO)

    @property
    def most(self) -> Decimal:
        """Return the most that may be billed."""
        return max(self.by_order, self.by_receipts)

    @property
    def is_ambiguous(self) -> bool:
        """Return whether the line itself leaves open what is billed of it."""
        whole = {self.ordered, self.received}
        return not self.is_billed and len(whole) == 2 and self.unbilled <= min(whole)


def bills_needed(order: etree._Element) -> list[str]:
    """Return the ids of the bills by which it is known what of an order is billed; none: the order tells, is unusable,
    or cannot be told by bills."""
    bills = linked(order, "Bill")
    if len(bills) < len(linked(order, *BILLING_TYPES)):
        return []  # what checks hold is not read
    try:
        said = _said_of(order)
    except fields.Unusable:
        return []
    if not all(one.is_known for one in said):
        return bills
    if any(map(_rest_of_ordered, said)):
        return []
    if any(map(_rest_of_received, said)):
        return bills if any(one.unbilled == 0 and not one.is_billed for one in said) else []
    return bills if any(one.is_ambiguous for one in said) else []


def question(ids: Sequence[str]) -> str:
    """Return the question for what bills hold of items."""
    only = [wire.part("IncludeRetElement", one) for one in ("TxnID", *ITEM_LINES)]
    return wire.request(
        "BillQuery", *(wire.part("TxnID", one) for one in ids), wire.part("IncludeLineItems", True), *only, key="billed"
    )


def billed(order: etree._Element, bills: Sequence[etree._Element] = ()) -> Mapping[str, Decimal]:
    """Return what bills took of each of an order's lines that have a quantity, by QuickBooks' id of the line. `bills`
    are those that are at hand."""
    lines = _said_of(order)
    if not linked(order, *BILLING_TYPES):
        return {one.place: ZERO for one in lines}
    said = [one for one in lines if one.is_known]
    on_bills = {one.item: _on_bills(order, bills, one) for one in lines}
    of_ordered = any(map(_rest_of_ordered, said)) or _hold_less(said, on_bills, "by_receipts")
    of_received = any(map(_rest_of_received, said)) or _hold_less(said, on_bills, "by_order")
    known: dict[str, Decimal] = {}
    for one in lines:
        in_bills = on_bills[one.item]
        whole = max(one.ordered, one.received)
        if not one.is_known:
            known[one.place] = whole if in_bills is None else min(in_bills, whole)
            continue
        at_least = min(one.by_order, one.by_receipts)
        at_most = one.most
        if of_ordered and not of_received:
            at_most = one.by_order
        elif of_received and not of_ordered and one.unbilled > 0:
            at_most = one.by_receipts
        if in_bills is not None:
            others = sum((min(it.by_order, it.by_receipts) for it in said if it.item == one.item and it != one), ZERO)
            at_most = max(min(at_most, in_bills - others), at_least)
        known[one.place] = at_most
    return known


def _said_of(order: etree._Element) -> list[_Said]:
    said: list[_Said] = []
    for line in lines_in(order, ORDER_LINES):
        ordered, unbilled = fields.number(line, "Quantity") or ZERO, fields.number(line, "UnbilledQuantity")
        is_billed = wire.flag(line, "IsBilled")
        if ordered > 0:
            said.append(
                _Said(
                    place=fields.need(line, "TxnLineID"),
                    item=wire.ref(line, "ItemRef"),
                    unit=wire.text(line, "UnitOfMeasure"),
                    ordered=ordered,
                    received=fields.number(line, "ReceivedQuantity") or ZERO,
                    unbilled=unbilled or ZERO,
                    is_billed=is_billed,
                    is_known=unbilled is not None or is_billed,
                )
            )
    return said


def _rest_of_ordered(one: _Said) -> bool:
    """Return whether a line's rest is more than was received of it."""
    return not one.is_billed and one.unbilled > one.received


def _rest_of_received(one: _Said) -> bool:
    """Return whether a line's rest is more than was ordered of it."""
    return not one.is_billed and one.unbilled > one.ordered


def _hold_less(said: Sequence[_Said], on_bills: Mapping[str | None, Decimal | None], reading: str) -> bool:
    """Return whether bills hold less of an item than would be billed of it in one reading."""
    for item, in_bills in on_bills.items():
        by_reading: list[Decimal] = [getattr(one, reading) for one in said if one.item == item]
        if in_bills is not None and in_bills < sum(by_reading, ZERO):
            return True
    return False


def _on_bills(order: etree._Element, bills: Sequence[etree._Element], one: _Said) -> Decimal | None:
    """Return what the bills of an order hold of a line's item, for whichever order; None: they do not tell."""
    shown = {wire.text(bill, "TxnID"): bill for bill in bills if bill.tag == "BillRet"}
    total = ZERO
    for document in linked(order, *BILLING_TYPES):
        if document not in shown or one.item is None:
            return None
        for line in lines_in(shown[document], ITEM_LINES):
            if wire.ref(line, "ItemRef") != one.item:
                continue
            try:
                quantity = fields.number(line, "Quantity")
            except fields.Unusable:
                return None
            if quantity is None or wire.text(line, "UnitOfMeasure") != one.unit:
                return None
            total += quantity
    return total
