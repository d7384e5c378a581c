"""NetSuite's orders into ours (S4-29..36; reference 4, 5), and what the other records need for that, too.

Every function either returns a whole record or raises `Unusable`, which becomes a BadRecord: one bad order never stops
the others (fault F13). Ids are NetSuite's internal ids; a line's id names its order, too: `101:1`, of an expense line
`101:e3`.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from erp.connector import BadRecord
from erp.errors import ErpError, MalformedAnswer
from erp.netsuite import statuses, wire
from erp.netsuite.currencies import Currencies
from erp.netsuite.wire import Fields, Held, Row
from models.domain import (
    ErpId,
    LineBasis,
    PurchaseOrder,
    PurchaseOrderHeader,
    PurchaseOrderLine,
    Record,
)

T = TypeVar("T")
R = TypeVar("R", bound=Record)

ZERO = Decimal(0)
ONE = Decimal(1)
PARTS = Decimal("1E-10")
"""How exactly the billed part of an expense line is told."""


class Unusable(MalformedAnswer):
    """A record that cannot be taken in, with our code and what was seen. On a page it becomes a bad record."""

    def __init__(self, code: str, message: str, evidence: Mapping[str, str]) -> None:
        super().__init__(message, code=code, evidence=evidence)


def trusted(model: type[R], values: dict[str, Any]) -> R:
    """A record of values made and checked here, all fields given, without checking them again: that second check costs
    half of a sync page's time. A test compares these records with checked ones, field by field."""
    record = model.__new__(model)
    _set(record, "__dict__", values)
    _set(record, "__pydantic_fields_set__", _all_fields(model))
    _set(record, "__pydantic_extra__", None)
    _set(record, "__pydantic_private__", None)
    return record


_set = object.__setattr__


@cache
def _all_fields(model: type[Record]) -> set[str]:
    """One set for all records of a kind; pydantic copies it before it changes it."""
    return set(model.model_fields)


def bad_record(record: Held, error: ErpError) -> BadRecord:
    """The record by name, with what made it unusable."""
    names = {"number": "tranId", "status": "status", "modified": "lastModifiedDate"}
    shown = {ours: value for ours, theirs in names.items() if (value := wire.text(record.fields, theirs))}
    return BadRecord(erp_id=record.id, code=error.code, message=error.message, evidence=shown | error.evidence)


def usable(records: Iterable[Held], make: Callable[[Held], T]) -> tuple[list[T], list[BadRecord]]:
    """What `make` makes of each record, and the records it could not use."""
    good: list[T] = []
    bad: list[BadRecord] = []
    for record in records:
        try:
            good.append(make(record))
        except Unusable as error:
            bad.append(bad_record(record, error))
    return good, bad


# --- fields ----------------------------------------------------------------------------------------------------


def missing(what: str, field: str) -> Unusable:
    return Unusable("MISSING_FIELD", f"{what} came without its {field}.", {"field": field})


def unreadable(field: str, error: ValueError) -> Unusable:
    return Unusable("VALUE_NOT_READABLE", f"{field} cannot be read: {error}", {"field": field})


def need(record: Held, field: str) -> str:
    """A mandatory field's text. Raises Unusable MISSING_FIELD."""
    value = wire.text(record.fields, field)
    if value is None:
        raise missing(f"{record.kind} {wire.text(record.fields, 'tranId') or record.id}", field)
    return value


def need_ref(record: Held, field: str) -> wire.Ref:
    value = wire.ref(record.fields, field)
    if value is None:
        raise missing(f"{record.kind} {wire.text(record.fields, 'tranId') or record.id}", field)
    return value


def need_day(record: Held, field: str) -> date:
    value = need(record, field)
    try:
        return wire.day(value)
    except ValueError as error:
        raise unreadable(field, error) from None


def optional_day(record: Held, field: str) -> date | None:
    return need_day(record, field) if wire.text(record.fields, field) else None


