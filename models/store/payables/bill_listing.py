"""List bills, ours and those made in the ERP, by what people know of them and in the order that they ask for."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, or_, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus
from models.domain.ids import ConnectionId, OrganizationId, PersonId, PurchaseOrderId
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


class BillSort(StrEnum):
    """What bills are sorted by; `-` puts the last one first."""

    CREATED = "created_at"
    CREATED_LAST_FIRST = "-created_at"
    CHANGED = "changed_at"
    CHANGED_LAST_FIRST = "-changed_at"
    DATE = "bill_date"
    DATE_LAST_FIRST = "-bill_date"
    DUE = "due_date"
    DUE_LAST_FIRST = "-due_date"
    TOTAL = "total"
    TOTAL_LAST_FIRST = "-total"
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


NO_DUE_DATE = date.max
"""Where a bill without a due date is sorted."""


@dataclass(frozen=True, slots=True)
class BillsWanted:
    """Which bills to list; None does not restrict. Days and totals are included."""

    organization_id: OrganizationId
    connection_id: ConnectionId | None = None
    purchase_order_id: PurchaseOrderId | None = None
    number: str | None = None
    """The supplier's, however it is written: `INV-001` and `inv 1` are one number."""
    vendor: str | None = None
    """Its id or its name."""
    date_from: date | None = None
    date_to: date | None = None
    total_from: Decimal | None = None
    total_to: Decimal | None = None
    status: BillStatus | None = None
    approval: ApprovalState | None = None
    approver: PersonId | None = None
    """Whose turn it is to approve them."""
    changed_since: datetime | None = None


_TURN_OF = text(
    """
    bills.status = 'awaiting_approval' and bills.approval in ('assigned', 'approving') and exists (
        select from approval_steps s
         where s.bill_id = bills.id and s.approved_by is null and s.approvers @> to_jsonb(cast(:approver as text))
           and not exists (select from approval_steps earlier
                            where earlier.bill_id = s.bill_id and earlier.step_no < s.step_no
                              and earlier.approved_by is null))
    """
)


async def page(
    s: AsyncSession,
    wanted: BillsWanted,
    *,
    sort: BillSort = BillSort.CREATED_LAST_FIRST,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[BillRow]:
    """Return one page of the organization's bills.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another order of the list.
    """
    limit = page_size(limit)
    statement = select(BillRow).where(*_conditions(wanted))
    if wanted.approver is not None:
        statement = statement.where(_TURN_OF.bindparams(approver=wanted.approver))
    by = _column(sort)
    if cursor is not None:
        named, value, bill_id = decode_cursor(cursor, 3)
        if named != sort:
            raise CursorUnreadable("the cursor belongs to another order of the list")
        place, last = tuple_(by, col(BillRow.id)), tuple_(_read(sort, value), bill_id)
        statement = statement.where(place < last if sort.is_descending else place > last)
    if sort.is_descending:
        statement = statement.order_by(by.desc(), col(BillRow.id).desc())
    else:
        statement = statement.order_by(by, col(BillRow.id))
    rows = (await s.exec(statement.limit(limit + 1), execution_options={"populate_existing": True})).all()
    return listing(rows, limit, lambda row: (sort.value, _written(sort, row), row.id))


def _conditions(wanted: BillsWanted) -> list[ColumnElement[bool]]:
    conditions = [col(BillRow.organization_id) == wanted.organization_id]
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
    if wanted.total_from is not None:
        conditions.append(col(BillRow.total) >= wanted.total_from)
    if wanted.total_to is not None:
        conditions.append(col(BillRow.total) <= wanted.total_to)
    if wanted.status is not None:
        conditions.append(col(BillRow.status) == wanted.status.value)
    if wanted.approval is not None:
        conditions.append(col(BillRow.approval) == wanted.approval.value)
    if wanted.changed_since is not None:
        conditions.append(col(BillRow.changed_at) >= wanted.changed_since)
    return conditions


def _column(sort: BillSort) -> ColumnElement[Any]:
    if sort.field == "due_date":
        return func.coalesce(col(BillRow.due_date), NO_DUE_DATE)
    column: ColumnElement[Any] = getattr(BillRow, sort.field)
    return column


def _written(sort: BillSort, row: BillRow) -> str:
    value = getattr(row, sort.field)
    if value is None:
        value = NO_DUE_DATE
    return value.isoformat() if isinstance(value, date) else str(value)  # an instant is a date too


def _read(sort: BillSort, value: str) -> Any:
    match sort.field:
        case "created_at" | "changed_at":
            return instant_in_cursor(value)
        case "bill_date" | "due_date":
            return date_in_cursor(value)
        case "total":
            try:
                return Decimal(value)
            except InvalidOperation as error:
                raise CursorUnreadable("the cursor belongs to another listing") from error
        case _:
            return value
