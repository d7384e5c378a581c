"""Report goods received and not invoiced, and goods invoiced before receipt, as of a day (matching rules 3.7, GRNI).

R is what the receipts dated up to the day brought; B is what was billed by then: our bills and the ERP's by their
posting date. What the ERP reports as billed without a bill that we have has no date of its own; `undated` says how much
of B that is. As of today, R and B are the ledger's own (`ledger.py`), except for what is dated later than today.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.store.base.pages import CursorUnreadable, Listing, decode_cursor, listing, page_size
from models.store.orders.grni_sql import OPEN_LINES


@dataclass(frozen=True, slots=True)
class GrniScope:
    """The scope of a report. Orders of connections whose purchase order feature is off are left out (S2-85)."""

    organization_id: OrganizationId
    as_of: date
    connection_id: ConnectionId | None = None
    vendor_id: str | None = None


@dataclass(frozen=True, slots=True)
class GrniLine:
    """One order line where R and B differ; a back-order chain is one line, shown under its first document.

    Quantities in the line's unit, money in the order's currency, rounded half up to its
    decimals.
    """

    connection_id: str
    vendor_id: str
    vendor_name: str
    currency: str
    purchase_order_id: str
    number: str
    line_no: int
    item_id: str
    description: str
    unit: str
    closed: bool
    price: Decimal
    """p_po: the order's price per unit."""
    ordered: Decimal
    """O, by the ERP's latest revision: the quantity on the day itself is not stored."""
    received: Decimal
    """R_net."""
    billed: Decimal
    """B."""
    pending: Decimal
    """The part of B on our bills that the ERP does not count yet."""
    undated: Decimal
    """The part of B that the ERP reports without a bill here; below zero: bills here that the ERP does not count."""
    accrual_quantity: Decimal
    accrual: Decimal
    """max(R_net - B, 0) x p_po."""
    days_0_30: Decimal
    """The accrual by age of its receipts in days before the report's day; the oldest count as billed first."""
    days_31_60: Decimal
    days_61_90: Decimal
    days_over_90: Decimal
    oldest_on: date | None
    """Date of the oldest receipt that is not wholly billed; `oldest` is its number."""
    oldest: str | None
    prepaid_quantity: Decimal
    prepaid: Decimal
    """max(B - R_net, 0) x p_bill: at the prices of the newest bills; `undated` quantities at the order's."""


@dataclass(frozen=True, slots=True)
class GrniTotal:
    """One vendor's sums in one currency. Accrual and prepaid are never offset against each other."""

    currency: str
    vendor_id: str
    vendor_name: str
    lines: int
    undated_lines: int
    """How many of the lines have billed quantities without a date."""
    accrual: Decimal
    days_0_30: Decimal
    days_31_60: Decimal
    days_61_90: Decimal
    days_over_90: Decimal
    prepaid: Decimal


_ORDER = "vendor_id, number, purchase_order_id, line_no"


async def page(s: AsyncSession, scope: GrniScope, *, cursor: str | None = None, limit: int = 50) -> Listing[GrniLine]:
    """Return one page of lines, by vendor and then by order number.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another listing.
    """
    limit = page_size(limit)
    after: tuple[str, ...] | None = None
    where = ""
    if cursor is not None:
        after = decode_cursor(cursor, 4)
        if not after[3].isdecimal() or len(after[3]) > 9:
            raise CursorUnreadable("the cursor belongs to another listing")
        where = f" where ({_ORDER}) > (:vendor_id, :number, :order_id, :line_no)"
    rows = await s.execute(
        text(f"{OPEN_LINES} select * from lines{where} order by {_ORDER} limit :limit"),
        {
            **_values(scope),
            "limit": limit + 1,
            **(
                {"vendor_id": after[0], "number": after[1], "order_id": after[2], "line_no": int(after[3])}
                if after
                else {}
            ),
        },
    )
    lines = [_line(row) for row in rows]
    return listing(lines, limit, lambda line: (line.vendor_id, line.number, line.purchase_order_id, str(line.line_no)))


async def stream(s: AsyncSession, scope: GrniScope) -> AsyncIterator[GrniLine]:
    """Yield all lines in the order of `page`, read as they are needed: a large report is never whole in memory."""
    rows = await s.stream(text(f"{OPEN_LINES} select * from lines order by {_ORDER}"), _values(scope))
    async for row in rows:
        yield _line(row)


async def totals(s: AsyncSession, scope: GrniScope) -> Sequence[GrniTotal]:
    """Return the sums of all lines by currency and vendor."""
    rows = await s.execute(
        text(
            f"{OPEN_LINES} select currency, vendor_id, max(vendor_name) as vendor_name, count(*) as lines,"
            " count(*) filter (where undated <> 0) as undated_lines, sum(accrual) as accrual,"
            " sum(days_0_30) as days_0_30, sum(days_31_60) as days_31_60, sum(days_61_90) as days_61_90,"
            " sum(days_over_90) as days_over_90, sum(prepaid) as prepaid"
            " from lines group by currency, vendor_id order by currency, vendor_id"
        ),
        _values(scope),
    )
    return [GrniTotal(**row._mapping) for row in rows]


def _line(row: Any) -> GrniLine:
    return GrniLine(**row._mapping)


def _values(scope: GrniScope) -> dict[str, Any]:
    return {
        "organization": scope.organization_id,
        "connection": scope.connection_id,
        "vendor": scope.vendor_id,
        "as_of": scope.as_of,
    }
