"""Compute when a bill is due by the term of its order or vendor, as the ERP's lists have it (S1-03, S5-01)."""

from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.lists import ListKind

FROM_BILL_DATE = ("", "from bill date", "from invoice date", "from bill/invoice date", "from invoice/bill date")
"""Ways of counting that we know. Another one (end of month ...) gives no date: people would pay on a wrong one."""

_ATTRIBUTES = text(
    "select attributes from list_entries"
    " where connection_id = :c and kind = :kind and key = :key and deleted_at is null limit 1"
).columns(attributes=JSONB)


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
    rows = await s.execute(_ATTRIBUTES, {"c": connection_id, "kind": kind.value, "key": key})
    result = rows.scalars().first()
    return {name: str(value) for name, value in (result or {}).items()}
