"""Show and set the day through which an entity's books are closed: the ERP's day, and one an administrator adds."""

from datetime import date, datetime

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections.routes import load
from api.http.auth import Admin, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.rematch import match_waiting_bills
from api.http.schemas import Day, Id, Input, Named, Text
from api.http.services import Services
from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.store.connections import closed_periods
from models.store.sync import list_entries
from models.tables import ClosedPeriodRow
from services.sync.retries import HEALED_BY_THE_BOOKS, retry_refused

router = APIRouter(
    prefix="/v1/connections/{connection_id}/closed-periods", tags=["connections"], route_class=ExactRoute
)


class ClosedPeriod(Output):
    """The closed period of one entity. A bill with a posting date on or before `closed_through` is put on hold."""

    entity: str | None
    """null: the whole company."""
    closed_through: date | None
    """The later of `erp_closed_through` and `set_closed_through`."""
    erp_closed_through: date | None
    set_closed_through: date | None
    set_by: str | None
    changed_at: datetime | None


class ClosedPeriods(Output):
    items: list[ClosedPeriod]


class NewClosedPeriod(Input):
    entity: Named | None = Field(default=None, description="null: the whole company.", examples=["100"])
    closed_through: Day | None = Field(
        description="The last closed day; null: only the ERP's day counts.", examples=["2026-03-31"]
    )
    why: Text = ""


@router.get(
    "",
    operation_id="listClosedPeriods",
    summary="List how far the books are closed",
    responses=answers("NOT_FOUND"),
)
async def list_all(connection_id: Id, caller: Viewer, services: Services) -> ClosedPeriods:
    """Return every entity with a closed period, the whole company first. An entity that is not listed is open as far as
    we know."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        result = await closed_periods.all_of(session, ConnectionId(row.id))
    return ClosedPeriods(items=[_shown(period) for period in result])


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
    """Close an entity's books here: for an ERP that does not report closed periods, or to close them earlier than the
    ERP does.

    The later of the two days counts, so a period the ERP has closed stays closed. The version of an entity for which no
    day was ever set is `"0"`.
    """
    entity = new.entity or closed_periods.WHOLE_COMPANY
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        id = ConnectionId(row.id)
        await _known(session, id, new.entity)
        stored = await closed_periods.get(session, id, entity, lock=True)
        check(if_match, stored.version if stored else 0)
        await closed_periods.set_by_person(
            session, caller.organization_id, id, entity, new.closed_through, actor=caller.actor, why=new.why
        )
        kept = await closed_periods.get(session, id, entity)
        assert kept is not None, "it was just saved"
        owed = await retry_refused(
            session,
            id,
            HEALED_BY_THE_BOOKS,
            why=closed_periods.MOVED,
            request_key=f"closed period of version {kept.version}",
        )
    services.outbox.deliver_behind_answer(*owed)
    await match_waiting_bills(services, [id], "the books were closed or opened here")
    tag(response, kept.version)
    return _shown(kept)


async def _known(session: AsyncSession, connection_id: ConnectionId, entity: str | None) -> None:
    """Check that the ERP has the entity: a misspelt one would close nobody's books. Any name passes where the company's
    list has no entities.

    Raises:
        Problem: ENTITY_UNKNOWN, with some of the entities there are.
    """
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
