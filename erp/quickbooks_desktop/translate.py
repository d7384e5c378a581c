"""Translate QuickBooks' orders and bills into ours (reference 3.1 to 3.3).

Ids are QuickBooks' own; a line's id also names its document, `5F3-1772467200:5F5-1772467200`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from lxml import etree

from erp.quickbooks_desktop import billed_apart, fields, statuses, wire
from erp.quickbooks_desktop.contents import ITEM_LINES, ORDER_LINES, lines_in, linked
from erp.quickbooks_desktop.wire import ONE, ZERO, Fields, Source
from erp.records import made
from models.domain.bills import BillKind, ErpBill, ErpBillLine
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.orders import LineBasis, OrderBilling, PurchaseOrder, PurchaseOrderLine

ACCOUNT_ID = "account:"
"""In front of the id of what a line buys, if that is an account: items have ids of their own."""

PARTS = Decimal("1E-10")


def line_id(document: str, line: str) -> ErpId:
    """Return the id of a document's line."""
    return ErpId(f"{document}:{line}")


def order(
    record: etree._Element, *, enhanced: bool, home: str | None = None, bills: Sequence[etree._Element] = ()
) -> PurchaseOrder:
    """Return an order with its lines. `bills` are those linked to it that are at hand: they may be needed to tell what
    of it is billed.

    Raises:
        fields.Unusable: the order cannot be used.
    """
    head = wire.fields_of(record, but=INSIDE)
    erp_id = fields.need(head, "TxnID")
    lines = [wire.fields_of(one) for one in lines_in(record, ORDER_LINES)]
    apart = billed_apart.billed(record, bills) if enhanced else None
    received = any((fields.number(one, "ReceivedQuantity") or ZERO) > 0 for one in lines)
    on_receipts = not enhanced and bool(linked(record, "ItemReceipt"))
    return made(
        PurchaseOrder,
        erp_id=ErpId(erp_id),
        document_id=DocumentId(erp_id),
        number=wire.text(head, "RefNumber") or fields.need(head, "TxnNumber"),
        erp_status=statuses.order_status(head, received=received, on_receipts=on_receipts),
        vendor_id=fields.need(head, "VendorRef/ListID"),
        vendor_name=wire.text(head, "VendorRef/FullName") or "",
        ordered_on=fields.need_day(head, "TxnDate"),
        due_on=fields.day(head, "ExpectedDate") or fields.day(head, "DueDate"),
        currency=currency(head, home),
        memo=wire.text(head, "Memo") or "",
        total=fields.number(head, "TotalAmount"),
        reference=wire.text(head, "Other1"),
        term=wire.ref(head, "TermsRef"),
        revision=fields.revision(head),
        lines=tuple(_order_lines(head, lines, erp_id, apart)),
        # A receipt that a person turns into a bill is gone, and QuickBooks need not list it as deleted.
        receipts=None if enhanced else tuple(_receipts(record, erp_id)),
    )


INSIDE = (*ORDER_LINES, "LinkedTxn")
"""What an order's own fields are not read from."""


def _receipts(record: etree._Element, order_id: str) -> Iterator[ErpId]:
    """Return the ids that receipts of an order may have here: whether one is for other orders too it does not say."""
    for receipt in linked(record, "ItemReceipt"):
        yield ErpId(receipt)
        yield part_id(receipt, order_id)


def part_id(receipt: str, order_id: str) -> ErpId:
    """Return the id of what a receipt of several orders is to one of them."""
    return ErpId(f"{receipt}/{order_id}")


def currency(record: Source, home: str | None = None) -> str | None:
    """Return the currency by its code, as far as the record says: a company without several names none."""
    name = wire.text(record, "CurrencyRef/FullName")
    return home if name is None else CURRENCIES.get(name, name)


CURRENCIES: Mapping[str, str] = {
    "US Dollar": "USD",
    "Canadian Dollar": "CAD",
    "Euro": "EUR",
    "British Pound Sterling": "GBP",
    "Australian Dollar": "AUD",
    "Mexican Peso": "MXN",
}
"""QuickBooks names currencies in words."""


def _order_lines(
    head: Fields, lines: Sequence[Fields], order_id: str, apart: Mapping[str, Decimal] | None
) -> Iterator[PurchaseOrderLine]:
    """Return the lines of an order; `apart` is what of them is billed, where receipts do not count as that."""
    closed = wire.flag(head, "IsManuallyClosed")
    full = wire.flag(head, "IsFullyReceived")
    place = 0
    for line in lines:
        item = wire.ref(line, "ItemRef")
        if item is None:
            continue  # a line of text
        place += 1
        amount = fields.number(line, "Amount") or ZERO
        quantity = fields.number(line, "Quantity")
        by_quantity = quantity is not None and quantity > 0
        if quantity is not None and by_quantity:
            rate = fields.number(line, "Rate")
            price = amount / quantity if rate is None else rate
            billed = _billed(line, apart)
        else:
            quantity, price = ONE, amount
            billed = ONE if full or wire.flag(line, "IsBilled") else ZERO
        yield made(
            PurchaseOrderLine,
            erp_id=line_id(order_id, fields.need(line, "TxnLineID")),
            line_no=place,
            item_id=item,
            description=wire.text(line, "Desc") or "",
            unit=wire.text(line, "UnitOfMeasure") or "",
            quantity=quantity,
            price=price,
            amount=amount,
            basis=LineBasis.QUANTITY if by_quantity else LineBasis.AMOUNT,
            receivable=apart is not None and by_quantity,
            billed=billed,
            billed_amount=(billed * price).quantize(wire.CENT) if billed else ZERO,
            closed=closed or wire.flag(line, "IsManuallyClosed"),
            class_id=wire.ref(line, "ClassRef"),
            project=wire.ref(line, "CustomerRef"),
        )


