"""When a bill is due by the term of its order or vendor, as the ERP's lists have it (S1-03, S5-01)."""

from datetime import date, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, ListKind
from models.tables import ListEntryRow

FROM_BILL_DATE = ("", "from bill date", "from invoice date", "from bill/invoice date", "from invoice/bill date")
"""Ways of counting we know. Another one (end of month ...) gives no date: a wrong one would be paid on."""


async def due_on(
    s: AsyncSession, connection_id: ConnectionId, *, term: str | None, vendor_id: str, bill_date: date
) -> date | None:
    """The due date by the order's term, else by the vendor's. None: there is no term, or we cannot count by it."""
    name = term or (await _attributes(s, connection_id, ListKind.VENDOR, vendor_id)).get("term")
    if not name:
        return None
    known = await _attributes(s, connection_id, ListKind.TERM, name)
    days = known.get("due_date", "")
    if not days.isdigit() or int(days) > 3650 or known.get("due_from", "").strip().lower() not in FROM_BILL_DATE:
        return None
    return bill_date + timedelta(days=int(days))


async def _attributes(s: AsyncSession, connection_id: ConnectionId, kind: ListKind, key: str) -> dict[str, str]:
    statement = select(ListEntryRow.attributes).where(
        col(ListEntryRow.connection_id) == connection_id,
        col(ListEntryRow.kind) == kind.value,
        col(ListEntryRow.key) == key,
        col(ListEntryRow.deleted_at).is_(None),
    )
    found = (await s.exec(statement.limit(1))).first()
    return {name: str(value) for name, value in (found or {}).items()}
