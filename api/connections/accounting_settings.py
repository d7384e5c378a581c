"""Show and set which dimensions a connection's bills carry, and which day they post on."""

from fastapi import APIRouter, Response
from pydantic import Field

from api.connections.routes import load
from api.http.auth import Admin, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.schemas import Id, Input, Switch
from api.http.services import Services
from models.domain.accounting_settings import Dimension, PostingDay
from models.tables import ConnectionRow
from services.accounting_settings import set_to, stored
from services.refusal import Refused

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["connections"], route_class=ExactRoute)


class CarriedDimensions(Input):
    """By dimension, whether bills carry it; what is null stays as it is."""

    department: Switch | None = None
    location: Switch | None = None
    class_: Switch | None = Field(default=None, alias="class")
    project: Switch | None = None

    def given(self) -> dict[Dimension, bool]:
        """Return those that are given."""
        said = self.model_dump(by_alias=True)
        return {Dimension(name): carried for name, carried in said.items() if carried is not None}


class NewAccountingSettings(Input):
    """What is null stays as it is."""

    dimensions: CarriedDimensions | None = None
    posting_day: PostingDay | None = Field(
        default=None,
        description="The day a bill posts on where nobody gives one: `bill_date`; `entry`, the day it is entered;"
        " `open_period`, the bill date, or the first day after the closed books.",
    )


class CarriedDimension(Output):
    dimension: Dimension
    carried: bool


class ShownAccountingSettings(Output):
    dimensions: list[CarriedDimension]
    posting_day: PostingDay
    version: int
    """The connection's."""


@router.get(
    "/accounting-settings",
    operation_id="getAccountingSettings",
    summary="Read the accounting settings",
    responses=answers("NOT_FOUND"),
)
async def read(connection_id: Id, caller: Viewer, services: Services, response: Response) -> ShownAccountingSettings:
    """Return which dimensions the connection's bills carry, and which day they post on."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return _shown(row)


@router.put(
    "/accounting-settings",
    operation_id="setAccountingSettings",
    summary="Set the accounting settings",
    responses=answers(
        "NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED", "POSTING_DAY_NOT_OFFERED"
    ),
)
async def set_accounting_settings(
    connection_id: Id,
    new: NewAccountingSettings,
    if_match: IfMatch,
    caller: Admin,
    services: Services,
    response: Response,
) -> ShownAccountingSettings:
    """Set which dimensions bills and credits carry, and which day they post on. It can be changed at any time, and
    counts for what is entered or corrected from then on.

    A dimension that bills do not carry is not taken from the order, is refused on a line, and is not sent. A line
    without a location goes to its entity."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        was = stored(row)
        dimensions = {} if new.dimensions is None else new.dimensions.given()
        wanted = was._replace(
            dimensions={**was.dimensions, **dimensions}, posting_day=new.posting_day or was.posting_day
        )
        try:
            await set_to(session, row, wanted, actor=caller.actor)
        except Refused as refused:
            raise Problem(refused.code, refused.detail) from refused
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return _shown(row)


def _shown(row: ConnectionRow) -> ShownAccountingSettings:
    settings = stored(row)
    return ShownAccountingSettings(
        dimensions=[CarriedDimension(dimension=one, carried=carried) for one, carried in settings.dimensions.items()],
        posting_day=settings.posting_day,
        version=row.version,
    )
