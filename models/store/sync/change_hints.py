"""Store what webhooks report: which events came before, and which connections an ERP reported changes of.

A hint that was received is not done: only the sync run that it started does it, so a crash in between loses nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.connections import Erp
from models.domain.ids import ConnectionId, OrganizationId

KEPT = timedelta(days=7)
"""How long an event's id is kept: ERPs send an event again for some days."""

OVERDUE = timedelta(minutes=15)
"""After so long without a run that ended, a hint starts one more."""


class Reported(NamedTuple):
    """A connection with changes to sync."""

    connection_id: ConnectionId
    organization_id: OrganizationId
    received_at: datetime


async def receive(s: AsyncSession, erp: Erp, events: Mapping[str, Sequence[str]]) -> list[Reported]:
    """Store the ids of events by company; return the connections that a sync is now owed to.

    An event that came before counts as a duplicate. A connection whose sync is owed already is not returned: more
    events change nothing.
    """
    owed: list[Reported] = []
    for company in sorted(events):
        # An id is the company's own: what two companies report under one is two events.
        ids = sorted({f"{company} {one}" for one in events[company]})
        fresh = await _store_events(s, erp, ids)
        await s.execute(
            text(
                "insert into webhook_companies (erp, company, calls, events, duplicates)"
                " values (:erp, :company, 1, :events, :duplicates)"
                " on conflict (erp, company) do update set calls = webhook_companies.calls + 1,"
                "   events = webhook_companies.events + excluded.events,"
                "   duplicates = webhook_companies.duplicates + excluded.duplicates, last_at = now()"
            ),
            {
                "erp": erp.value,
                "company": company,
                "events": fresh,
                "duplicates": len(events[company]) - fresh,
            },
        )
        if fresh:
            owed += await _owe(s, erp, company)
    return owed


async def _store_events(s: AsyncSession, erp: Erp, ids: Sequence[str]) -> int:
    stored = await s.execute(
        text(
            "insert into webhook_events (erp, event_id) select :erp, unnest(cast(:ids as text[]))"
            " on conflict do nothing returning event_id"
        ),
        {"erp": erp.value, "ids": list(ids)},
    )
    return len(stored.all())


async def _owe(s: AsyncSession, erp: Erp, company: str) -> list[Reported]:
    rows = await s.execute(
        text(
            """
            with known as (
                select c.id, c.organization_id from connections c
                 where c.erp = :erp and c.company = :company and c.state not in ('pending_authorization', 'disabled')
            ), waiting as (
                select h.connection_id from change_hints h join known k on k.id = h.connection_id
                 where h.taken_at is null or h.taken_at < h.received_at
            ), stored as (
                insert into change_hints (connection_id, received_at) select id, now() from known
                on conflict (connection_id) do update set received_at = now()
                returning connection_id, received_at
            )
            select s.connection_id, k.organization_id, s.received_at
              from stored s join known k on k.id = s.connection_id
             where s.connection_id not in (select connection_id from waiting)
            """
        ),
        {"erp": erp.value, "company": company},
    )
    return [Reported(ConnectionId(row[0]), OrganizationId(row[1]), row[2]) for row in rows]


async def take(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Record that a sync run is about to read what was reported until now."""
    await s.execute(text("update change_hints set taken_at = now() where connection_id = :id"), {"id": connection_id})


async def done(s: AsyncSession, connection_id: ConnectionId) -> None:
    """Record that the run which took the hint has ended well."""
    await s.execute(
        text("update change_hints set done_at = taken_at where connection_id = :id and taken_at is not null"),
        {"id": connection_id},
    )


async def overdue(s: AsyncSession) -> list[Reported]:
    """Return the connections whose hint no run has done in time, and count the hint as received now; forget old
    events."""
    await s.execute(
        text("delete from webhook_events where received_at < now() - cast(:kept as interval)"), {"kept": KEPT}
    )
    rows = await s.execute(
        text(
            """
            update change_hints h set received_at = now()
              from connections c
             where c.id = h.connection_id and c.state not in ('pending_authorization', 'disabled')
               and (h.done_at is null or h.done_at < h.received_at)
               and greatest(h.received_at, h.taken_at) < now() - cast(:overdue as interval)
            returning h.connection_id, c.organization_id, h.received_at
            """
        ),
        {"overdue": OVERDUE},
    )
    return [Reported(ConnectionId(row[0]), OrganizationId(row[1]), row[2]) for row in rows]


class Received(NamedTuple):
    """How many webhook events of a company came in, how many of them twice, and when the last one came."""

    events: int
    duplicates: int
    last_at: datetime | None


async def received(s: AsyncSession, erp: Erp, company: str) -> Received:
    """Return what webhooks brought of a company."""
    row = (
        await s.execute(
            text("select events, duplicates, last_at from webhook_companies where erp = :erp and company = :company"),
            {"erp": erp.value, "company": company},
        )
    ).one_or_none()
    return Received(0, 0, None) if row is None else Received(row.events, row.duplicates, row.last_at)