def optional_decimal(found: Fields, field: str) -> Decimal | None:
    value = wire.text(found, field)
    if value is None:
        return None
    try:
        return wire.decimal(value)
    except ValueError as error:
        raise unreadable(field, error) from None


def money(found: Fields, field: str) -> Decimal | None:
    """An amount to the cent."""
    value = wire.text(found, field)
    if value is None:
        return None
    try:
        return wire.money(value)
    except ValueError as error:
        raise unreadable(field, error) from None


def revision(record: Held) -> str:
    """When the record last changed, by NetSuite's clock in UTC."""
    value = wire.text(record.fields, "lastModifiedDate") or wire.text(record.fields, "createdDate")
    if value is None:
        raise missing(f"{record.kind} {record.id}", "lastModifiedDate")
    try:
        return wire.sortable_time(value)
    except ValueError as error:
        raise unreadable("lastModifiedDate", error) from None


def line_id(document: str, line: str, *, expense: bool = False) -> ErpId:
    return ErpId(f"{document}:{'e' if expense else ''}{line}")


def split_line_id(erp_id: str) -> tuple[str, str, bool]:
    """The document and line of one of our line ids, and whether it is an expense line."""
    document, _, line = erp_id.partition(":")
    return document, line.removeprefix("e"), line.startswith("e")


# --- purchase orders -------------------------------------------------------------------------------------------


def order_status(record: Held) -> str:
    """The order's status word. The enum counts where an answer has it: the display text follows the user's language."""
    word = statuses.WORDS.get(wire.text(record.fields, "orderStatus") or "")
    return word or need(record, "status")


def order_header(record: Held, currencies: Currencies, *, touched: str = "") -> PurchaseOrderHeader:
    """An order's header. `touched`: when a receipt or bill last moved its lines, if that is later. Raises Unusable."""
    return trusted(PurchaseOrderHeader, _header(record, currencies, touched))


def _header(record: Held, currencies: Currencies, touched: str) -> dict[str, Any]:
    found = record.fields
    vendor = need_ref(record, "entity")
    return {
        "erp_id": record.id,
        "document_id": record.id,
        "number": wire.text(found, "tranId") or record.id,
        "erp_status": order_status(record),
        "vendor_id": vendor.id,
        "vendor_name": vendor.name or vendor.id,
        "ordered_on": need_day(record, "tranDate"),
        "due_on": optional_day(record, "dueDate"),
        "currency": currencies.of(found) or None,
        "memo": wire.text(found, "memo") or "",
        "total": money(found, "total"),
        "reference": wire.text(found, "otherRefNum"),
        "term": wire.ref_id(found, "terms"),
        "owner_entity": None,
        "created_from": None,
        "revision": max(revision(record), touched),
        "custom": {},
    }


def order(record: Held, currencies: Currencies, *, touched: str = "") -> PurchaseOrder:
    """An order with its lines, items before expenses. Raises Unusable.

    What is billed of its lines without a quantity it does not show: see `with_amounts_billed`.
    """
    values = _header(record, currencies, touched)
    entity, currency = wire.ref_id(record.fields, "subsidiary"), values["currency"]
    lines: list[PurchaseOrderLine] = []
    for row in record.rows("itemList", "item"):
        line = _item_line(record, row, entity, currency, len(lines) + 1)
        if line is not None:
            lines.append(line)
    for row in record.rows("expenseList", "expense"):
        lines.append(_expense_line(record, row, entity, currency, len(lines) + 1))
    if not lines:
        raise Unusable("NO_LINES", f"{values['number']} came without any line.", {})
    values["entity"] = entity
    values["lines"] = tuple(lines)
    return trusted(PurchaseOrder, values)


