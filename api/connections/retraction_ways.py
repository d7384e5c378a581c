"""Show and set how a connection's bills are taken back from the ERP."""

from fastapi import APIRouter, Response
from pydantic import Field

from api.connections.routes import load
from api.http.auth import Admin, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.schemas import Id, Input
from api.http.services import Services
from models.domain.retractions import RetractBy
from models.tables import ConnectionRow
from services.connections.retraction_ways import offered, set_ways, stored
from services.refusal import Refused

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["connections"], route_class=ExactRoute)


class NewWays(Input):
    """How bills are taken back; what is null stays as it is."""

    order_bills: RetractBy | None = Field(default=None, description="Bills on orders.")
    direct_bills: RetractBy | None = Field(default=None, description="Bills without an order.")


class Way(Output):
    way: RetractBy
    offered: list[RetractBy]
    """The ways that the ERP has; empty: these bills are not taken back from here."""


class Ways(Output):
    order_bills: Way
    direct_bills: Way
    version: int
    """The connection's."""


@router.get(
    "/retraction-ways",
    operation_id="getRetractionWays",
    summary="Read how bills are taken back",
    responses=answers("NOT_FOUND"),
)
async def read(connection_id: Id, caller: Viewer, services: Services, response: Response) -> Ways:
    """Return how this connection's bills are taken back from the ERP, and which other ways the ERP has."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return _shown(row)


@router.put(
    "/retraction-ways",
    operation_id="setRetractionWays",
    summary="Set how bills are taken back",
    responses=answers(
        "NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED", "RETRACTION_WAY_NOT_OFFERED"
    ),
)
async def set_retraction_ways(
    connection_id: Id, new: NewWays, if_match: IfMatch, caller: Admin, services: Services, response: Response
) -> Ways:
    """Set how bills are taken back from now on. A bill that is being taken back already keeps its way: abandon that
    retraction and ask again to take it back in the new one."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        wanted = stored(row)._replace(**{name: way for name in NewWays.model_fields if (way := getattr(new, name))})
        try:
            await set_ways(session, row, wanted, actor=caller.actor)
        except Refused as refused:
            raise Problem(refused.code, refused.detail, fix=refused.fix) from refused
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return _shown(row)


def _shown(row: ConnectionRow) -> Ways:
    ways, there = stored(row), offered(row)
    return Ways(
        order_bills=Way(way=ways.order_bills, offered=list(there.order_bills)),
        direct_bills=Way(way=ways.direct_bills, offered=list(there.direct_bills)),
        version=row.version,
    )
