"""Compute when a bill is due by the term of its order or vendor, as the ERP's lists have it (S1-03, S5-01)."""

from datetime import date, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.tables import ListEntryRow

FROM_BILL_DATE = ("", "from bill date", "from invoice date", "from bill/invoice date", "from invoice/bill date")
"""Ways of counting that we know. Another one (end of month ...) gives no date: people would pay on a wrong one."""


async def due_on(
    s: AsyncSession, connection_id: ConnectionId, *, term: str | None, vendor_id: str, bill_date: date
) -> date | None:
    """Return the due date by the order's term, else by the vendor's; None: no term, or we cannot count by it."""
    name = term or await vendor_term(s, connection_id, vendor_id)
    if not name:
        return None
    known = await _attributes(s, connection_id, ListKind.TERM, name)
    days = known.get("due_date", "")
    if not days.isdigit() or int(days) > 3650 or known.get("due_from", "").strip().lower() not in FROM_BILL_DATE:
        return None
    return bill_date + timedelta(days=int(days))


async def vendor_term(s: AsyncSession, connection_id: ConnectionId, vendor_id: str) -> str | None:
    """Return the vendor's payment term, as the ERP names it; None: it has none."""
    return (await _attributes(s, connection_id, ListKind.VENDOR, vendor_id)).get("term") or None


async def _attributes(s: AsyncSession, connection_id: ConnectionId, kind: ListKind, key: str) -> dict[str, str]:
    statement = select(ListEntryRow.attributes).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == kind.value,
        col(ListEntryRow.key) == key,
        col(ListEntryRow.deleted_at).is_(None),
    )
    result = (await s.exec(statement.limit(1))).first()
    return {name: str(value) for name, value in (result or {}).items()}
