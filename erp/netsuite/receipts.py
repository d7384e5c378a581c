"""Translate item receipts into ours: what was received of which order line (reference 4)."""

from erp.netsuite import statuses, translate, wire
from erp.netsuite.credits import RETURN_AUTHORIZATION
from erp.netsuite.reader import Reader
from erp.netsuite.returns import returns_of
from erp.netsuite.transactions import RECEIPT, RETURN, changed, look_back
from erp.netsuite.translate import ONE, line_id, line_number, missing, need_day, revision, unreadable
from erp.netsuite.wire import Fields, NsRecord
from erp.roles.pages import Page
from models.domain.ids import DocumentId, ErpId
from models.domain.receipts import Receipt, ReceiptLine, ReceiptStatus


class Receipts:
    """Reads the item receipts of one connection."""

    def __init__(self, source: Reader, entity: str | None) -> None:
        self._reader = source
        self._entity = entity

    def status(self, erp_status: str) -> ReceiptStatus | None:
        """Return the meaning of a receipt's status, or None for an unknown one."""
        return statuses.receipt_status(erp_status)

    async def page(self, *, since: str | None, after: str | None) -> Page[Receipt]:
        """Read a page of item receipts with lines, and of returns with what went back."""
        start = None if since is None else look_back(since)
        listing = await self._reader.page(changed([RECEIPT, RETURN], start, self._entity, whole=True), after)
        authorizations = [record for record in listing.records if record.kind == RETURN_AUTHORIZATION]
        received = [record for record in listing.records if record.kind != RETURN_AUTHORIZATION]
        receipts, bad = translate.usable(received, receipt)
        returned, bad_returns = await returns_of(self._reader, authorizations)
        both = [*receipts, *returned]
        high_water = max((one.revision for one in both), default=None)
        return Page(both, listing.after, high_water, [*bad, *bad_returns])


def receipt(record: NsRecord) -> Receipt:
    """Return an item receipt with what it received of each order line.

    Raises:
        Unusable: the record cannot be used.
    """
    order_id = wire.ref_id(record.fields, "createdFrom")
    lines: list[ReceiptLine] = []
    for values in record.lines("itemList", "item"):
        line = _receipt_line(record, values, order_id, len(lines) + 1)
        if line is not None:
            lines.append(line)
    # A received expense has no quantity; its amount is the order line's, so its quantity is one.
    for values in record.lines("expenseList", "expense"):
        line = _received_expense(record, values, order_id, len(lines) + 1)
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


def _receipt_line(record: NsRecord, fields: Fields, order_id: str | None, line_no: int) -> ReceiptLine | None:
    if wire.text(fields, "itemReceive") in ("false", "0"):
        return None
    try:
        line = line_number(record, wire.text(fields, "line"))
        quantity = wire.decimal(wire.text(fields, "quantity") or "0")
    except ValueError as error:
        raise unreadable(f"a line of receipt {record.id}", error) from None
    item = wire.ref(fields, "item")
    order_line = wire.text(fields, "orderLine")
    if item is None:
        raise missing(f"Line {line} of receipt {record.id}", "item")
    return ReceiptLine(
        erp_id=line_id(record.id, line),
        line_no=line_no,
        item_id=item.id,
        description=wire.text(fields, "description") or wire.text(fields, "itemName") or item.name,
        unit=wire.text(fields, "unitsDisplay") or "",
        quantity=quantity,
        order_line=line_id(order_id, order_line) if order_id and order_line else None,
    )


def _received_expense(record: NsRecord, fields: Fields, order_id: str | None, line_no: int) -> ReceiptLine | None:
    if wire.text(fields, "markReceived") in ("false", "0"):
        return None
    order_line = wire.text(fields, "orderLine")
    return ReceiptLine(
        erp_id=line_id(record.id, line_number(record, wire.text(fields, "line")), expense=True),
        line_no=line_no,
        item_id=wire.text(fields, "account") or "",
        description=wire.text(fields, "memo") or "",
        quantity=ONE,
        order_line=line_id(order_id, order_line, expense=True) if order_id and order_line else None,
    )
