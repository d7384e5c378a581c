"""Put the ERP's own ids in the place of names that people wrote on a bill."""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId
from models.domain.lists import ListKind

_STATEMENTS = {
    ListKind.VENDOR: "update bills set vendor_id = :key, version = version + 1, changed_at = now()"
    " where id = :id and vendor_id = :text",
    ListKind.TERM: "update bills set term = :key, version = version + 1, changed_at = now()"
    " where id = :id and term = :text",
    ListKind.GL_ACCOUNT: "update bill_lines set account = :key where bill_id = :id and account = :text",
}


async def rename(s: AsyncSession, bill_id: BillId, kind: ListKind, written: str, key: str) -> None:
    """Have a bill name its vendor, its term or an account by the ERP's id instead of what was written."""
    await s.execute(text(_STATEMENTS[kind]), {"id": bill_id, "text": written, "key": key})
