"""Page through bills and credits, which are rows of one table: what both are found by, in the order asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, TextClause, func, or_, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_key
from models.store.base.pages import CursorUnreadable, Listing, decode_cursor, listing, page_size
from models.tables import BillLineRow, BillRow


class ListSort(StrEnum):
    """What a list is sorted by; `-` puts the last one first."""

    @property
    def field(self) -> str:
        """Return the field that it sorts by."""
        return self.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Return whether the last one comes first."""
        return self.startswith("-")


class SortKey(NamedTuple):
    """A value that rows are sorted by: in SQL, of a row that was read, and inside a cursor."""

    column: Any
    of: Callable[[BillRow], Any]
    from_cursor: Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayablesWanted:
    """Which rows to list; None does not restrict. Days are included."""

    organization_id: OrganizationId
    connection_id: ConnectionId | None = None
    purchase_order_id: PurchaseOrderId | None = None
    number: str | None = None
    """The supplier's, however it is written: `INV-001` and `inv 1` are one number."""
    vendor: str | None = None
    """Its id or its name."""
    date_from: date | None = None
    date_to: date | None = None
    changed_since: datetime | None = None


def conditions(wanted: PayablesWanted) -> list[ColumnElement[bool] | TextClause]:
    """Return the conditions for what bills and credits are both found by."""
    conditions: list[ColumnElement[bool] | TextClause] = [col(BillRow.organization_id) == wanted.organization_id]
    if wanted.connection_id is not None:
        conditions.append(col(BillRow.connection_id) == wanted.connection_id)
    if wanted.purchase_order_id is not None:
        order = wanted.purchase_order_id
        on_it = select(BillLineRow.bill_id).where(col(BillLineRow.purchase_order_id) == order)
        conditions.append(or_(col(BillRow.purchase_order_id) == order, col(BillRow.id).in_(on_it)))
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
    if wanted.changed_since is not None:
        conditions.append(col(BillRow.changed_at) >= wanted.changed_since)
    return conditions


async def page(
    s: AsyncSession,
    wanted: Sequence[ColumnElement[bool] | TextClause],
    sort: ListSort,
    key: SortKey,
    *,
    limit: int,
    cursor: str | None,
) -> Listing[BillRow]:
    """Return one page of the rows that meet all conditions.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another order of the list.
    """
    limit = page_size(limit)
    statement = select(BillRow).where(*wanted)
    if cursor is not None:
        named, value, row_id = decode_cursor(cursor, 3)
        if named != sort:
            raise CursorUnreadable("the cursor belongs to another order of the list")
        place, last = tuple_(key.column, col(BillRow.id)), tuple_(key.from_cursor(value), row_id)
        statement = statement.where(place < last if sort.is_descending else place > last)
    if sort.is_descending:
        statement = statement.order_by(key.column.desc(), col(BillRow.id).desc())
    else:
        statement = statement.order_by(key.column, col(BillRow.id))
    rows = (await s.exec(statement.limit(limit + 1), execution_options={"populate_existing": True})).all()
    return listing(rows, limit, lambda row: (sort.value, _in_cursor(key.of(row)), row.id))


def _in_cursor(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)  # an instant is a date too


def amount_in_cursor(value: str) -> Decimal:
    """Return an amount inside a cursor.

    Raises:
        CursorUnreadable: The part is no amount.
    """
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise CursorUnreadable("the cursor belongs to another listing") from error
