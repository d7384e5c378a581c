"""An accountant's console: the purchase order feature and the match mode of its clients (S4-05, S4-44..47)."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api import order_feature
from api.auth import Admin
from api.conditional import IfMatch, check, tag
from api.exact import ExactRoute
from api.order_feature import spoken
from api.problems import Problem, answers, not_found
from api.services import Services
from api.shapes import Cursor, Id, Input, Limit, Page, Trouble, columns
from models.domain import ConnectionId, Erp, MatchMode, OrganizationId
from models.store import clients, connections, notices, organizations
from models.tables import ConnectionRow

router = APIRouter(prefix="/v1/console/clients", tags=["console"], route_class=ExactRoute)

READ = ("ROLE_TOO_LOW", "NOT_A_CONSOLE")


@dataclass(frozen=True, slots=True)
class Console:
    """Who calls: an administrator of an organization that has clients."""

    id: OrganizationId
    name: str
    actor: str
    """As the client's events record it: the key, and whose it is."""


async def _console(caller: Admin, services: Services) -> Console:
    async with services.database.statement() as session:
        if not await clients.is_console(session, caller.organization_id):
            raise Problem("NOT_A_CONSOLE", "No organization is linked to yours as its client.")
        name = await organizations.name_of(session, caller.organization_id)
    return Console(id=caller.organization_id, name=name, actor=f"{caller.actor} of {name}, the accountant's console")


ConsoleAdmin = Annotated[Console, Depends(_console)]
"""May switch the purchase order features of the console's clients, and see no more of them than that."""


class ClientConnection(BaseModel):
    """What a console sees of a client's connection."""

    id: str
    erp: Erp
    name: str
    state: str
    """needs_preferences | ready | authentication_failed | disabled."""
    purchase_orders_enabled: bool
    match_mode: MatchMode
    three_way_refused: Trouble | None
    """Why 3-way matching cannot be switched on now; null: it can be, or is."""
    version: int


class Client(BaseModel):
    id: str
    name: str
    connections: list[ClientConnection]


class ClientSwitch(Input):
    """What is left out, or null, stays as it is."""

    purchase_orders_enabled: bool | None = None
    match_mode: MatchMode | None = Field(default=None, description="three_way needs purchase orders enabled (S4-46).")


def _shown(row: ConnectionRow) -> ClientConnection:
    refused = None
    if row.match_mode != MatchMode.THREE_WAY:
        refused = order_feature.refusal(row, MatchMode.THREE_WAY, enabled=row.purchase_orders_enabled)
    trouble = Trouble(code=refused.code, message=refused.detail) if refused else None
    return ClientConnection(**columns(row, ClientConnection), three_way_refused=trouble)


async def _load(
    session: AsyncSession, console: Console, client_id: str, connection_id: str, *, lock: bool = False
) -> ConnectionRow:
    """The connection, if it is one of the console's client's. 404 without telling which of the two is not."""
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
    """By name, each with its connections and their purchase order features; nothing else of them is visible."""
    async with services.database.transaction() as session:
        found = await clients.page(session, console.id, limit=limit, cursor=cursor)
        rows = await connections.list_for_all(session, [client.id for client in found.items])
    items = [
        Client(
            id=client.id,
            name=client.name,
            connections=[_shown(row) for row in rows if row.organization_id == client.id],
        )
        for client in found.items
    ]
    return Page(items=items, next_cursor=found.next_cursor)


@router.get(
    "/{client_id}/connections/{connection_id}",
    operation_id="getClientConnection",
    summary="Read the purchase order feature of a client's connection",
    responses=answers(*READ, "NOT_FOUND"),
)
async def read(
    client_id: Id, connection_id: Id, console: ConsoleAdmin, services: Services, response: Response
) -> ClientConnection:
    """What `listClients` shows of it, and its ETag."""
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
    """What `setPurchaseOrderFeature` does, for a client: orders get the statuses of the new mode, waiting bills are
    matched again. 3-way needs purchase orders enabled (S4-46). The client gets a notice of what its accountant did."""
    async with services.database.transaction() as session:
        row = await _load(session, console, client_id, connection_id, lock=True)
        check(if_match, row.version)
        switched = await order_feature.switch(
            session, services, row, enabled=new.purchase_orders_enabled, mode=new.match_mode, actor=console.actor
        )
        row = await _load(session, console, client_id, connection_id)
        if any(switched):
            await _tell(session, console, row)
    if switched.mode:
        await order_feature.match_waiting_bills(services, row)
    tag(response, row.version)
    return _shown(row)


async def _tell(session: AsyncSession, console: Console, row: ConnectionRow) -> None:
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
