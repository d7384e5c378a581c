"""Closed-through date per entity: the later of the ERP's and the administrator's.

A date for the whole company holds for each entity; `match_facts` reads it so.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.store.audit import events
from models.store.policies import rematch_requests
from models.tables import ClosedPeriodRow

MOVED = "the books were closed or opened"

PERIOD_CLOSED = "PERIOD_CLOSED"
"""Of an issue and of a finding alike."""

WHOLE_COMPANY = ""
"""The entity of a date that holds for all entities."""


async def take_in(s: AsyncSession, connection_id: ConnectionId, closed: Mapping[str, date | None]) -> bool:
    """Store the ERP's closed-through dates by entity, and request a rematch when one changed; return whether one did.

    The ERP may open its books again, so its date moves both ways. Entities that are not named keep their dates.
    """
    if not closed:
        return False
    moved = await s.execute(
        text(
            """
            insert into closed_periods as held (connection_id, entity, erp_closed_through, version)
            select cast(:c as varchar), n.entity, n.through, 0
              from unnest(cast(:entities as text[]), cast(:days as date[])) as n(entity, through)
             where n.through is not null
                or exists (select from closed_periods p where p.connection_id = :c and p.entity = n.entity)
            on conflict (connection_id, entity) do update
               set erp_closed_through = excluded.erp_closed_through, changed_at = now()
             where held.erp_closed_through is distinct from excluded.erp_closed_through
            returning entity
            """
        ),
        {"c": connection_id, "entities": list(closed), "days": list(closed.values())},
    )
    if moved.first() is None:
        return False
    await rematch_requests.request(s, connection_id, MOVED)
    return True


async def is_waited_for(s: AsyncSession, connection_id: ConnectionId) -> bool:
    """Return whether a bill or a payment waits for the ERP's books to be opened: it was refused for them, or is on hold
    for them."""
    waits = text(
        """
        select exists (select from sync_issues i where i.connection_id = :c and i.state = 'open' and i.code = :code)
            or exists (
                select from bills b
                 where b.connection_id = :c and b.origin = 'posync' and b.status = 'on_hold'
                   and (select m.result -> 'findings' from match_results m where m.bill_id = b.id
                         order by m.created_at desc, m.id desc limit 1)
                       @> jsonb_build_array(jsonb_build_object('code', cast(:code as text)))
            )
        """
    )
    return bool((await s.execute(waits, {"c": connection_id, "code": PERIOD_CLOSED})).scalar_one())


async def get(
    s: AsyncSession, connection_id: ConnectionId, entity: str, *, lock: bool = False
) -> ClosedPeriodRow | None:
    """Return the closed-through dates of one entity; `lock` locks the connection's dates until the transaction ends."""
    if lock:
        # A row that does not exist yet cannot be locked, so the connection's row is locked for all of its dates.
        await s.execute(text("select 1 from connections where id = :c for update"), {"c": connection_id})
    statement = select(ClosedPeriodRow).where(
        col(ClosedPeriodRow.connection_id) == connection_id, col(ClosedPeriodRow.entity) == entity
    )
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def closed_through(s: AsyncSession, connection_id: ConnectionId, entity: str | None) -> date | None:
    """Return the last closed day of an entity, as a match reads it; None: its books are open."""
    latest = func.max(func.greatest(col(ClosedPeriodRow.erp_closed_through), col(ClosedPeriodRow.set_closed_through)))
    statement = select(latest).where(
        col(ClosedPeriodRow.connection_id) == connection_id,
        col(ClosedPeriodRow.entity).in_((WHOLE_COMPANY, entity or WHOLE_COMPANY)),
    )
    through: date | None = (await s.exec(statement)).one()
    return through


async def all_of(s: AsyncSession, connection_id: ConnectionId) -> Sequence[ClosedPeriodRow]:
    """Return every entity that has a date, the whole company first."""
    statement = select(ClosedPeriodRow).where(col(ClosedPeriodRow.connection_id) == connection_id)
    statement = statement.order_by(col(ClosedPeriodRow.entity))
    return (await s.exec(statement, execution_options={"populate_existing": True})).all()


async def set_by_person(
    s: AsyncSession,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    entity: str,
    through: date | None,
    *,
    actor: str,
    why: str,
) -> None:
    """Store an administrator's closed-through date for an entity; None removes it."""
    before = await get(s, connection_id, entity)
    await s.execute(
        text(
            """
            insert into closed_periods as held (connection_id, entity, set_closed_through, set_by, version)
            values (:c, :entity, :through, :actor, 1)
            on conflict (connection_id, entity) do update
               set set_closed_through = excluded.set_closed_through, set_by = excluded.set_by,
                   version = held.version + 1, changed_at = now()
            """
        ),
        {"c": connection_id, "entity": entity, "through": through, "actor": actor},
    )
    await rematch_requests.request(s, connection_id, "the books were closed or opened here")
    await events.record(
        s,
        organization_id=organization_id,
        connection_id=connection_id,
        subject_kind="closed_period",
        subject_id=f"{connection_id}/{entity}",
        kind="closed_period_set",
        actor=actor,
        why=why,
        before=_said(before.set_closed_through) if before else None,
        after=_said(through),
    )


def _said(through: date | None) -> dict[str, Any]:
    return {"closed_through": None if through is None else through.isoformat()}
