"""Translate QuickBooks' orders into ours (reference 6.1), with functions that the other records need too.

Every function either returns a whole record or raises `Unusable`, which becomes a BadRecord: one bad order never stops
the others. Ids are QuickBooks' own; a line's id also names its order, `190:1`, and ids of bills and credits begin with
a letter (`wire.BILL`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from erp.errors import MalformedAnswer
from erp.quickbooks_online import statuses, wire
from erp.quickbooks_online.wire import ONE, ZERO, Entity
from erp.records import made
from erp.roles.pages import BadRecord
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import LineBasis, PurchaseOrder, PurchaseOrderLine

T = TypeVar("T")

PARTS = Decimal("1E-10")
"""How exactly the billed part of a line without a quantity is computed."""

ITEM = "ItemBasedExpenseLineDetail"
ACCOUNT = "AccountBasedExpenseLineDetail"

ACCOUNT_ID = "account:"
"""In front of the id of what a line buys, if that is an account: items have ids of their own."""

READ_MARGIN = timedelta(seconds=1)
"""An order read whole is as new as QuickBooks' clock said, less the second that the clock may round off."""


class Unusable(MalformedAnswer):
    """A record that cannot be read into our form, with our code and the evidence. On a page it becomes a bad record."""

    def __init__(self, code: str, message: str, evidence: Mapping[str, str]) -> None:
        super().__init__(message, code=code, evidence=evidence)


def usable(entities: Iterable[Entity], make: Callable[[Entity], T]) -> tuple[list[T], list[BadRecord]]:
    """Return the records that can be used, and the others by name."""
    records: list[T] = []
    bad: list[BadRecord] = []
    for entity in entities:
        try:
            records.append(make(entity))
        except Unusable as error:
            bad.append(bad_record(entity, error))
    return records, bad


def bad_record(entity: Entity, error: Unusable) -> BadRecord:
    """Return the record by name, with what made it unusable."""
    named = {
        name: value
        for name, value in (
            ("number", wire.text(entity, "DocNumber")),
            ("name", wire.text(entity, "DisplayName") or wire.text(entity, "Name")),
            ("status", wire.text(entity, "POStatus")),
        )
        if value
    }
    return BadRecord(
        erp_id=wire.text(entity, "Id") or "", code=error.code, message=error.message, evidence=named | error.evidence
    )


# --- fields ----------------------------------------------------------------------------------------------------


def need(entity: Entity, name: str) -> str:
    """Return a mandatory field as text.

    Raises:
        Unusable: MISSING_FIELD.
    """
    value = wire.text(entity, name)
    if value is None:
        raise missing(entity, name)
    return value


def need_ref(entity: Entity, name: str) -> str:
    """Return the id of a mandatory reference.

    Raises:
        Unusable: MISSING_FIELD.
    """
    value = wire.ref(entity, name)
    if value is None:
        raise missing(entity, name)
    return value


def missing(entity: Entity, name: str) -> Unusable:
    """Return the error of a record without a mandatory field."""
    what = wire.text(entity, "DocNumber") or wire.text(entity, "Id") or "A record"
    return Unusable("MISSING_FIELD", f"{what} came without {name}.", {"field": name})


def unreadable(name: str, error: ValueError) -> Unusable:
    """Return the error of a field whose value cannot be read."""
    return Unusable("VALUE_NOT_READABLE", f"{name} cannot be read: {error}", {"field": name, "problem": str(error)})


def number(entity: Entity, name: str) -> Decimal | None:
    """Return a number; None if it is absent.

    Raises:
        Unusable: VALUE_NOT_READABLE.
    """
    try:
        return wire.decimal(entity, name)
    except ValueError as error:
        raise unreadable(name, error) from None


def need_number(entity: Entity, name: str) -> Decimal:
    """Return a mandatory number.

    Raises:
        Unusable: MISSING_FIELD, VALUE_NOT_READABLE.
    """
    value = number(entity, name)
    if value is None:
        raise missing(entity, name)
    return value


def optional_day(entity: Entity, name: str) -> date | None:
    """Return a date; None if it is absent.

    Raises:
        Unusable: VALUE_NOT_READABLE.
    """
    value = wire.text(entity, name)
    if value is None:
        return None
    try:
        return wire.day(value)
    except ValueError as error:
        raise unreadable(name, error) from None


