"""How far the books of a connection's entities are closed: what the ERP says, and what an administrator adds."""

from datetime import date, datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.auth import Admin, Viewer
from api.conditional import IfMatch, check, tag
from api.connections import load
from api.exact import ExactRoute
from api.problems import Problem, answers
from api.services import Services
from api.shapes import Day, Id, Input, Named, Text
from api.waiting import match_waiting_bills
from models.domain import ConnectionId, ListKind
from models.store import closed_periods, list_entries
from models.tables import ClosedPeriodRow

router = APIRouter(
    prefix="/v1/connections/{connection_id}/closed-periods", tags=["connections"], route_class=ExactRoute
)


class ClosedPeriod(BaseModel):
    """One entity's books. A bill that posts on or before `closed_through` is held (H07)."""

    entity: str | None
    """null: the whole company."""
    closed_through: date | None
    """The later of the two."""
    erp_closed_through: date | None
    set_closed_through: date | None
    set_by: str | None
    changed_at: datetime | None


class ClosedPeriods(BaseModel):
    items: list[ClosedPeriod]


class NewClosedPeriod(Input):
    entity: Named | None = Field(default=None, description="null: the whole company.", examples=["100"])
    closed_through: Day | None = Field(
        description="The last closed day. null: only the ERP's word counts.", examples=["2026-03-31"]
    )
    why: Text = ""


@router.get(
    "",
    operation_id="listClosedPeriods",
    summary="List how far the books are closed",
    responses=answers("NOT_FOUND"),
)
async def list_all(connection_id: Id, caller: Viewer, services: Services) -> ClosedPeriods:
    """Every entity with a date, the whole company first. An entity that is not listed is open as far as we know."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        found = await closed_periods.all_of(session, ConnectionId(row.id))
    return ClosedPeriods(items=[_shown(period) for period in found])


@router.put(
    "",
    operation_id="setClosedPeriod",
    summary="Close an entity's books here",
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "PRECONDITION_REQUIRED",
        "PRECONDITION_FAILED",
        "ENTITY_UNKNOWN",
    ),
)
async def set_through(
    connection_id: Id,
    new: NewClosedPeriod,
    if_match: IfMatch,
    caller: Admin,
    services: Services,
    response: Response,
) -> ClosedPeriod:
    """For an ERP that does not tell, or to close earlier than it does. The later of the two days counts: what the ERP
    has closed stays closed. The version of an entity nothing was set for is `"0"`."""
    entity = new.entity or closed_periods.WHOLE_COMPANY
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        id = ConnectionId(row.id)
        await _known(session, id, new.entity)
        held = await closed_periods.get(session, id, entity, lock=True)
        check(if_match, held.version if held else 0)
        await closed_periods.set_by_person(
            session, caller.organization_id, id, entity, new.closed_through, actor=caller.actor, why=new.why
        )
        kept = await closed_periods.get(session, id, entity)
    assert kept is not None, "it was just saved"
    await match_waiting_bills(services, [id], "the books were closed or opened here")
    tag(response, kept.version)
    return _shown(kept)


async def _known(session: AsyncSession, connection_id: ConnectionId, entity: str | None) -> None:
    """A misspelt entity would close nobody's books. A company without entities has none in its list."""
    if entity is None or await list_entries.find(session, connection_id, ListKind.ENTITY, entity) is not None:
        return
    some = await list_entries.page(session, connection_id, ListKind.ENTITY, limit=20)
    if some.items:
        names = ", ".join(entry.key for entry in some.items)
        raise Problem("ENTITY_UNKNOWN", f"The ERP has no entity {entity!r}. It has {names}.")


def _shown(row: ClosedPeriodRow) -> ClosedPeriod:
    days = [day for day in (row.erp_closed_through, row.set_closed_through) if day is not None]
    return ClosedPeriod(
        entity=row.entity or None,
        closed_through=max(days, default=None),
        erp_closed_through=row.erp_closed_through,
        set_closed_through=row.set_closed_through,
        set_by=row.set_by,
        changed_at=row.changed_at,
    )
