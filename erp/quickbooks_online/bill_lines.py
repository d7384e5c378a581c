"""Build a bill's lines from those of its orders: one line per order line, linked at both levels (reference 6.2)."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from erp.errors import Rejected
from erp.prices import unit_price
from erp.quantities import filling
from erp.quickbooks_online import statuses, translate, wire
from erp.quickbooks_online.wire import ZERO, Entity
from models.domain.bills import BillLineToPush, BillToPush
from models.domain.ids import ErpId


class Line(NamedTuple):
    """What a bill bills of one order line: lines for the same one are added up, because QuickBooks may drop the link of
    the second (section 6.2)."""

    order: str
    order_line: ErpId
    first: BillLineToPush
    quantity: Decimal
    amount: Decimal


def lines_of(bill: BillToPush) -> list[Line]:
    """Return the lines to write, in the order in which the bill first names them."""
    lines: dict[str, Line] = {}
    for line in bill.lines:
        order = line.order_line.partition(":")[0]
        known = lines.get(line.order_line)
        lines[line.order_line] = Line(
            order=order,
            order_line=line.order_line,
            first=known.first if known else line,
            quantity=_in_order_unit(line) + (known.quantity if known else ZERO),
            amount=line.amount + (known.amount if known else ZERO),
        )
    return list(lines.values())


def _in_order_unit(line: BillLineToPush) -> Decimal:
    """Return a line's quantity in the unit of its order line: lines of QuickBooks name no unit."""
    return line.quantity if line.order_quantity is None else line.order_quantity


def order_line(line: Line, orders: Mapping[str, Entity]) -> Entity:
    """Return the order's own line.

    Raises:
        Rejected: ORDER_LINE_GONE.
    """
    for candidate in wire.parts(orders[line.order], "Line"):
        if translate.line_id(line.order, wire.text(candidate, "Id") or "") == line.order_line:
            return candidate
    raise Rejected(
        f"The order no longer has the line that line {line.first.line_no} bills.",
        code="ORDER_LINE_GONE",
        evidence={"order": line.order, "order_line": line.order_line},
    )


def must_be_billable(bill: BillToPush, lines: Sequence[Line], orders: Mapping[str, Entity]) -> None:
    """Check what QuickBooks may silently drop a link for: a closed order, another vendor, more than is left.

    Raises:
        Rejected: ORDER_NOT_FOUND, ALREADY_CONVERTED, VENDOR_DIFFERS, MORE_THAN_ORDERED, ORDER_LINE_GONE.
    """
    for order_id in dict.fromkeys(line.order for line in lines):
        order = orders.get(order_id)
        if order is None:
            raise Rejected(
                f"QuickBooks shows no purchase order {order_id} any more.",
                code="ORDER_NOT_FOUND",
                evidence={"order": order_id},
            )
        if wire.ref(order, "VendorRef") != bill.vendor_id:
            raise Rejected(
                "The order is another vendor's; QuickBooks would not link the bill to it.",
                code="VENDOR_DIFFERS",
                evidence={"order": order_id, "vendor": wire.ref(order, "VendorRef") or "", "bill": bill.vendor_id},
            )
        if wire.text(order, "POStatus") == "Closed":
            raise Rejected(
                f"Order {wire.text(order, 'DocNumber') or order_id} is closed in QuickBooks.",
                code="ALREADY_CONVERTED",
                evidence={"order": order_id, "status": statuses.CLOSED},
            )
    for line in lines:
        theirs = order_line(line, orders)
        received = translate.number(theirs, "Received")
        by_amount = _is_by_amount(theirs)
        ordered = translate.need_number(theirs, "Amount") if by_amount else _quantity(theirs)
        billing = line.amount if by_amount else line.quantity
        # What is billed may be unknown here; then matching has checked it with the mirror's figures.
        if received is not None and received >= ordered and billing > 0:
            raise Rejected(
                f"Line {line.first.line_no}: everything of its order line is billed in QuickBooks already.",
                code="ALREADY_CONVERTED",
                evidence={"order_line": line.order_line, "ordered": str(ordered), "billed": str(received)},
            )
        if received is not None and received + billing > ordered:
            raise Rejected(
                f"Line {line.first.line_no}: {billing} is more than the {ordered - received} left on its order line.",
                code="MORE_THAN_ORDERED",
                evidence={"order_line": line.order_line, "ordered": str(ordered), "billed": str(received)},
            )


