"""Bills kept already that a new one may repeat, and the charges earlier bills of an order carry."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, ConnectionId, PurchaseOrderId

SUSPECT = timedelta(days=7)
"""How near in date a bill of the same vendor and total must be to look like the same one (spec/matching.md 3.5)."""


class Kept(NamedTuple):
    id: BillId
    vendor_id: str
    number: str
    bill_date: date
    total: Decimal


async def alike(
    session: AsyncSession,
    connection_id: ConnectionId,
    vendor_id: str,
    number_key: str,
    *,
    total: Decimal,
    bill_date: date,
    except_bill: BillId | None,
) -> list[Kept]:
    """The vendor's bills with this number, or with this total and nearly this date; given up and deleted ones aside."""
    rows = await session.execute(
        text(
            """
            select b.id, b.vendor_id, b.number, b.bill_date, b.total from bills b
             where b.number_key = :number_key and b.vendor_id = :vendor and b.connection_id = :connection
               and b.status not in ('deleted', 'abandoned') and b.id is distinct from :except
            union
            select b.id, b.vendor_id, b.number, b.bill_date, b.total from bills b
             where b.total = :total and b.vendor_id = :vendor and b.connection_id = :connection
               and b.bill_date between :earliest and :latest
               and b.status not in ('deleted', 'abandoned') and b.id is distinct from :except
             order by 1
            """
        ),
        {
            "number_key": number_key,
            "vendor": vendor_id,
            "connection": connection_id,
            "except": except_bill,
            "total": total,
            "earliest": bill_date - SUSPECT,
            "latest": bill_date + SUSPECT,
        },
    )
    return [Kept(BillId(row.id), row.vendor_id, row.number, row.bill_date, row.total) for row in rows]


async def charges(
    session: AsyncSession, purchase_order_ids: Sequence[PurchaseOrderId], *, without_bill: BillId | None
) -> dict[PurchaseOrderId, dict[str, Decimal]]:
    """What our other bills of these orders carry in charges, by order and class (H02)."""
    rows = await session.execute(
        text(
            """
            select b.purchase_order_id, c.class, sum(c.amount) as amount
              from bills b
              cross join lateral jsonb_to_recordset(b.charges) as c(class text, amount numeric)
             where b.purchase_order_id = any(:orders) and b.status not in ('deleted', 'abandoned')
               and b.id is distinct from :without
             group by 1, 2
            """
        ),
        {"orders": list(purchase_order_ids), "without": without_bill},
    )
    billed: dict[PurchaseOrderId, dict[str, Decimal]] = {}
    for order, charge_class, amount in rows:
        billed.setdefault(PurchaseOrderId(order), {})[charge_class] = amount
    return billed