def need_day(entity: Entity, name: str) -> date:
    """Return a mandatory date.

    Raises:
        Unusable: MISSING_FIELD, VALUE_NOT_READABLE.
    """
    value = optional_day(entity, name)
    if value is None:
        raise missing(entity, name)
    return value


def revision(entity: Entity) -> str:
    """Return a record's revision: the second in which it changed, and its sync token, sortable as text.

    Raises:
        Unusable: MISSING_FIELD, VALUE_NOT_READABLE.
    """
    said = wire.text(wire.part(entity, "MetaData"), "LastUpdatedTime")
    if said is None:
        raise missing(entity, "MetaData.LastUpdatedTime")
    try:
        at = wire.moment_text(wire.instant(said))
    except ValueError as error:
        raise unreadable("MetaData.LastUpdatedTime", error) from None
    token = wire.text(entity, "SyncToken") or "0"
    return f"{at} {token.zfill(10)[:20]}"


def token_in(revision: str | None) -> str | None:
    """Return the SyncToken that a revision holds; None: it holds none, as one that was cut to a second."""
    match = re.fullmatch(r"\S+ \S+ (\d{10,20})", revision or "")
    return str(int(match[1])) if match else None


def revision_at(at: datetime) -> str:
    """Return the revision of what was read whole at a time of QuickBooks' clock."""
    return revision_of(wire.moment_text(at - READ_MARGIN))


def revision_of(cursor: str) -> str:
    """Return the lowest revision of a second."""
    return f"{cursor} {'0' * 10}"


def high_water(began: str | None, revisions: Iterable[str]) -> str | None:
    """Return the highest revision of a page; of a reading without a start at least the second in which it began."""
    return max(filter(None, (began, *revisions)), default=None)


# --- links -----------------------------------------------------------------------------------------------------


def linked(entity: Entity, kind: str) -> list[str]:
    """Return the ids of documents of a kind that a header or a line is linked to."""
    links = wire.parts(entity, "LinkedTxn")
    return [one for link in links if wire.text(link, "TxnType") == kind and (one := wire.text(link, "TxnId"))]


def order_link(line: Entity) -> tuple[str, ErpId] | None:
    """Return the order and the order line that a bill's line bills; None: it names none."""
    for link in wire.parts(line, "LinkedTxn"):
        order, place = wire.text(link, "TxnId"), wire.text(link, "TxnLineId")
        if wire.text(link, "TxnType") == "PurchaseOrder" and order and place:
            return order, line_id(order, place)
    return None


def orders_of(bill: Entity) -> list[str]:
    """Return the orders that a bill is linked to, by header or line, without repeats."""
    ids = linked(bill, "PurchaseOrder")
    ids += [one for line in wire.parts(bill, "Line") for one in linked(line, "PurchaseOrder")]
    return list(dict.fromkeys(ids))


def line_id(order: str, line: str) -> ErpId:
    """Return the id of an order's line."""
    return ErpId(f"{order}:{line}")


def detail(line: Entity) -> Entity:
    """Return a line's own detail: of an item or of an account."""
    return wire.part(line, wire.text(line, "DetailType") or "")


def is_bought(line: Entity) -> bool:
    """Return whether a line orders or bills something: subtotals and text do not."""
    return wire.text(line, "DetailType") in (ITEM, ACCOUNT)


# --- orders ----------------------------------------------------------------------------------------------------


