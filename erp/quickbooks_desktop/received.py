"""Translate item receipts: one for each order that a receipt is for (reference 3.2).

A receipt's line names neither its order nor its order's line. Of several orders it is the one by whose link the figures
agree: a link tells how much of its order was received, in units or in money. Of an order's lines it is one of the item.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from lxml import etree

from erp.quickbooks_desktop import fields, statuses, wire
from erp.quickbooks_desktop.contents import ITEM_LINES, ORDER_LINES, lines_in, linked
from erp.quickbooks_desktop.translate import line_id, part_id
from erp.quickbooks_desktop.wire import ZERO
from models.domain.ids import DocumentId, ErpId
from models.domain.receipts import Receipt, ReceiptLine

ORDER = "PurchaseOrder"

MOST_STEPS = 20_000
"""How many divisions of a receipt's lines are tried."""

Division = Sequence[str | None]
"""The order of each line of a receipt; None: it is of none, or nobody can tell."""


def receipts(record: etree._Element, orders: Mapping[str, etree._Element] = {}) -> tuple[Receipt, ...]:
    """Return what was received of each order that a receipt is for; of none, if it names none. `orders` are those at
    hand.

    Raises:
        fields.Unusable: the receipt cannot be used.
    """
    named = linked(record, ORDER)
    division = _divided(record, orders)
    if not named:
        return (_receipt(record, None, None, division),)
    return tuple(_receipt(record, one, orders.get(one), division) for one in named)


def receipts_of(order: etree._Element, records: Sequence[etree._Element]) -> list[Receipt]:
    """Return what was received of an order by these receipts of it.

    Raises:
        fields.Unusable: one of them cannot be used.
    """
    order_id = fields.need(order, "TxnID")
    made: list[Receipt] = []
    for record in records:
        named = linked(record, ORDER)
        if order_id in named:
            made.append(_receipt(record, order_id, order, _divided(record, {order_id: order})))
        elif not named:  # the order alone says so
            whole = [order_id for _ in lines_in(record, ITEM_LINES)]
            made.append(_receipt(record, order_id, order, whole))
    return made


def _receipt(record: etree._Element, order_id: str | None, order: etree._Element | None, division: Division) -> Receipt:
    receipt_id = fields.need(record, "TxnID")
    is_first = order_id is None or order_id in (*linked(record, ORDER), order_id)[:1]
    return Receipt(
        erp_id=ErpId(receipt_id) if is_first or order_id is None else part_id(receipt_id, order_id),
        document_id=DocumentId(receipt_id),
        number=wire.text(record, "RefNumber") or fields.need(record, "TxnNumber"),
        erp_status=statuses.RECEIPT,
        order_document=None if order_id is None else DocumentId(order_id),
        vendor_id=fields.need(record, "VendorRef/ListID"),
        received_on=fields.need_day(record, "TxnDate"),
        memo=wire.text(record, "Memo") or "",
        revision=fields.revision(record),
        lines=tuple(_lines(record, receipt_id, order_id, _Received(order), division, is_first=is_first)),
    )


def _lines(
    record: etree._Element,
    receipt_id: str,
    order_id: str | None,
    received: "_Received",
    division: Division,
    *,
    is_first: bool,
) -> Iterator[ReceiptLine]:
    for place, (line, of_order) in enumerate(zip(lines_in(record, ITEM_LINES), division, strict=True), start=1):
        item = wire.ref(line, "ItemRef")
        if item is None or not (of_order == order_id or (of_order is None and is_first)):
            continue
        quantity = fields.number(line, "Quantity") or ZERO
        yield ReceiptLine(
            erp_id=line_id(receipt_id, fields.need(line, "TxnLineID")),
            line_no=place,
            item_id=item,
            description=wire.text(line, "Desc") or "",
            unit=wire.text(line, "UnitOfMeasure") or "",
            quantity=quantity,
            order_line=None if of_order is None else received.take(item, quantity),
        )


class _Received:
    """What was received of an order's lines, as a receipt takes it up; of no order, nothing."""

    def __init__(self, order: etree._Element | None) -> None:
        order_id = "" if order is None else wire.text(order, "TxnID") or ""
        lines = [] if order is None else [one for one in lines_in(order, ORDER_LINES) if wire.text(one, "TxnLineID")]
        self._lines = {line_id(order_id, wire.text(one, "TxnLineID") or ""): one for one in lines}
        self._left = {name: _figure(one, "ReceivedQuantity") for name, one in self._lines.items()}

    def take(self, item: str | None, quantity: Decimal) -> ErpId | None:
        """Return the line of this item of which so much was received, else of which so much was ordered, else the last
        one of the item."""
        same = [name for name, line in self._lines.items() if wire.ref(line, "ItemRef") == item]
        fitting = [name for name in same if self._left[name] >= quantity]
        ordered = [name for name in same if _figure(self._lines[name], "Quantity") >= quantity]
        chosen = next(iter([*fitting, *ordered, *same[-1:]]), None)
        if chosen is not None:
            self._left[chosen] -= quantity
        return chosen


# --- receipts of several orders ----------------------------------------------------------------------------------


def _divided(record: etree._Element, orders: Mapping[str, etree._Element]) -> Division:
    """Return the order of each line of a receipt."""
    lines = list(lines_in(record, ITEM_LINES))
    named = linked(record, ORDER)
    if len(named) <= 1:
        return [named[0] if named else None] * len(lines)
    links = [one for one in wire.children(record, ("LinkedTxn",)) if wire.text(one, "TxnType") == ORDER]
    wanted = dict.fromkeys(named, ZERO)
    for link in links:
        wanted[wire.text(link, "TxnID") or ""] += abs(_figure(link, "Amount"))
    choices = [_orders_of(line, named, orders) for line in lines]
    for field in ("Quantity", "Amount"):
        chosen = _Divisions([_figure(line, field) for line in lines], choices, wanted).first()
        if chosen is not None:
            return chosen
    # The links do not tell: of an order is what only it can be.
    return [one[0] if len(one) == 2 else None for one in choices]


def _orders_of(
    line: etree._Element, named: Sequence[str], orders: Mapping[str, etree._Element]
) -> Sequence[str | None]:
    """Return the orders that a line may be of, and None for none of them. One that is not at hand may have any item."""
    item = wire.ref(line, "ItemRef")
    having: list[str | None] = [
        one
        for one in named
        if one not in orders or any(wire.ref(it, "ItemRef") == item for it in lines_in(orders[one], ORDER_LINES))
    ]
    return [*having, None]


class _Divisions:
    """The divisions of figures among orders by which each order has what its link says."""

    def __init__(
        self, figures: Sequence[Decimal], choices: Sequence[Sequence[str | None]], wanted: Mapping[str, Decimal]
    ) -> None:
        self._figures, self._choices, self._left = figures, choices, dict(wanted)
        self._steps = 0

    def first(self) -> Division | None:
        """Return the first of them; None: there is none, or there are too many to try."""
        return self._from(0)

    def _from(self, place: int) -> list[str | None] | None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            return None
        if place == len(self._figures):
            return None if any(self._left.values()) else []
        figure = self._figures[place]
        for one in self._choices[place]:
            if one is not None and self._left[one] < figure:
                continue
            if one is not None:
                self._left[one] -= figure
            rest = self._from(place + 1)
            if rest is not None:
                return [one, *rest]
            if one is not None:
                self._left[one] += figure
        return None


def _figure(element: etree._Element, field: str) -> Decimal:
    """Return a number; where it is absent or unreadable, zero: whatever it is of is reported by its own reading."""
    try:
        return fields.number(element, field) or ZERO
    except fields.Unusable:
        return ZERO
