"""Show and set how often a connection syncs by itself, and when it will next."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from api.connections.routes import Connection, load, must_be_let_in, shown
from api.http.auth import Accountant, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers
from api.http.schemas import Id, Input, Whole
from api.http.services import Services
from models.contract import sync_schedule_id
from models.domain.ids import ConnectionId
from models.store.connections import connections
from services.sync.due import owe_schedule
from temporal_gateway import gateway
from temporal_gateway.errors import GatewayError

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["connections"], route_class=ExactRoute)


class NewSchedule(Input):
    every_minutes: Annotated[Whole, Field(ge=1, le=1440)] | None = Field(
        description="1440 at most, once a day; null: only when a person asks.", examples=[60]
    )


class SyncSchedule(Output):
    every_minutes: int | None
    """null: it syncs only when a person asks."""
    id: str
    """The schedule's id in Temporal."""
    next_at: datetime | None
    """When it syncs next by itself; null: not by itself, or Temporal does not answer, or does not have it yet."""
    paused: bool | None
    """true: an operator paused it in Temporal. null: as `next_at`."""
    version: int
    """The connection's."""


@router.get("/schedule", operation_id="getSchedule", summary="Read the sync schedule", responses=answers("NOT_FOUND"))
async def read_schedule(connection_id: Id, caller: Viewer, services: Services, response: Response) -> SyncSchedule:
    """Return how often the connection syncs by itself, and when it will next, as Temporal has it."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    try:
        there = await gateway.sync_schedule(services.temporal, ConnectionId(row.id))
    except GatewayError:
        there = None
    return SyncSchedule(
        every_minutes=row.sync_every_minutes,
        id=sync_schedule_id(ConnectionId(row.id)),
        next_at=None if there is None else there.next_at,
        paused=None if there is None else there.paused,
        version=row.version,
    )


@router.put(
    "/schedule",
    operation_id="setSchedule",
    summary="Set the sync schedule",
    responses=answers(
        "NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED", "CONNECTION_PENDING"
    ),
)
async def set_schedule(
    connection_id: Id, new: NewSchedule, if_match: IfMatch, caller: Accountant, services: Services, response: Response
) -> Connection:
    """Set how often the connection syncs by itself; Temporal follows right behind the answer. A person can start a sync
    at any time as well."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        must_be_let_in(row)
        await connections.set_schedule(session, ConnectionId(row.id), new.every_minutes)
        message = await owe_schedule(session, row, request_key=f"schedule {row.version}")
        row = await load(session, services, caller, connection_id)
    services.outbox.deliver_behind_answer(message)
    tag(response, row.version)
    return shown(row)
