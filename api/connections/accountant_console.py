"""Let an accountant's console switch the purchase order feature and the match mode of its clients."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections import order_feature
from api.connections.order_feature import spoken
from api.http.auth import Admin
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.schemas import ConnectionProblem, Cursor, Id, Input, Limit, Page, Switch, columns, page_of
from api.http.services import Services
from models.domain.connections import ConnectionState, Erp, MatchMode
from models.domain.ids import ConnectionId, OrganizationId
from models.store.audit import notices
from models.store.connections import clients, connections, organizations
from models.tables import ConnectionRow

router = APIRouter(prefix="/v1/console/clients", tags=["console"], route_class=ExactRoute)

READ = ("ROLE_TOO_LOW", "NOT_A_CONSOLE")


@dataclass(frozen=True, slots=True)
class Console:
    """The caller: an administrator of an organization that has clients."""

    id: OrganizationId
    name: str
    actor: str
    """The name under which the client's events record the caller: the key, and the console it belongs to."""


async def _console(caller: Admin, services: Services) -> Console:
    async with services.database.statement() as session:
        if not await clients.is_console(session, caller.organization_id):
            raise Problem("NOT_A_CONSOLE", "No organization is linked to yours as its client.")
        name = await organizations.name_of(session, caller.organization_id)
    return Console(id=caller.organization_id, name=name, actor=f"{caller.actor} of {name}, the accountant's console")


ConsoleAdmin = Annotated[Console, Depends(_console)]
"""May switch the purchase order features of the console's clients, and see nothing else of them."""


class ClientConnection(Output):
    """The part of a client's connection that a console may see."""

    id: str
    erp: Erp
    name: str
    state: ConnectionState
    purchase_orders_enabled: bool
    match_mode: MatchMode
    three_way_refused: ConnectionProblem | None
    """Why 3-way matching cannot be switched on now; null: it can be, or it is on."""
    version: int


class Client(Output):
    id: str
    name: str
    connections: list[ClientConnection]


class ClientSwitch(Input):
    """What to switch. A field that is absent or null stays as it is."""

    purchase_orders_enabled: Switch | None = None
    match_mode: MatchMode | None = Field(default=None, description="three_way needs purchase orders to be enabled.")


def _shown(row: ConnectionRow) -> ClientConnection:
    refused = None
    if row.match_mode != MatchMode.THREE_WAY:
        refused = order_feature.refusal(row, MatchMode.THREE_WAY, enabled=row.purchase_orders_enabled)
    problem = ConnectionProblem(code=refused.code, message=refused.detail) if refused else None
    return ClientConnection(**columns(row, ClientConnection), three_way_refused=problem)


async def _load(
    session: AsyncSession, console: Console, client_id: str, connection_id: str, *, lock: bool = False
) -> ConnectionRow:
    """Return the connection of one of the console's clients.

    Raises:
        Problem: NOT_FOUND, without saying whether the client or the connection is unknown.
    """
    client = await clients.get(session, console.id, OrganizationId(client_id))
    if client is None:
        raise not_found("client", client_id)
    row = await connections.get(session, ConnectionId(connection_id), OrganizationId(client.id))
    if row is None:
        raise not_found("connection", connection_id)
    if lock:
        await session.refresh(row, with_for_update=True)
    return row


@router.get(
    "",
    operation_id="listClients",
    summary="List the console's clients",
    responses=answers(*READ, "INVALID_CURSOR"),
)
async def list_all(console: ConsoleAdmin, services: Services, limit: Limit = 50, cursor: Cursor = None) -> Page[Client]:
    """Return the console's clients by name, each with its connections and their purchase order features. Nothing else
    of a client is visible."""
    async with services.database.transaction() as session:
        listing = await clients.page(session, console.id, limit=limit, cursor=cursor)
        rows = await connections.list_for_all(session, [client.id for client in listing.items])
    return page_of(
        listing,
        lambda client: Client(
            id=client.id,
            name=client.name,
            connections=[_shown(row) for row in rows if row.organization_id == client.id],
        ),
    )


@router.get(
    "/{client_id}/connections/{connection_id}",
    operation_id="getClientConnection",
    summary="Read the purchase order feature of a client's connection",
    responses=answers(*READ, "NOT_FOUND"),
)
async def read(
    client_id: Id, connection_id: Id, console: ConsoleAdmin, services: Services, response: Response
) -> ClientConnection:
    """Return one client's connection as `listClients` shows it, with its ETag."""
    async with services.database.transaction() as session:
        row = await _load(session, console, client_id, connection_id)
    tag(response, row.version)
    return _shown(row)


@router.patch(
    "/{client_id}/connections/{connection_id}",
    operation_id="switchClientConnection",
    summary="Switch a client's purchase orders, and 2-way or 3-way matching",
    responses=answers(
        *READ,
        "NOT_FOUND",
        "PRECONDITION_REQUIRED",
        "PRECONDITION_FAILED",
        "NO_PURCHASE_ORDERS",
        "PO_FEATURE_OFF",
        "MATCH_MODE_NOT_OFFERED",
    ),
)
async def switch(
    client_id: Id,
    connection_id: Id,
    new: ClientSwitch,
    if_match: IfMatch,
    console: ConsoleAdmin,
    services: Services,
    response: Response,
) -> ClientConnection:
    """Switch the purchase order feature and the match mode for a client, as `setPurchaseOrderFeature` does for one's
    own connection.

    Orders get their status in the new mode, and bills in review are matched again. 3-way matching needs purchase orders
    to be enabled. The client gets a notice of the change.
    """
    async with services.database.transaction() as session:
        row = await _load(session, console, client_id, connection_id, lock=True)
        check(if_match, row.version)
        switched = await order_feature.switch(
            session, services, row, enabled=new.purchase_orders_enabled, mode=new.match_mode, actor=console.actor
        )
        row = await _load(session, console, client_id, connection_id)
        if switched.enabled or switched.mode:
            await _notify(session, console, row)
    if switched.sync is not None:
        services.outbox.deliver_behind_answer(switched.sync)
    if switched.mode:
        await order_feature.match_waiting_bills(services, row)
    tag(response, row.version)
    return _shown(row)


async def _notify(session: AsyncSession, console: Console, row: ConnectionRow) -> None:
    orders = "on" if row.purchase_orders_enabled else "off"
    await notices.add(
        session,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        code="SWITCHED_BY_ACCOUNTANT",
        subject_kind="connection",
        subject_id=row.id,
        message=f"Your accountant {console.name} has set: purchase orders {orders}, {spoken(row.match_mode)} matching.",
    )
