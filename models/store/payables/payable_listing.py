"""Say what bills and credits, which are rows of one table, are both found by."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, TextClause, func, or_
from sqlmodel import col, select

from models.domain.ids import ConnectionId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_key
from models.tables import BillLineRow, BillRow


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
