"""Compare a bill that was just made with what was sent."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from lxml import etree

from erp.quantities import is_same
from erp.quickbooks_desktop import bill_edits, contents, fields, wire
from erp.quickbooks_desktop.bill_lines import Line, class_of_order_line, in_orders_sequence, rounded_off
from models.domain.bills import BillToPush


def is_adopted(record: etree._Element) -> bool:
    """Return whether a person made the bill: it carries no key of ours, and its texts are that person's."""
    return wire.key_in(wire.text(record, "Memo")) is None


def of_header(bill: BillToPush, record: etree._Element, total: Decimal) -> list[str]:
    number = wire.short_number(bill.number, wire.LONGEST["bill"])
    pairs: list[tuple[str, Any, Any]] = [
        ("the vendor", bill.vendor_id, wire.ref(record, "VendorRef")),
        ("the supplier's invoice number", number, wire.text(record, "RefNumber") or ""),
        ("the bill date", bill.bill_date, fields.day(record, "TxnDate")),
        ("the due date", bill.due_date, bill.due_date and fields.day(record, "DueDate")),
        ("the total", bill.total, total),
    ]
    if not is_adopted(record):
        pairs.append(("our key", bill.external_key, wire.key_in(wire.text(record, "Memo"))))
    differences = [
        f"{what}: sent {sent}, QuickBooks has {existing or 'nothing'}"
        for what, sent, existing in pairs
        if sent != existing
    ]
    if is_adopted(record):
        return differences
    memo = wire.without_key(wire.text(record, "Memo"))
    return differences + bill_edits.text_difference("the memo", bill_edits.whole_memo(bill), memo)


def of_lines(
    bill: BillToPush, lines: Sequence[Line], record: etree._Element, orders: Mapping[str, etree._Element]
) -> list[str]:
    existing = list(contents.lines_in(record, contents.ITEM_LINES))
    if len(existing) != len(lines):
        return [f"the number of lines: sent {len(lines)}, QuickBooks has {len(existing)}"]
    differences: list[str] = []
    for line, match in zip(in_orders_sequence(lines, orders), existing, strict=True):
        name = f"line {line.first.line_no}"
        own_class = wire.ref(match, "ClassRef")
        if own_class is None and line.first.class_id == class_of_order_line(line, orders):
            own_class = line.first.class_id  # the order's own, in a company that tracks none
        compared: list[tuple[str, Any, Any]] = [
            ("the item", line.first.item_id, wire.ref(match, "ItemRef")),
            ("the quantity", line.quantity, _quantity(line, match, orders)),
            ("the amount", line.amount, fields.number(match, "Amount")),
            ("the class", line.first.class_id, own_class),
            ("the project", line.first.project, wire.ref(match, "CustomerRef")),
        ]
        differences += [
            f"{name}, {what}: sent {mine}, QuickBooks has {theirs or 'nothing'}"
            for what, mine, theirs in compared
            if mine not in (None, "") and mine != theirs
        ]
        if line.description and not is_adopted(record):
            said = wire.text(match, "Desc")
            differences += bill_edits.text_difference(f"{name}, the description", line.description, said)
    return differences


def _quantity(line: Line, match: etree._Element, orders: Mapping[str, etree._Element]) -> Decimal:
    """Return the quantity that QuickBooks has; one that filled its order line is the one that was asked for."""
    shown = fields.number(match, "Quantity") or line.quantity
    dust = rounded_off(orders[line.order]) if line.order in orders else wire.FINEST
    return line.quantity if is_same(line.quantity, shown, rounded=line.rounded, dust=dust) else shown
