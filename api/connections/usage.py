"""Show what a connection uses of its ERP's allowance, and what the ERP's webhooks brought."""

from datetime import date, datetime

from fastapi import APIRouter

from api.connections.routes import load
from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers
from api.http.schemas import Id
from api.http.services import Services
from models.domain.connections import Erp
from models.domain.ids import ConnectionId
from models.store.connections import usage
from models.store.sync import change_hints

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["connections"], route_class=ExactRoute)


class Usage(Output):
    month: date
    """First day of the month, in UTC."""
    metered_reads: int
    """Successful reads of this month, where the ERP counts them; 0 for ERPs that do not."""
    webhook_events: int
    """Events that webhooks brought of this company, for all its connections."""
    webhook_duplicates: int
    last_webhook_at: datetime | None


@router.get(
    "/usage",
    operation_id="getUsage",
    summary="Read what a connection uses of its ERP",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW"),
)
async def read(connection_id: Id, caller: Viewer, services: Services) -> Usage:
    """Return the metered reads of this month, and how many webhook events came in."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        reads = await usage.this_months(session, ConnectionId(row.id))
        received = await change_hints.received(session, Erp(row.erp), row.company)
    return Usage(
        month=usage.this_month(),
        metered_reads=reads,
        webhook_events=received.events,
        webhook_duplicates=received.duplicates,
        last_webhook_at=received.last_at,
    )
