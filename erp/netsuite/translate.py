"""Translate NetSuite's orders into ours (reference 4, 5), with functions that the other records need too.

Every function either returns a whole record or raises `Unusable`, which becomes a BadRecord: one bad order never stops
the others. Ids are NetSuite's internal ids. A line's id also names its order: `101:1`, and `101:e3` for an expense
line.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from erp.errors import ErpError, MalformedAnswer
from erp.netsuite import own_fields, statuses, wire
from erp.netsuite.currencies import Currencies
from erp.netsuite.own_fields import OwnFields
from erp.netsuite.wire import Fields, NsRecord, Row
from erp.records import made
from erp.roles.pages import BadRecord
from models.domain.ids import ErpId
from models.domain.orders import LineBasis, PurchaseOrder, PurchaseOrderHeader, PurchaseOrderLine

T = TypeVar("T")

ZERO = Decimal(0)
ONE = Decimal(1)
PARTS = Decimal("1E-10")
"""How exactly the billed part of an expense line is computed."""


UNFORESEEN = (ValueError, ArithmeticError, LookupError, TypeError)
"""What a record may cause that no check foresaw: it becomes a bad record like any other, and the page goes on."""


class Unusable(MalformedAnswer):
    """A record that cannot be read into our form, with our code and the evidence. On a page it becomes a bad record."""

    def __init__(self, code: str, message: str, evidence: Mapping[str, str]) -> None:
        super().__init__(message, code=code, evidence=evidence)


def unforeseen(error: Exception) -> Unusable:
    """Return the error of a record that no check foresaw."""
    problem = f"{type(error).__name__}: {error}"[:500]
    return Unusable("VALUE_NOT_READABLE", f"The record cannot be read: {problem}", {"problem": problem})


def bad_record(record: NsRecord, error: ErpError) -> BadRecord:
    """Return the record by name, with what made it unusable."""
    names = {"number": "tranId", "status": "status", "modified": "lastModifiedDate"}
    shown = {ours: value for ours, theirs in names.items() if (value := wire.text(record.fields, theirs))}
    return BadRecord(erp_id=record.id, code=error.code, message=error.message, evidence=shown | error.evidence)


def usable(records: Iterable[NsRecord], make: Callable[[NsRecord], T]) -> tuple[list[T], list[BadRecord]]:
    """Return what `make` makes of each record, and the records it could not use."""
    good: list[T] = []
    bad: list[BadRecord] = []
    for record in records:
        try:
            good.append(make(record))
        except Unusable as error:
            bad.append(bad_record(record, error))
        except UNFORESEEN as error:
            bad.append(bad_record(record, unforeseen(error)))
    return good, bad


# --- fields ----------------------------------------------------------------------------------------------------


def missing(what: str, field: str) -> Unusable:
    """Return the error of a mandatory field that is absent."""
    return Unusable("MISSING_FIELD", f"{what} came without its {field}.", {"field": field})


def unreadable(field: str, error: ValueError) -> Unusable:
    """Return the error of a field whose value cannot be read."""
    return Unusable("VALUE_NOT_READABLE", f"{field} cannot be read: {error}", {"field": field})


def need(record: NsRecord, field: str) -> str:
    """Return the text of a mandatory field.

    Raises:
        Unusable: MISSING_FIELD.
    """
    value = wire.text(record.fields, field)
    if value is None:
        raise missing(f"{record.kind} {wire.text(record.fields, 'tranId') or record.id}", field)
    return value


def need_ref(record: NsRecord, field: str) -> wire.Ref:
    """Return the reference in a mandatory field.

    Raises:
        Unusable: MISSING_FIELD.
    """
    value = wire.ref(record.fields, field)
    if value is None:
        raise missing(f"{record.kind} {wire.text(record.fields, 'tranId') or record.id}", field)
    return value


def need_day(record: NsRecord, field: str) -> date:
    """Return the date in a mandatory field.

    Raises:
        Unusable: it is absent or is no date.
    """
    value = need(record, field)
    try:
        return wire.day(value)
    except ValueError as error:
        raise unreadable(field, error) from None


def optional_day(record: NsRecord, field: str) -> date | None:
    """Return the date in a field; None: it is absent.

    Raises:
        Unusable: it is no date.
    """
    return need_day(record, field) if wire.text(record.fields, field) else None


def optional_decimal(fields: Fields, field: str) -> Decimal | None:
    """Return the number in a field; None: it is absent.

    Raises:
        Unusable: it is no number.
    """
    value = wire.text(fields, field)
    if value is None:
        return None
    try:
        return wire.decimal(value)
    except ValueError as error:
        raise unreadable(field, error) from None


def money(fields: Fields, field: str) -> Decimal | None:
    """Return an amount to the cent; None: it is absent.

    Raises:
        Unusable: it is no number.
    """
    value = wire.text(fields, field)
    if value is None:
        return None
    try:
        return wire.money(value)
    except ValueError as error:
        raise unreadable(field, error) from None


def revision(record: NsRecord) -> str:
    """Return when the record last changed, by NetSuite's clock, in UTC.

    Raises:
        Unusable: the time is absent or cannot be read.
    """
    value = wire.text(record.fields, "lastModifiedDate") or wire.text(record.fields, "createdDate")
    if value is None:
        raise missing(f"{record.kind} {record.id}", "lastModifiedDate")
    try:
        return wire.sortable_time(value)
    except ValueError as error:
        raise unreadable("lastModifiedDate", error) from None


def line_id(document: str, line: str, *, expense: bool = False) -> ErpId:
    """Return our id of a document's line."""
    return ErpId(f"{document}:{'e' if expense else ''}{line}")


