"""Count the reads that an ERP meters, by connection and month."""

from datetime import UTC, date, datetime

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId


async def count(s: AsyncSession, connection_id: ConnectionId, reads: int) -> None:
    """Add reads to the present month."""
    await s.execute(
        text(
            "insert into metered_reads (connection_id, month, reads) values (:id, :month, :reads)"
            " on conflict (connection_id, month) do update set reads = metered_reads.reads + excluded.reads"
        ),
        {"id": connection_id, "month": this_month(), "reads": reads},
    )


async def this_months(s: AsyncSession, connection_id: ConnectionId) -> int:
    """Return how many reads a connection made in the present month."""
    result = await s.execute(
        text("select reads from metered_reads where connection_id = :id and month = :month"),
        {"id": connection_id, "month": this_month()},
    )
    return result.scalar_one_or_none() or 0


def this_month() -> date:
    """Return the first day of the present month, in UTC."""
    return datetime.now(UTC).date().replace(day=1)