def _billed(line: Fields, apart: Mapping[str, Decimal] | None) -> Decimal:
    """Return what is billed of a line. In the ordinary way a receipt takes the line up as a bill does."""
    if apart is None:
        return fields.number(line, "ReceivedQuantity") or ZERO
    return apart[fields.need(line, "TxnLineID")]


def evidence(whole: PurchaseOrder, bills: Iterable[etree._Element]) -> Iterator[OrderBilling]:
    """Return which bills are part of what QuickBooks says is billed of which line. A bill's line does not name its
    order line, so lines of one item go to the order's lines of that item, in their order."""
    room = {line.erp_id: line.billed for line in whole.lines}
    for bill in sorted(bills, key=lambda one: int(wire.text(one, "TxnNumber") or 0)):
        number = wire.key_in(wire.text(bill, "Memo")) or wire.text(bill, "RefNumber") or fields.need(bill, "TxnID")
        for entry in lines_in(bill, ITEM_LINES):
            left = fields.number(entry, "Quantity")
            item = wire.ref(entry, "ItemRef")
            for line in whole.lines:
                if line.item_id != item or room[line.erp_id] <= 0:
                    continue
                taken = room[line.erp_id] if left is None else min(left, room[line.erp_id])
                if taken <= 0:
                    break
                room[line.erp_id] -= taken
                left = None if left is None else left - taken
                yield OrderBilling(
                    order_line=line.erp_id,
                    document_id=DocumentId(fields.need(bill, "TxnID")),
                    document_number=number,
                    quantity=taken,
                )
                if left is None:
                    break


# --- bills and credits -------------------------------------------------------------------------------------------

STATES = {True: "Paid", False: "Open"}
VOIDED = "Voided"
VOID = "VOID"
"""Begins the memo of a document that a person voided; its amounts are zero."""


def bill(record: etree._Element, home: str | None = None) -> ErpBill:
    """Return a bill.

    Raises:
        fields.Unusable: the bill cannot be used.
    """
    erp_id = fields.need(record, "TxnID")
    total = fields.need_number(record, "AmountDue")
    is_paid = wire.flag(record, "IsPaid")
    due = fields.number(record, "OpenAmount")
    if due is None:
        due = ZERO if is_paid else total
    orders = linked(record, "PurchaseOrder")
    key = wire.key_in(wire.text(record, "Memo"))
    voided = total == 0 and (wire.text(record, "Memo") or "").upper().startswith(VOID)
    return ErpBill(
        erp_id=ErpId(erp_id),
        number=wire.text(record, "RefNumber") or "",
        vendor_id=fields.need(record, "VendorRef/ListID"),
        order_document=DocumentId(orders[0]) if orders else None,
        source_document=DocumentId(erp_id),
        external_key=None if key is None else ExternalKey(key),
        bill_date=fields.need_day(record, "TxnDate"),
        due_date=fields.day(record, "DueDate"),
        currency=currency(record, home) or "",
        total=total,
        paid=total - due,
        due=due,
        state=VOIDED if voided else STATES[due == 0 and total != 0],
        rejected=voided,
        memo=wire.without_key(wire.text(record, "Memo")),
        revision=fields.revision(record),
        lines=tuple(_bill_lines(record)),
        items_name_order_lines=bool(orders) and not voided,
    )


def credit(record: etree._Element, home: str | None = None) -> ErpBill:
    """Return a vendor credit as a bill with a negative total.

    Raises:
        fields.Unusable: the credit cannot be used.
    """
    erp_id = fields.need(record, "TxnID")
    total = fields.need_number(record, "CreditAmount")
    left = fields.number(record, "OpenAmount")
    left = total if left is None else left
    return ErpBill(
        erp_id=ErpId(erp_id),
        kind=BillKind.CREDIT,
        number=wire.text(record, "RefNumber") or "",
        vendor_id=fields.need(record, "VendorRef/ListID"),
        bill_date=fields.need_day(record, "TxnDate"),
        currency=currency(record, home) or "",
        total=-total,
        paid=left - total,
        due=-left,
        state="Credit",
        memo=wire.text(record, "Memo") or "",
        revision=fields.revision(record),
        lines=tuple(_bill_lines(record, sign=-1)),
    )


def _bill_lines(record: etree._Element, *, sign: int = 1) -> Iterator[ErpBillLine]:
    place = 0
    for line in wire.children(record, ("ExpenseLineRet",)):
        place += 1
        yield ErpBillLine(
            line_no=place,
            account=wire.ref(line, "AccountRef"),
            description=wire.text(line, "Memo") or "",
            amount=sign * (fields.number(line, "Amount") or ZERO),
        )
    for line in lines_in(record, ITEM_LINES):
        place += 1
        quantity = fields.number(line, "Quantity")
        yield ErpBillLine(
            line_no=place,
            item_id=wire.ref(line, "ItemRef"),
            description=wire.text(line, "Desc") or "",
            quantity=None if quantity is None else sign * quantity,
            amount=sign * (fields.number(line, "Amount") or ZERO),
        )