def split_line_id(erp_id: str) -> tuple[str, str, bool]:
    """Return the document and the line of one of our line ids, and whether it is an expense line."""
    document, _, line = erp_id.partition(":")
    return document, line.removeprefix("e"), line.startswith("e")


# --- purchase orders -------------------------------------------------------------------------------------------


def order_status(record: NsRecord) -> str:
    """Return the text of the order's status. The enumeration counts if an answer has it: the displayed text follows the
    user's language."""
    status = statuses.WORDS.get(wire.text(record.fields, "orderStatus") or "")
    return status or need(record, "status")


def order_header(record: NsRecord, currencies: Currencies, *, touched: str = "") -> PurchaseOrderHeader:
    """Return an order's header. `touched`: when a receipt or bill last changed its lines, if that is later.

    Raises:
        Unusable: the record cannot be used.
    """
    return made(PurchaseOrderHeader, **_header(record, currencies, touched))


def _header(record: NsRecord, currencies: Currencies, touched: str) -> dict[str, Any]:
    values = record.fields
    vendor = need_ref(record, "entity")
    return {
        "erp_id": record.id,
        "document_id": record.id,
        "number": wire.text(values, "tranId") or record.id,
        "erp_status": order_status(record),
        "vendor_id": vendor.id,
        "vendor_name": vendor.name or vendor.id,
        "ordered_on": need_day(record, "tranDate"),
        "due_on": optional_day(record, "dueDate"),
        "currency": currencies.of(values) or None,
        "memo": wire.text(values, "memo") or "",
        "total": money(values, "total"),
        "reference": wire.text(values, "otherRefNum"),
        "term": wire.ref_id(values, "terms"),
        "owner_entity": None,
        "created_from": None,
        "revision": max(revision(record), touched),
        "custom": {},
    }


def order(record: NsRecord, currencies: Currencies, own: OwnFields, *, touched: str = "") -> PurchaseOrder:
    """Return an order with its lines, items before expenses. `own`: the company's own fields of lines.

    The record does not show what is billed of lines without a quantity: see `with_amounts_billed`.

    Raises:
        Unusable: the record cannot be used.
    """
    values = _header(record, currencies, touched)
    entity, currency = wire.ref_id(record.fields, "subsidiary"), values["currency"]
    lines: list[PurchaseOrderLine] = []
    for row in record.rows("itemList", "item"):
        line = _item_line(record, row, entity, currency, own, len(lines) + 1)
        if line is not None:
            lines.append(line)
    for row in record.rows("expenseList", "expense"):
        lines.append(_expense_line(record, row, entity, currency, own, len(lines) + 1))
    if not lines:
        raise Unusable("NO_LINES", f"{values['number']} came without any line.", {})
    values["entity"] = entity
    values["lines"] = tuple(lines)
    return made(PurchaseOrder, **values)


