"""How far the books are closed, per entity, by the ERP's word and an administrator's.

The later of the two counts, and what holds for the whole company holds for each entity: `match_facts` reads it so.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import ConnectionId, OrganizationId
from models.store import events, match_again
from models.tables import ClosedPeriodRow

WHOLE_COMPANY = ""
"""The entity of a date that holds for all of them."""


async def take_in(s: AsyncSession, connection_id: ConnectionId, closed: Mapping[str, date | None]) -> None:
    """What the ERP says, by entity. Its books may open again, so its date moves both ways; others stay as they are.
    Waiting bills are matched again when anything moved."""
    if not closed:
        return
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
    if moved.first() is not None:
        await match_again.ask(s, connection_id, "the books were closed or opened")


async def get(
    s: AsyncSession, connection_id: ConnectionId, entity: str, *, lock: bool = False
) -> ClosedPeriodRow | None:
    """What is known of one entity; `lock` holds the connection's dates still until the transaction ends."""
    if lock:
        # A row that is not there yet cannot be locked, so the connection stands for all of its dates.
        await s.execute(text("select 1 from connections where id = :c for update"), {"c": connection_id})
    statement = select(ClosedPeriodRow).where(
        col(ClosedPeriodRow.connection_id) == connection_id, col(ClosedPeriodRow.entity) == entity
    )
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def all_of(s: AsyncSession, connection_id: ConnectionId) -> Sequence[ClosedPeriodRow]:
    """Every entity with a date, the whole company first."""
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
    """An administrator closes an entity's books here through a day, or takes that word back (None)."""
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
    await match_again.ask(s, connection_id, "the books were closed or opened here")
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