def wire_line(line: Line, theirs: Entity | None) -> dict[str, Any]:
    """Return a bill's line: what it buys, with the tax code of the order's line, if that could be read."""
    bought = line.first.item_id
    shared = wire.given(
        ClassRef=wire.reference(line.first.class_id),
        CustomerRef=wire.reference(line.first.project),
        TaxCodeRef=wire.reference(wire.ref(translate.detail(theirs), "TaxCodeRef")) if theirs is not None else None,
    )
    detail: dict[str, Any]
    if bought.startswith(translate.ACCOUNT_ID):
        kind = translate.ACCOUNT
        detail = {"AccountRef": {"value": bought.removeprefix(translate.ACCOUNT_ID)}, **shared}
    elif line.first.by_amount or (theirs is not None and _is_by_amount(theirs)):
        kind, detail = translate.ITEM, {"ItemRef": {"value": bought}, **shared}
    else:
        kind = translate.ITEM
        detail = {
            "ItemRef": {"value": bought},
            "Qty": _sent(line, theirs),
            **wire.given(UnitPrice=price_of(line, _sent(line, theirs))),
            **shared,
        }
    return wire.given(
        Description=line.first.description or None,
        Amount=line.amount,
        LinkedTxn=[
            {
                "TxnId": line.order,
                "TxnType": "PurchaseOrder",
                "TxnLineId": line.order_line.partition(":")[2],
            }
        ],
        DetailType=kind,
        **{kind: detail},
    )


PRICE_DECIMALS = 7
"""Decimals of a price that QuickBooks keeps."""


def _sent(line: Line, theirs: Entity | None) -> Decimal:
    """Return the quantity as it is sent: one that was rounded fills its order line with what is left of it."""
    received = translate.number(theirs, "Received") if theirs is not None else None
    if line.first.order_quantity is None or theirs is None or received is None:
        return line.quantity
    return filling(line.quantity, _quantity(theirs) - received)


def price_of(line: Line, quantity: Decimal) -> Decimal | None:
    """Return the price at which quantity and amount agree, the bill's own if it is one; None: QuickBooks is to compute
    it (fault 6070)."""
    if not quantity:
        return None
    one_line = line.first.order_quantity is None and line.quantity == line.first.quantity
    own = line.first.price if one_line else None
    price = unit_price(line.amount, quantity, own, decimals=PRICE_DECIMALS)
    agrees = (price * quantity).quantize(wire.CENT, ROUND_HALF_UP) == line.amount
    return price.normalize() if agrees else None


def _is_by_amount(theirs: Entity) -> bool:
    quantity = translate.number(translate.detail(theirs), "Qty")
    return wire.text(theirs, "DetailType") != translate.ITEM or quantity is None or quantity <= 0


def _quantity(theirs: Entity) -> Decimal:
    return translate.number(translate.detail(theirs), "Qty") or ZERO


def linked_line(bill: Entity, line: Line) -> Entity | None:
    """Return the line of QuickBooks' bill that is linked to this order line; None: there is none."""
    for candidate in wire.parts(bill, "Line"):
        link = translate.order_link(candidate)
        if link is not None and link[1] == line.order_line:
            return candidate
    return None


def paired(lines: Sequence[Line], bill: Entity, originals: int) -> list[tuple[Line, Entity | None]]:
    """Return each line with QuickBooks' line for it: the one that is linked to the same order line, else the one in its
    place, of those that nothing is linked to."""
    existing = [line for line in wire.parts(bill, "Line") if translate.is_bought(line)]
    pairs: list[tuple[Line, Entity | None]] = []
    for place, line in enumerate(lines):
        match = linked_line(bill, line)
        if match is None and place < min(len(existing), originals):
            candidate = existing[place]
            match = candidate if translate.order_link(candidate) is None else None
        pairs.append((line, match))
    return pairs
