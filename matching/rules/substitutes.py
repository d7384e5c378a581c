"""Hold a bill with a substitute until a person accepts it: the supplier sent, and billed, another item in its place.

It counts on the order line that it names, in that line's unit, like the item it stands for.
"""

from collections.abc import Iterator, Sequence

from matching.kernel.inputs import BillToMatch, OrderToMatch
from matching.kernel.result import Finding, Outcome


def check_substitutes(orders: Sequence[OrderToMatch], bill: BillToMatch) -> Iterator[Finding]:
    """Return a finding per line with a substitute: one that was accepted is settled as long as it stays that item."""
    if not any(line.substitute for line in bill.lines):
        return
    by_line = {(order.id, line.line_no): (order, line) for order in orders for line in order.lines}
    for line in bill.lines:
        billed = by_line.get((line.purchase_order_id, line.order_line_no))
        if not line.substitute or billed is None:
            continue
        order, order_line = billed
        yield Finding(
            id=f"SUBSTITUTE:{line.line_no}:{line.substitute}",
            code="SUBSTITUTE",
            severity=Outcome.HOLD,
            message=f"Bill line {line.line_no} is for {line.substitute}, in the place of {order_line.item} on line "
            f"{order_line.line_no} of order {order.number}.",
            purchase_order_id=order.id,
            line=order_line.line_no,
            bill_lines=(line.line_no,),
            rule="LINE.SUBSTITUTE",
            formula="item billed <> item ordered",
            values={"billed": line.substitute, "ordered": order_line.item_id},
            who="purchasing",
            fix=("accept it: release the bill", "or send it back to the supplier"),
        )