def _item_line(
    record: Held, row: Row, entity: str | None, currency: str | None, line_no: int
) -> PurchaseOrderLine | None:
    """An item line; None for a line that is only text (a description or a subtotal)."""
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
        return trusted(
            PurchaseOrderLine,
            {
                "erp_id": erp_id,
                "line_no": line_no,
                "item_id": item,
                "description": get("description") or get("item.name", ""),
                "unit": get("units.name") or get("units", ""),
                "basis": LineBasis.QUANTITY if said is not None else LineBasis.AMOUNT,
                "receivable": True,
                "quantity": quantity,
                "price": price,
                "amount": worth,
                "billed": billed,
                "billed_amount": round(billed * price, 2) if billed else ZERO,
                "closed": get("isClosed") == "true",
                "entity": entity,
                "currency": currency,
                "department": get("department"),
                "location": get("location"),
                "class_id": get("class"),
                "project": get("customer"),
                "warehouse": None,
                "source_line": None,
                "custom": {},
            },
        )
    except ValueError as error:
        raise unreadable(f"a line of {record.id}", error) from None


def _expense_line(record: Held, row: Row, entity: str | None, currency: str | None, line_no: int) -> PurchaseOrderLine:
    """An expense line: an amount of an account. It is billed by amount, so its quantity is one of that price."""
    get = row.get
    try:
        erp_id = line_id(record.id, line_number(record, get("line")), expense=True)
        amount = wire.money(get("amount", "")) if "amount" in row else None
    except ValueError as error:
        raise unreadable(f"a line of {record.id}", error) from None
    account = "account" if "account" in row else "category"
    if account not in row or amount is None:
        raise missing(f"Expense line {erp_id}", account if account not in row else "amount")
    return trusted(
        PurchaseOrderLine,
        {
            "erp_id": erp_id,
            "line_no": line_no,
            "item_id": row[account],
            "description": get("memo") or get(f"{account}.name", ""),
            "unit": "",
            "basis": LineBasis.AMOUNT,
            "receivable": False,  # an amount of an account: nobody makes an item receipt of it
            "quantity": ONE,
            "price": amount,
            "amount": amount,
            "billed": ZERO,
            "billed_amount": ZERO,
            "closed": get("isClosed") == "true",
            "entity": entity,
            "currency": currency,
            "department": get("department"),
            "location": get("location"),
            "class_id": get("class"),
            "project": get("customer"),
            "warehouse": None,
            "source_line": None,
            "custom": {},
        },
    )


def has_amount_lines(order: PurchaseOrder) -> bool:
    """Whether an order has lines without a quantity, so that only bills tell what is billed of them."""
    return any(line.basis is LineBasis.AMOUNT for line in order.lines)


def with_amounts_billed(order: PurchaseOrder, amounts: Mapping[str, Decimal]) -> PurchaseOrder:
    """The order with what bills bill of its lines without a quantity, by line id."""

    def told(line: PurchaseOrderLine) -> PurchaseOrderLine:
        if line.basis is LineBasis.QUANTITY:
            return line
        billed = amounts.get(line.erp_id, ZERO)
        return line.model_copy(update={"billed": part_of(billed, line.amount), "billed_amount": billed})

    return order.model_copy(update={"lines": tuple(told(line) for line in order.lines)})


def part_of(billed: Decimal, amount: Decimal) -> Decimal:
    """Which part of an expense line's amount is billed."""
    if billed == amount:
        return ONE if amount else ZERO
    return (billed / amount).quantize(PARTS).normalize() if amount else ZERO


def line_number(record: Held, line: str | None) -> str:
    """A line's own number, which NetSuite assigns, never gives to another line, and which bills refer to.
    It is not dense; people count lines from one."""
    if line is None:
        raise missing(f"A line of {record.kind} {wire.text(record.fields, 'tranId') or record.id}", "line")
    try:
        return str(int(line))
    except ValueError as error:
        raise unreadable(f"a line of {record.id}", error) from None


def _price(row: Row, quantity: Decimal) -> Decimal:
    """The price of one; a rate may also be a percentage, or absent where only the amount was entered."""
    rate, amount = row.get("rate"), row.get("amount")
    if rate is not None and "quantity" in row and not rate.endswith("%"):
        return wire.decimal(rate)
    if amount is None or not quantity:
        return ZERO
    return wire.decimal(str(wire.decimal(amount) / quantity))
