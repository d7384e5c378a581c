"""Item receipts into ours: what was received of which order line (S4-30..32; reference 4)."""

from erp.netsuite import statuses, wire
from erp.netsuite.translate import ONE, line_id, line_number, missing, need_day, revision, unreadable
from erp.netsuite.wire import Fields, Held
from models.domain import DocumentId, ErpId, Receipt, ReceiptLine


def receipt(record: Held) -> Receipt:
    """An item receipt with what it received of each order line (S4-30..32). Raises Unusable."""
    order_id = wire.ref_id(record.fields, "createdFrom")
    lines: list[ReceiptLine] = []
    for found in record.lines("itemList", "item"):
        line = _receipt_line(record, found, order_id, len(lines) + 1)
        if line is not None:
            lines.append(line)
    # An expense that is marked received has no quantity; its amount is the order line's, so it is one of it.
    for found in record.lines("expenseList", "expense"):
        line = _received_expense(record, found, order_id, len(lines) + 1)
        if line is not None:
            lines.append(line)
    vendor = wire.ref_id(record.fields, "entity")
    return Receipt(
        erp_id=ErpId(record.id),
        document_id=DocumentId(record.id),
        number=wire.text(record.fields, "tranId") or record.id,
        erp_status=statuses.RECEIVED,
        order_document=DocumentId(order_id) if order_id else None,
        vendor_id=vendor or "",
        received_on=need_day(record, "tranDate"),
        memo=wire.text(record.fields, "memo") or "",
        entity=wire.ref_id(record.fields, "subsidiary"),
        owner_entity=None,
        revision=revision(record),
        lines=tuple(lines),
    )


def _receipt_line(record: Held, found: Fields, order_id: str | None, line_no: int) -> ReceiptLine | None:
    if wire.text(found, "itemReceive") in ("false", "0"):
        return None
    try:
        line = line_number(record, wire.text(found, "line"))
        quantity = wire.decimal(wire.text(found, "quantity") or "0")
    except ValueError as error:
        raise unreadable(f"a line of receipt {record.id}", error) from None
    item = wire.ref(found, "item")
    order_line = wire.text(found, "orderLine")
    if item is None:
        raise missing(f"Line {line} of receipt {record.id}", "item")
    return ReceiptLine(
        erp_id=line_id(record.id, line),
        line_no=line_no,
        item_id=item.id,
        description=wire.text(found, "description") or wire.text(found, "itemName") or item.name,
        unit=wire.text(found, "unitsDisplay") or "",
        quantity=quantity,
        order_line=line_id(order_id, order_line) if order_id and order_line else None,
    )


def _received_expense(record: Held, found: Fields, order_id: str | None, line_no: int) -> ReceiptLine | None:
    if wire.text(found, "markReceived") in ("false", "0"):
        return None
    order_line = wire.text(found, "orderLine")
    return ReceiptLine(
        erp_id=line_id(record.id, line_number(record, wire.text(found, "line")), expense=True),
        line_no=line_no,
        item_id=wire.text(found, "account") or "",
        description=wire.text(found, "memo") or "",
        quantity=ONE,
        order_line=line_id(order_id, order_line, expense=True) if order_id and order_line else None,
    )
