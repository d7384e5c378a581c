"""Read what a vendor's small bills come to: those that were not matched because of their total."""

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, ConnectionId


async def lock(session: AsyncSession, connection_id: ConnectionId, vendor_id: str) -> None:
    """Let one bill of a vendor that may be small be matched and saved at a time, until the transaction ends."""
    name = f"{connection_id}\n{vendor_id}\nsmall bills"
    await session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


async def near(
    session: AsyncSession,
    connection_id: ConnectionId,
    vendor_id: str,
    bill_date: date,
    *,
    days: int,
    except_bill: BillId | None,
) -> Decimal:
    """Return what the vendor's other small bills dated within so many days come to."""
    rows = await session.execute(
        text(
            """
            select coalesce(sum(total), 0) from bills
             where small and vendor_id = :vendor and connection_id = :c and bill_date between :earliest and :latest
               and status not in ('deleted', 'abandoned', 'disputed', 'draft') and id is distinct from :except
            """
        ),
        {
            "vendor": vendor_id,
            "c": connection_id,
            "earliest": bill_date - timedelta(days=days),
            "latest": bill_date + timedelta(days=days),
            "except": except_bill,
        },
    )
    return Decimal(rows.scalar_one())
