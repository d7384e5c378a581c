"""Page through rows in the order that people ask for: by one value, and rows of the same value by their ids."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, TextClause, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.store.base.pages import CursorUnreadable, Listing, decode_cursor, listing, page_size
from models.tables import BillRow, PaymentRow, PurchaseOrderRow

Row = TypeVar("Row", BillRow, PaymentRow, PurchaseOrderRow)


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
    of: Callable[[Any], Any]
    from_cursor: Callable[[str], Any]


async def page(
    s: AsyncSession,
    rows_of: type[Row],
    wanted: Sequence[ColumnElement[bool] | TextClause],
    sort: ListSort,
    key: SortKey,
    *,
    limit: int,
    cursor: str | None,
) -> Listing[Row]:
    """Return one page of the rows that meet all conditions.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another order of the list.
    """
    limit, row_ids = page_size(limit), col(rows_of.id)
    statement = select(rows_of).where(*wanted)
    if cursor is not None:
        named, value, row_id = decode_cursor(cursor, 3)
        if named != sort:
            raise CursorUnreadable("the cursor belongs to another order of the list")
        place, last = tuple_(key.column, row_ids), tuple_(key.from_cursor(value), row_id)
        statement = statement.where(place < last if sort.is_descending else place > last)
    if sort.is_descending:
        statement = statement.order_by(key.column.desc(), row_ids.desc())
    else:
        statement = statement.order_by(key.column, row_ids)
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
