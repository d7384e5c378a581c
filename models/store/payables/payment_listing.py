"""List payments, ours and those made in the ERP, by what people know of them and in the order that they ask for."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, TextClause, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId, OrganizationId
from models.domain.payments import PaymentStatus
from models.store.base import sorted_pages
from models.store.base.pages import Listing, date_in_cursor, instant_in_cursor
from models.store.base.sorted_pages import ListSort, SortKey, amount_in_cursor
from models.tables import BillRow, PaymentRow, PaymentShareRow


class PaymentSort(ListSort):
    """What payments are sorted by; `-` puts the last one first."""

    CREATED = "created_at"
    CREATED_LAST_FIRST = "-created_at"
    CHANGED = "changed_at"
    CHANGED_LAST_FIRST = "-changed_at"
    DAY = "pay_on"
    DAY_LAST_FIRST = "-pay_on"
    AMOUNT = "amount"
    AMOUNT_LAST_FIRST = "-amount"


_KEYS = {
    "created_at": SortKey(col(PaymentRow.created_at), lambda payment: payment.created_at, instant_in_cursor),
    "changed_at": SortKey(col(PaymentRow.changed_at), lambda payment: payment.changed_at, instant_in_cursor),
    "pay_on": SortKey(col(PaymentRow.pay_on), lambda payment: payment.pay_on, date_in_cursor),
    "amount": SortKey(col(PaymentRow.amount), lambda payment: payment.amount, amount_in_cursor),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsWanted:
    """Which payments to list; None does not restrict. Days are included."""

    organization_id: OrganizationId
    connection_id: ConnectionId | None = None
    bill_id: BillId | None = None
    status: PaymentStatus | None = None
    vendor: str | None = None
    """Its id or its name."""
    reference: str | None = None
    """The payment's number for people, or its id in the caller's own system."""
    pay_on_from: date | None = None
    pay_on_to: date | None = None


async def page(
    s: AsyncSession,
    wanted: PaymentsWanted,
    *,
    sort: PaymentSort = PaymentSort.CREATED_LAST_FIRST,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[PaymentRow]:
    """Return one page of the organization's payments.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another order of the list.
    """
    return await sorted_pages.page(
        s, PaymentRow, _conditions(wanted), sort, _KEYS[sort.field], limit=limit, cursor=cursor
    )


def _conditions(wanted: PaymentsWanted) -> list[ColumnElement[bool] | TextClause]:
    conditions: list[ColumnElement[bool] | TextClause] = [col(PaymentRow.organization_id) == wanted.organization_id]
    if wanted.connection_id is not None:
        conditions.append(col(PaymentRow.connection_id) == wanted.connection_id)
    if wanted.status is not None:
        conditions.append(col(PaymentRow.status) == wanted.status.value)
    if wanted.bill_id is not None:
        shares = select(PaymentShareRow.payment_id).where(col(PaymentShareRow.bill_id) == wanted.bill_id)
        conditions.append(col(PaymentRow.id).in_(shares))
    if wanted.vendor is not None:
        named = func.lower(col(BillRow.vendor_name)) == wanted.vendor.lower()
        bills = select(BillRow.id).where(
            col(BillRow.organization_id) == wanted.organization_id, or_(col(BillRow.vendor_id) == wanted.vendor, named)
        )
        conditions.append(col(PaymentRow.bill_id).in_(bills))
    if wanted.reference is not None:
        conditions.append(
            or_(col(PaymentRow.reference) == wanted.reference, col(PaymentRow.external_id) == wanted.reference)
        )
    if wanted.pay_on_from is not None:
        conditions.append(col(PaymentRow.pay_on) >= wanted.pay_on_from)
    if wanted.pay_on_to is not None:
        conditions.append(col(PaymentRow.pay_on) <= wanted.pay_on_to)
    return conditions
