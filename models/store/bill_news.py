"""What bills' workflows are still to hear: that a bill was paid or deleted in the ERP.

Noted in the transaction that takes the change in, and forgotten once the workflow was told, so that a worker that dies
between the two leaves nobody uninformed.
"""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, ConnectionId
from models.tables import BillRow


async def note(session: AsyncSession, bill_ids: Sequence[BillId]) -> None:
    """These bills' workflows are to be told."""
    if bill_ids:
        await session.execute(
            text("update bills set has_news = true where id = any(cast(:ids as text[]))"), {"ids": list(bill_ids)}
        )


async def untold(session: AsyncSession, connection_id: ConnectionId) -> list[BillId]:
    """The connection's bills whose workflows are still to be told."""
    statement = select(col(BillRow.id)).where(col(BillRow.connection_id) == connection_id, col(BillRow.has_news))
    return [BillId(bill_id) for bill_id in (await session.execute(statement.order_by(col(BillRow.id)))).scalars()]


async def told(session: AsyncSession, bill_id: BillId, version: int) -> None:
    """The workflow was told of this version of the bill. What came after it is still to be told."""
    await session.execute(
        text("update bills set has_news = false where id = :id and version = :version and has_news"),
        {"id": bill_id, "version": version},
    )
