"""List bills, ours and those made in the ERP, by what people know of them and in the order that they ask for."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, TextClause, func, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.approvals import ApprovalState
from models.domain.bills import BillStatus
from models.domain.ids import PersonId
from models.store.base import sorted_pages
from models.store.base.pages import Listing, date_in_cursor, instant_in_cursor
from models.store.base.sorted_pages import ListSort, SortKey, amount_in_cursor
from models.store.payables import payable_listing
from models.store.payables.payable_listing import PayablesWanted
from models.tables import BillRow


class BillSort(ListSort):
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


NO_DUE_DATE = date.max
"""Where a bill without a due date is sorted."""

_KEYS = {
    "created_at": SortKey(col(BillRow.created_at), lambda bill: bill.created_at, instant_in_cursor),
    "changed_at": SortKey(col(BillRow.changed_at), lambda bill: bill.changed_at, instant_in_cursor),
    "bill_date": SortKey(col(BillRow.bill_date), lambda bill: bill.bill_date, date_in_cursor),
    "due_date": SortKey(
        func.coalesce(col(BillRow.due_date), NO_DUE_DATE), lambda bill: bill.due_date or NO_DUE_DATE, date_in_cursor
    ),
    "total": SortKey(col(BillRow.total), lambda bill: bill.total, amount_in_cursor),
    "number": SortKey(col(BillRow.number), lambda bill: bill.number, str),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BillsWanted(PayablesWanted):
    """Which bills to list; None does not restrict. Days and totals are included."""

    total_from: Decimal | None = None
    total_to: Decimal | None = None
    status: BillStatus | None = None
    approval: ApprovalState | None = None
    approver: PersonId | None = None
    """Whose turn it is to approve them."""


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
    return await sorted_pages.page(s, BillRow, _conditions(wanted), sort, _KEYS[sort.field], limit=limit, cursor=cursor)


def _conditions(wanted: BillsWanted) -> list[ColumnElement[bool] | TextClause]:
    conditions = payable_listing.conditions(wanted)
    if wanted.total_from is not None:
        conditions.append(col(BillRow.total) >= wanted.total_from)
    if wanted.total_to is not None:
        conditions.append(col(BillRow.total) <= wanted.total_to)
    if wanted.status is not None:
        conditions.append(col(BillRow.status) == wanted.status.value)
    if wanted.approval is not None:
        conditions.append(col(BillRow.approval) == wanted.approval.value)
    if wanted.approver is not None:
        conditions.append(_TURN_OF.bindparams(approver=wanted.approver))
    return conditions
