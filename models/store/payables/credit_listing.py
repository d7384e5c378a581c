"""List credits of vendors, and adjustments that raise what is owed: by what people know of them, in their order."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind
from models.domain.credits import CreditStatus, stored_statuses
from models.domain.ids import BillId, ConnectionId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_key
from models.store.base.pages import (
    CursorUnreadable,
    Listing,
    date_in_cursor,
    decode_cursor,
    instant_in_cursor,
    listing,
    page_size,
)
from models.tables import BillLineRow, BillRow


class CreditSort(StrEnum):
    """What credits are sorted by; `-` puts the last one first."""

    DATE = "credit_date"
    DATE_LAST_FIRST = "-credit_date"
    CREATED = "created_at"
    CREATED_LAST_FIRST = "-created_at"
    CHANGED = "changed_at"
    CHANGED_LAST_FIRST = "-changed_at"
    TOTAL = "total"
    TOTAL_LAST_FIRST = "-total"
    OPEN = "open"
    OPEN_LAST_FIRST = "-open"
    NUMBER = "number"
    NUMBER_LAST_FIRST = "-number"

    @property
    def field(self) -> str:
        """Return the field that it sorts by."""
        return self.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Return whether the last one comes first."""
        return self.startswith("-")


@dataclass(frozen=True, slots=True)
class CreditsWanted:
    """Which credits to list; None does not restrict. Days are included."""

    organization_id: OrganizationId
    connection_id: ConnectionId | None = None
    purchase_order_id: PurchaseOrderId | None = None
    credit_of: BillId | None = None
    kind: BillKind = BillKind.CREDIT
    number: str | None = None
    vendor: str | None = None
    """Its id or its name."""
    date_from: date | None = None
    date_to: date | None = None
    status: CreditStatus | None = None
    is_open: bool | None = None
    """Whether something of it is not applied."""
    changed_since: datetime | None = None


async def page(
    s: AsyncSession,
    wanted: CreditsWanted,
    *,
    sort: CreditSort = CreditSort.DATE_LAST_FIRST,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[BillRow]:
    """Return one page of the organization's credits.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another order of the list.
    """
    limit = page_size(limit)
    statement = select(BillRow).where(*_conditions(wanted))
    by = _column(sort)
    if cursor is not None:
        named, value, credit_id = decode_cursor(cursor, 3)
        if named != sort:
            raise CursorUnreadable("the cursor belongs to another order of the list")
        place, last = tuple_(by, col(BillRow.id)), tuple_(_read(sort, value), credit_id)
        statement = statement.where(place < last if sort.is_descending else place > last)
    if sort.is_descending:
        statement = statement.order_by(by.desc(), col(BillRow.id).desc())
    else:
        statement = statement.order_by(by, col(BillRow.id))
    rows = (await s.exec(statement.limit(limit + 1), execution_options={"populate_existing": True})).all()
    return listing(rows, limit, lambda row: (sort.value, _written(sort, row), row.id))


def _conditions(wanted: CreditsWanted) -> list[ColumnElement[bool]]:
    conditions = [col(BillRow.organization_id) == wanted.organization_id, col(BillRow.kind) == wanted.kind.value]
    if wanted.connection_id is not None:
        conditions.append(col(BillRow.connection_id) == wanted.connection_id)
    if wanted.purchase_order_id is not None:
        order = wanted.purchase_order_id
        on_it = select(BillLineRow.bill_id).where(col(BillLineRow.purchase_order_id) == order)
        conditions.append(or_(col(BillRow.purchase_order_id) == order, col(BillRow.id).in_(on_it)))
    if wanted.credit_of is not None:
        conditions.append(col(BillRow.credit_of) == wanted.credit_of)
    if wanted.number is not None:
        same = col(BillRow.number_key) == number_key(wanted.number)
        conditions.append(or_(same, col(BillRow.number) == wanted.number))
    if wanted.vendor is not None:
        named = func.lower(col(BillRow.vendor_name)) == wanted.vendor.lower()
        conditions.append(or_(col(BillRow.vendor_id) == wanted.vendor, named))
    if wanted.date_from is not None:
        conditions.append(col(BillRow.bill_date) >= wanted.date_from)
    if wanted.date_to is not None:
        conditions.append(col(BillRow.bill_date) <= wanted.date_to)
    if wanted.status is not None:
        conditions.append(col(BillRow.status).in_([status.value for status in stored_statuses(wanted.status)]))
    if wanted.is_open is not None:
        conditions.append(col(BillRow.credit_open) > 0 if wanted.is_open else col(BillRow.credit_open) == 0)
    if wanted.changed_since is not None:
        conditions.append(col(BillRow.changed_at) >= wanted.changed_since)
    return conditions


def _column(sort: CreditSort) -> ColumnElement[Any]:
    if sort.field == "total":
        return -col(BillRow.total)
    name = {"credit_date": "bill_date", "open": "credit_open"}.get(sort.field, sort.field)
    column: ColumnElement[Any] = getattr(BillRow, name)
    return column


def _written(sort: CreditSort, row: BillRow) -> str:
    match sort.field:
        case "credit_date":
            return row.bill_date.isoformat()
        case "open":
            return str(row.credit_open)
        case "total":
            return str(-row.total)
        case field:
            value = getattr(row, field)
            return value.isoformat() if isinstance(value, datetime) else str(value)


def _read(sort: CreditSort, value: str) -> Any:
    match sort.field:
        case "created_at" | "changed_at":
            return instant_in_cursor(value)
        case "credit_date":
            return date_in_cursor(value)
        case "total" | "open":
            try:
                return Decimal(value)
            except InvalidOperation as error:
                raise CursorUnreadable("the cursor belongs to another listing") from error
        case _:
            return value


class Application(NamedTuple):
    """A bill that a credit is applied to, and how much of it, in the credit's currency."""

    payable_id: str
    amount: Decimal
    bill_id: str | None
    """None: the bill is not in posync."""
    number: str | None
    payment: str | None
    """The ERP's payment that applied it, where the ERP applies credits by payments."""


async def applications(s: AsyncSession, credit_id: BillId) -> list[Application]:
    """Return what the ERP has applied of a credit, and to which bills."""
    rows = await s.execute(
        text(
            "select a.bill_erp_id, a.amount, a.payment, b.id, b.number"
            "  from bills k cross join lateral jsonb_to_recordset(k.applied) as a(bill_erp_id text, amount numeric,"
            "                                                                   payment text)"
            "  left join bills b on b.connection_id = k.connection_id and b.kind = 'bill'"
            "    and b.status not in ('deleted', 'abandoned')"
            "    and (b.payable_id = a.bill_erp_id or exists (select from bill_parts x where x.bill_id = b.id"
            "         and x.generation = b.generation and x.payable_id = a.bill_erp_id))"
            " where k.id = :id order by b.number, a.bill_erp_id"
        ),
        {"id": credit_id},
    )
    return [Application(row.bill_erp_id, row.amount, row.id, row.number, row.payment) for row in rows]