def order(
    entity: Entity, home: str, *, touched: str = "", billed: Mapping[str, Decimal] | None = None
) -> PurchaseOrder:
    """Return an order with its lines. `home` is the company's currency; `touched` the latest revision of a bill that
    bills it; `billed` what the linked bills bill, by line, where QuickBooks does not say it itself.

    Raises:
        Unusable: the order cannot be used.
    """
    erp_id = need(entity, "Id")
    lines = tuple(
        _line(erp_id, place, line, billed)
        for place, line in enumerate(filter(is_bought, wire.parts(entity, "Line")), start=1)
    )
    if not lines:
        number = wire.text(entity, "DocNumber") or erp_id
        raise Unusable("NO_LINES", f"{number} has no lines.", {})
    location = wire.ref(entity, "DepartmentRef")
    lines = tuple(line.model_copy(update={"location": location}) for line in lines) if location else lines
    return made(
        PurchaseOrder,
        erp_id=ErpId(erp_id),
        document_id=DocumentId(erp_id),
        number=wire.text(entity, "DocNumber") or erp_id,
        erp_status=statuses.order_status(wire.text(entity, "POStatus") or "", lines),
        vendor_id=need_ref(entity, "VendorRef"),
        vendor_name=wire.text(wire.part(entity, "VendorRef"), "name") or need_ref(entity, "VendorRef"),
        ordered_on=need_day(entity, "TxnDate"),
        due_on=optional_day(entity, "DueDate"),
        currency=wire.ref(entity, "CurrencyRef") or home or None,
        memo=wire.note_of(entity) or wire.text(entity, "Memo") or "",
        total=need_number(entity, "TotalAmt"),
        term=wire.ref(entity, "SalesTermRef"),
        revision=max(revision(entity), touched),
        lines=lines,
    )


def says_billed(entity: Entity) -> bool:
    """Return whether every line says what is billed of it; older answers leave it out."""
    return all(wire.text(line, "Received") for line in filter(is_bought, wire.parts(entity, "Line")))


def _line(order: str, place: int, line: Entity, by_bills: Mapping[str, Decimal] | None) -> PurchaseOrderLine:
    erp_id = line_id(order, need(line, "Id"))
    inner = detail(line)
    amount = need_number(line, "Amount")
    item = wire.ref(inner, "ItemRef")
    if wire.text(line, "DetailType") == ITEM and item is None:
        raise Unusable("MISSING_FIELD", f"Line {place} of order {order} has no item.", {"field": "ItemRef"})
    quantity = number(inner, "Qty") if item is not None else None
    received = number(line, "Received")
    if received is None:
        received = (by_bills or {}).get(erp_id, ZERO)
    if quantity is None or quantity <= 0:
        basis, quantity, price = LineBasis.AMOUNT, ONE, amount
        billed, billed_amount = part_of(received, amount), received
    else:
        basis = LineBasis.QUANTITY
        said = number(inner, "UnitPrice")
        price = amount / quantity if said is None else said
        billed, billed_amount = received, _cents(received * price)
    return made(
        PurchaseOrderLine,
        erp_id=erp_id,
        line_no=place,
        item_id=item or f"{ACCOUNT_ID}{need_ref(inner, 'AccountRef')}",
        description=wire.text(line, "Description") or "",
        quantity=quantity,
        price=price,
        amount=amount,
        basis=basis,
        receivable=False,
        billed=billed,
        billed_amount=billed_amount,
        closed=wire.flag(inner, "ManuallyClosed") or wire.flag(line, "ManuallyClosed"),
        class_id=wire.ref(inner, "ClassRef"),
        project=wire.ref(inner, "CustomerRef"),
    )


def part_of(billed: Decimal, amount: Decimal) -> Decimal:
    """Return which part of an amount is billed, as the quantity of a line that has none."""
    return (billed / amount).quantize(PARTS) if amount else ZERO


def billed_by(bills: Iterable[Entity], order: str) -> dict[str, Decimal]:
    """Return what bills bill of an order's lines: the quantity, or the amount of a line without one.

    Raises:
        Unusable: VALUE_NOT_READABLE.
    """
    sums: dict[str, Decimal] = {}
    for bill in bills:
        for line in wire.parts(bill, "Line"):
            link = order_link(line)
            if link is not None and link[0] == order:
                sums[link[1]] = sums.get(link[1], ZERO) + billed_on(line)
    return sums


def billed_on(line: Entity) -> Decimal:
    """Return what a bill's line bills: its quantity, or its amount if it has none."""
    quantity = number(detail(line), "Qty") if wire.text(line, "DetailType") == ITEM else None
    return quantity if quantity is not None else number(line, "Amount") or ZERO


def _cents(value: Decimal) -> Decimal:
    return value.quantize(wire.CENT)
