"""Count the reads that an ERP meters, by connection and month, and keep since when it refuses them."""

from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId


class RefusedReads(NamedTuple):
    """A run of refused reads without one success; see `erp.connector.Refusals`."""

    since: datetime
    until: datetime
    refusals: int
    used_up: bool


async def count(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Count a successful read in the present month. It ends the run of refusals."""
    await s.execute(
        text(
            "with ended as (delete from refused_reads where connection_id = :id)"
            " insert into metered_reads (connection_id, month, reads) values (:id, :month, 1)"
            " on conflict (connection_id, month) do update set reads = metered_reads.reads + 1"
        ),
        {"id": connection_id, "month": this_month()},
    )


async def refused(s: AsyncSession, connection_id: ConnectionId) -> RefusedReads | None:
    """Return the present run of refusals; None: the last read succeeded."""
    row = (
        await s.execute(
            text("select since, until, refusals, used_up from refused_reads where connection_id = :id"),
            {"id": connection_id},
        )
    ).one_or_none()
    return None if row is None else RefusedReads(*row)


async def lock_refused(s: AsyncSession, connection_id: ConnectionId) -> tuple[RefusedReads | None, datetime]:
    """Return the present run of refusals and the time; whoever else notes one waits until the caller commits."""
    await s.execute(text("select from connections where id = :id for no key update"), {"id": connection_id})
    now = (await s.execute(text("select clock_timestamp()"))).scalar_one()
    return await refused(s, connection_id), now.astimezone(UTC)


async def keep_refused(s: AsyncSession, connection_id: ConnectionId, run: RefusedReads) -> None:
    """Store the run of refusals."""
    await s.execute(
        text(
            "insert into refused_reads (connection_id, since, until, refusals, used_up)"
            " values (:id, :since, :until, :refusals, :used_up)"
            " on conflict (connection_id) do update set since = excluded.since, until = excluded.until,"
            "    refusals = excluded.refusals, used_up = excluded.used_up"
        ),
        {
            "id": connection_id,
            "since": run.since,
            "until": run.until,
            "refusals": run.refusals,
            "used_up": run.used_up,
        },
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
