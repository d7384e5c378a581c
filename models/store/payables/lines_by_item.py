"""Tell which order lines the lines of a bill of ours bill, where the ERP's lines name none: by their items.

The ERP keeps them in the order's sequence, one line for each order line, with fewer decimals than we do.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from models.domain.bills import ErpBill, ErpBillLine
from models.domain.ids import ErpId

ROUNDED_OFF = Decimal("0.0001")
"""What a quantity may differ by from the one that was sent, though nobody changed it."""

ZERO = Decimal(0)


def named_by_items(stored: Sequence[Any], bill: ErpBill) -> ErpBill:
    """Return the bill whose lines name the order lines that they bill, as far as their items tell: more lines of an
    item than we sent are for no order. If there are fewer, nobody knows which are left, and none is named."""
    rows: dict[str, list[Any]] = defaultdict(list)
    first_named = {row.purchase_order_id: place for place, row in reversed(list(enumerate(stored)))}
    for row in sorted(stored, key=lambda one: (first_named[one.purchase_order_id], one.order_line_no or 0)):
        if row.order_line is not None:
            rows[row.order_line].append(row)
    order_lines: dict[str, list[str]] = defaultdict(list)
    for order_line, some in rows.items():
        order_lines[some[0].item_id].append(order_line)
    theirs: dict[str, list[ErpBillLine]] = defaultdict(list)
    for line in bill.lines:
        if line.item_id in order_lines:
            theirs[line.item_id or ""].append(line)
    if any(0 < len(lines) < len(order_lines[item]) for item, lines in theirs.items()):
        return bill
    named: list[ErpBillLine] = []
    for line in bill.lines:
        left = order_lines.get(line.item_id or "")
        named += [line] if not left else _named(line, rows[left[0]])
        if left:
            left.pop(0)
    return bill.model_copy(update={"lines": tuple(named)})


def _named(line: ErpBillLine, rows: Sequence[Any]) -> list[ErpBillLine]:
    """Return the line as it bills the order line of these rows of ours: as they were sent, if nobody changed it."""
    named = line.model_copy(update={"order_line": ErpId(rows[0].order_line)})
    quantities = [row.quantity if row.billed_quantity is None else row.billed_quantity for row in rows]
    sent = sum((one for one in quantities if one is not None), ZERO)
    if line.quantity is None or abs(line.quantity - sent) > ROUNDED_OFF:
        return [named]
    if line.amount != sum((row.amount for row in rows), ZERO):
        return [named.model_copy(update={"quantity": sent})]
    return [
        named.model_copy(update={"quantity": quantity, "amount": row.amount})
        for row, quantity in zip(rows, quantities, strict=True)
    ]