def _item_line(
    record: NsRecord, row: Row, entity: str | None, currency: str | None, own: OwnFields, line_no: int
) -> PurchaseOrderLine | None:
    """Return an item line; None: the line is only text (a description or a subtotal).

    Raises:
        Unusable: the line cannot be used.
    """
    get = row.get
    try:
        said, amount = get("quantity"), get("amount")
        if said is None and amount is None:
            return None
        erp_id = line_id(record.id, line_number(record, get("line")))
        item = get("item")
        if item is None:
            raise missing(f"Line {erp_id}", "item")
        # A line without a quantity is one of its amount.
        quantity = ONE if said is None else wire.decimal(said)
        price = _price(row, quantity)
        worth = wire.cents(quantity * price) if amount is None else wire.money(amount)
        billed = ZERO if said is None else wire.decimal(get("quantityBilled", "0"))
        return made(
            PurchaseOrderLine,
            erp_id=erp_id,
            line_no=line_no,
            item_id=item,
            description=get("description") or get("item.name", ""),
            unit=get("units.name") or get("units", ""),
            basis=LineBasis.QUANTITY if said is not None else LineBasis.AMOUNT,
            quantity=quantity,
            price=price,
            amount=worth,
            billed=billed,
            billed_amount=round(billed * price, 2) if billed else ZERO,
            closed=get("isClosed") == "true",
            entity=entity,
            currency=currency,
            department=get("department"),
            location=get("location"),
            class_id=get("class"),
            project=get("customer"),
            custom=own_fields.values_of(row, own),
        )
    except ValueError as error:
        raise unreadable(f"a line of {record.id}", error) from None


def _expense_line(
    record: NsRecord, row: Row, entity: str | None, currency: str | None, own: OwnFields, line_no: int
) -> PurchaseOrderLine:
    """Return an expense line: an amount on an account. It is billed by amount, so its quantity is one, at that price.

    Raises:
        Unusable: the line cannot be used.
    """
    get = row.get
    try:
        erp_id = line_id(record.id, line_number(record, get("line")), expense=True)
        amount = wire.money(get("amount", "")) if "amount" in row else None
    except ValueError as error:
        raise unreadable(f"a line of {record.id}", error) from None
    account = "account" if "account" in row else "category"
    if account not in row or amount is None:
        raise missing(f"Expense line {erp_id}", account if account not in row else "amount")
    return made(
        PurchaseOrderLine,
        erp_id=erp_id,
        line_no=line_no,
        item_id=row[account],
        description=get("memo") or get(f"{account}.name", ""),
        basis=LineBasis.AMOUNT,
        receivable=False,  # an amount on an account never gets an item receipt
        quantity=ONE,
        price=amount,
        amount=amount,
        closed=get("isClosed") == "true",
        entity=entity,
        currency=currency,
        department=get("department"),
        location=get("location"),
        class_id=get("class"),
        project=get("customer"),
        custom=own_fields.values_of(row, own),
    )


def has_amount_lines(order: PurchaseOrder) -> bool:
    """Return whether an order has lines without a quantity, of which only bills show what is billed."""
    return any(line.basis is LineBasis.AMOUNT for line in order.lines)


def with_amounts_billed(order: PurchaseOrder, amounts: Mapping[str, Decimal]) -> PurchaseOrder:
    """Return the order with what bills bill of its lines without a quantity, by line id."""

    def with_billed(line: PurchaseOrderLine) -> PurchaseOrderLine:
        if line.basis is LineBasis.QUANTITY:
            return line
        billed = amounts.get(line.erp_id, ZERO)
        return line.model_copy(update={"billed": part_of(billed, line.amount), "billed_amount": billed})

    return order.model_copy(update={"lines": tuple(with_billed(line) for line in order.lines)})


def part_of(billed: Decimal, amount: Decimal) -> Decimal:
    """Return which part of an expense line's amount is billed."""
    if billed == amount:
        return ONE if amount else ZERO
    return (billed / amount).quantize(PARTS).normalize() if amount else ZERO


def line_number(record: NsRecord, line: str | None) -> str:
    """Return a line's own number. NetSuite assigns it, never gives it to another line, and bills refer to it. The
    numbers have gaps; people count lines from one.

    Raises:
        Unusable: the number is absent or cannot be read.
    """
    if line is None:
        raise missing(f"A line of {record.kind} {wire.text(record.fields, 'tranId') or record.id}", "line")
    try:
        return str(int(line))
    except ValueError as error:
        raise unreadable(f"a line of {record.id}", error) from None


def _price(row: Row, quantity: Decimal) -> Decimal:
    """Return the price of one unit; a rate may also be a percentage, or be absent if only the amount was entered."""
    rate, amount = row.get("rate"), row.get("amount")
    if rate is not None and "quantity" in row and not rate.endswith("%"):
        return wire.decimal(rate)
    if amount is None or not quantity:
        return ZERO
    return wire.decimal(str(wire.decimal(amount) / quantity))
