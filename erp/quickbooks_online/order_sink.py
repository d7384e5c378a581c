"""Take orders of the caller's own system: a billed one as a bill, an unbilled one as a purchase order (reference 6.1,
6.2, 8).

Both are found by their number and known by our key in the private note. A bill from here bills no order of
QuickBooks: the caller's system has the order.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.errors import Duplicate, ErpError, OutcomeUnknown
from erp.quickbooks_online import bill_edits, translate, wire
from erp.quickbooks_online.bill_lines import PRICE_DECIMALS
from erp.quickbooks_online.bills_in import BILL
from erp.quickbooks_online.orders import KIND as ORDER
from erp.quickbooks_online.quota import QUOTA
from erp.quickbooks_online.wire import Entity
from erp.quickbooks_online.writing import Writer, number_taken, request_id
from models.domain.ids import ErpId
from models.domain.source_orders import LineToUpload, OrderToUpload, UploadAs, UploadedOrder

KINDS = {UploadAs.BILL: BILL, UploadAs.PURCHASE_ORDER: ORDER}


class OrderSink:
    """Writes the bills and purchase orders that source orders become."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def find(self, order: OrderToUpload) -> ErpId | None:
        """Return the document that has the number and carries our key."""
        for one in await self._same_number(order):
            if wire.key_of(one) == order.external_key:
                return _id(one)
        return None

    async def create(self, order: OrderToUpload) -> ErpId:
        """Post the document. One of ours with the number is returned, not made a second time.

        Raises:
            Rejected: NUMBER_TAKEN, when another document has the number and nobody decided that it may; and
                what QuickBooks' rules refuse.
            Duplicate: QuickBooks says that it has the document and does not name it.
        """
        kind = KINDS[order.upload_as]
        try:
            same = await self._same_number(order)
        except ErpError as error:
            if error.code != QUOTA:
                raise
            # Writes stay free when the month's reads are used up. In doubt, `find` has waited already.
            same = []
        for one in same:
            if wire.key_of(one) == order.external_key:
                return _id(one)
        # Numbers of bills are the suppliers', those of orders are the company's own.
        others = [one for one in same if kind == ORDER or wire.ref(one, "VendorRef") == order.vendor_id]
        if others and not order.may_repeat_number:
            raise number_taken(kind, wire.text(others[0], "Id") or "", {"number": order.number}, others[0])
        try:
            made = await self._writer.create(
                kind,
                _body(order),
                key=order.external_key,
                request_id=request_id(kind.casefold(), order.external_key, _content(order)),
                may_repeat_number=order.may_repeat_number,
            )
        except Duplicate as error:
            if error.code != "ALREADY_EXISTS":
                raise
            made = await self._writer.holder_of(error, kind, order.external_key)
        return _id(made)

    async def _same_number(self, order: OrderToUpload) -> list[Entity]:
        return await self._writer.with_number(KINDS[order.upload_as], order.number, order.dated.isoformat())

    async def read_back(self, order: OrderToUpload, erp_id: ErpId) -> UploadedOrder:
        """Compare the document with what was sent, as the write's own answer shows it; only if that is not at hand, it
        is read.

        Raises:
            OutcomeUnknown: QuickBooks does not show the document: it was written, and has to be looked up again.
        """
        kind = KINDS[order.upload_as]
        record = await self._writer.document(kind, erp_id)
        if record is None:
            raise OutcomeUnknown(f"QuickBooks does not show {kind} {erp_id}.", code="OUTCOME_UNKNOWN")
        total = translate.need_number(record, "TotalAmt")
        return UploadedOrder(
            erp_id=erp_id,
            document_id=f"{wire.BILL}{erp_id}" if kind == BILL else erp_id,
            total=total,
            differences=tuple(_differences(order, record, total)),
        )


def _id(document: Entity) -> ErpId:
    return ErpId(wire.text(document, "Id") or "")


def _note(order: OrderToUpload) -> str:
    """Return the private note: the memo, and the whole reference if QuickBooks keeps only its beginning."""
    if order.reference == order.number:
        return order.memo
    return f"{order.memo}\nReference: {order.reference}".strip()


