"""List credits of vendors, and adjustments that raise what is owed: by what people know of them, in their order."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, TextClause, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind
from models.domain.credits import CreditStatus, stored_statuses
from models.domain.ids import BillId
from models.store.base import sorted_pages
from models.store.base.pages import Listing, date_in_cursor, instant_in_cursor
from models.store.base.sorted_pages import ListSort, SortKey, amount_in_cursor
from models.store.payables import payable_listing
from models.store.payables.payable_listing import PayablesWanted
from models.tables import BillRow


class CreditSort(ListSort):
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


_KEYS = {
    "credit_date": SortKey(col(BillRow.bill_date), lambda credit: credit.bill_date, date_in_cursor),
    "created_at": SortKey(col(BillRow.created_at), lambda credit: credit.created_at, instant_in_cursor),
    "changed_at": SortKey(col(BillRow.changed_at), lambda credit: credit.changed_at, instant_in_cursor),
    # A credit is stored with a total below zero, and shown and sorted by what it is worth.
    "total": SortKey(-col(BillRow.total), lambda credit: -credit.total, amount_in_cursor),
    "open": SortKey(col(BillRow.credit_open), lambda credit: credit.credit_open, amount_in_cursor),
    "number": SortKey(col(BillRow.number), lambda credit: credit.number, str),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsWanted(PayablesWanted):
    """Which credits to list; None does not restrict. Days are included."""

    credit_of: BillId | None = None
    kind: BillKind = BillKind.CREDIT
    status: CreditStatus | None = None
    is_open: bool | None = None
    """Whether something of it is not applied."""


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
    return await sorted_pages.page(s, BillRow, _conditions(wanted), sort, _KEYS[sort.field], limit=limit, cursor=cursor)


def _conditions(wanted: CreditsWanted) -> list[ColumnElement[bool] | TextClause]:
    conditions = [*payable_listing.conditions(wanted), col(BillRow.kind) == wanted.kind.value]
    if wanted.credit_of is not None:
        conditions.append(col(BillRow.credit_of) == wanted.credit_of)
    if wanted.status is not None:
        conditions.append(col(BillRow.status).in_([status.value for status in stored_statuses(wanted.status)]))
    if wanted.is_open is not None:
        conditions.append(col(BillRow.credit_open) > 0 if wanted.is_open else col(BillRow.credit_open) == 0)
    return conditions


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