def _body(order: OrderToUpload) -> dict[str, Any]:
    return wire.given(
        VendorRef={"value": order.vendor_id},
        TxnDate=order.dated.isoformat(),
        DueDate=None if order.due_on is None else order.due_on.isoformat(),
        DocNumber=order.number,
        PrivateNote=wire.marked(_note(order), order.external_key),
        Line=[_line(line) for line in order.lines],
    )


def _line(line: LineToUpload) -> dict[str, Any]:
    if line.item_id is not None:
        quantity = line.quantity if line.quantity else None
        inner = wire.given(
            ItemRef={"value": line.item_id},
            Qty=quantity,
            UnitPrice=_price(line),
            ClassRef=wire.reference(line.class_id),
        )
        kind = translate.ITEM
    else:
        inner = wire.given(AccountRef=wire.reference(line.account_id), ClassRef=wire.reference(line.class_id))
        kind = translate.ACCOUNT
    return wire.given(Description=line.description or None, Amount=line.amount, DetailType=kind, **{kind: inner})


def _price(line: LineToUpload) -> Decimal | None:
    """Return the price to send; None where quantity and price do not give the amount: QuickBooks refuses them then
    (fault 6070), and works the price out by itself."""
    if not line.quantity or line.price is None:
        return None
    price = round(line.price, PRICE_DECIMALS)
    return price if (line.quantity * price).quantize(wire.CENT, ROUND_HALF_UP) == line.amount else None


def _content(order: OrderToUpload) -> list[Any]:
    """Return what the document means, in an order that never changes."""
    return [
        order.vendor_id, order.number, order.reference, order.dated, order.due_on, order.memo, order.may_repeat_number,
        *(
            part
            for line in order.lines
            for part in (
                line.item_id, line.account_id, line.description, line.quantity, line.price, line.amount, line.class_id
            )
        ),
    ]  # fmt: skip


def _differences(order: OrderToUpload, record: Entity, total: Decimal) -> list[str]:
    pairs: list[tuple[str, Any, Any]] = [
        ("the vendor", order.vendor_id, wire.ref(record, "VendorRef")),
        ("the number", order.number, wire.text(record, "DocNumber")),
        ("our key", order.external_key, wire.key_of(record)),
        ("the date", order.dated, translate.optional_day(record, "TxnDate")),
        ("the due date", order.due_on, order.due_on and translate.optional_day(record, "DueDate")),
        ("the currency", order.currency, wire.ref(record, "CurrencyRef") or order.currency),
        ("the total", order.total, total),
        ("the orders it is linked to", "none", ", ".join(translate.orders_of(record)) or "none"),
    ]
    differences = [
        f"{what}: sent {sent}, QuickBooks has {existing or 'nothing'}"
        for what, sent, existing in pairs
        if sent != existing
    ]
    differences += bill_edits.text_difference("the memo", _note(order), wire.note_of(record))
    theirs = [line for line in wire.parts(record, "Line") if translate.is_bought(line)]
    if len(theirs) != len(order.lines):
        return [*differences, f"the number of lines: sent {len(order.lines)}, QuickBooks has {len(theirs)}"]
    return differences + _line_differences(order.lines, theirs)


def _line_differences(lines: Sequence[LineToUpload], theirs: Sequence[Entity]) -> list[str]:
    differences: list[str] = []
    for line, existing in zip(lines, theirs, strict=True):
        inner = translate.detail(existing)
        quantity = line.quantity if line.item_id is not None and line.quantity else None
        price = _price(line) if line.item_id is not None else None
        pairs: list[tuple[str, Any, Any]] = [
            ("the item", line.item_id, wire.ref(inner, "ItemRef")),
            ("the account", line.account_id, wire.ref(inner, "AccountRef")),
            ("the quantity", quantity, translate.number(inner, "Qty")),
            ("the price", price, translate.number(inner, "UnitPrice")),
            ("the amount", line.amount, translate.number(existing, "Amount")),
            ("the class", line.class_id, wire.ref(inner, "ClassRef")),
        ]
        name = f"line {line.line_no}"
        differences += [
            f"{name}, {what}: sent {sent}, QuickBooks has {'nothing' if has is None else has}"
            for what, sent, has in pairs
            if sent is not None and sent != has
        ]
        if line.description:
            said = wire.text(existing, "Description")
            differences += bill_edits.text_difference(f"{name}, the description", line.description, said)
    return differences
