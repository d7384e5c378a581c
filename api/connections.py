"""Connections: an organization's link to one ERP company and entity."""

import hashlib
import hmac
import json
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api import durable, erp_access
from api.auth import Accountant, Caller, Viewer
from api.conditional import etag, tag
from api.exact import ExactRoute
from api.idempotency import IdempotencyKey, Once, answer
from api.problems import Problem, answers, erp_refusal, not_found
from api.services import Services, ServiceSet
from api.shapes import Code, Day, Id, Input, Name, Text, Trouble, columns
from erp.connector import ConnectionCheck
from erp.errors import ErpError
from erp.registry import SIGNING_IN
from models.domain import ConnectionId, Erp, MatchMode
from models.store import connections
from models.tables import ConnectionRow

router = APIRouter(prefix="/v1/connections", tags=["connections"], route_class=ExactRoute)

Credentials = Annotated[
    dict[Code, Text],
    Field(
        min_length=1,
        max_length=20,
        description="What the ERP signs in with, by the ERP's own names; stored encrypted, never shown again.",
        examples=[
            {"sender_id": "posync", "sender_password": "...", "company": "ACME", "user": "xml", "password": "..."},
            {
                "account": "1234567_SB1",
                "consumer_key": "...",
                "consumer_secret": "...",
                "token_id": "...",
                "token_secret": "...",
            },
        ],
    ),
]


class TechnicalSettings(Input):
    """How we talk to this ERP; the defaults are right for the vendors' own servers."""

    allow_loopback: bool = False
    max_in_flight: int | None = Field(default=None, ge=1, le=20, description="null: what is polite for this ERP.")
    timeout_seconds: int = Field(default=60, ge=1, le=300)
    read_lag_seconds: int = Field(default=120, ge=0, le=3600)
    page_size: int | None = Field(default=None, ge=1, le=2000)


class NewConnection(Input):
    erp: Erp
    name: Name = Field(examples=["Acme, entity 100"])
    credentials: Credentials
    entity: Code | None = Field(default=None, examples=["100"], description="Binds the sync to one entity (S2-04).")
    endpoint: Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s]+$")] | None = Field(
        default=None, description="null: the vendor's own address for these credentials."
    )
    one_way: bool = Field(default=False, description="Bills and payments only go out; permanent once on (S2-53).")
    first_import_from: Day | None = Field(
        default=None, description="Orders from this date on come in first; null: the last three months (S1-11)."
    )
    settings: TechnicalSettings = TechnicalSettings()


class Connection(BaseModel):
    id: str
    erp: Erp
    name: str
    company: str
    user_name: str
    entity: str | None
    endpoint: str
    state: str
    """needs_preferences | ready | authentication_failed | disabled."""
    capabilities: dict[str, Any]
    preferences: dict[str, Any]
    preferences_complete: bool
    purchase_orders_enabled: bool
    match_mode: MatchMode
    one_way: bool
    base_currency: str
    first_import_from: date | None
    sync_every_minutes: int | None
    last_synced_at: datetime | None
    outage_since: datetime | None
    problem: Trouble | None
    version: int
    created_at: datetime


class Connections(BaseModel):
    items: list[Connection]


def shown(row: ConnectionRow) -> Connection:
    problem = Trouble(code=row.problem_code, message=row.problem_message or "") if row.problem_code else None
    return Connection(**columns(row, Connection), problem=problem)


async def load(
    session: AsyncSession, services: ServiceSet, caller: Caller, connection_id: str, *, lock: bool = False
) -> ConnectionRow:
    """The caller's connection, or 404. `lock` holds it until the transaction ends."""
    row = await connections.get(session, ConnectionId(connection_id), caller.organization_id)
    if row is None:
        raise not_found("connection", connection_id)
    if lock:
        await session.refresh(row, with_for_update=True)
    return row


@router.post(
    "",
    status_code=201,
    operation_id="createConnection",
    summary="Connect an ERP",
    response_model=Connection,
    responses=answers(
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "ROLE_TOO_LOW",
        "CONNECTION_EXISTS",
        "CREDENTIALS_INCOMPLETE",
        "LOOPBACK_NOT_ALLOWED",
        "ERP_UNAVAILABLE",
    ),
)
async def create(new: NewConnection, key: IdempotencyKey, caller: Accountant, services: Services) -> JSONResponse:
    """Sign in to the ERP with these credentials; if it lets us in, keep them and start the first sync.

    The first sync brings lists only; transactions wait for the sync preferences (S2-54, S2-55).
    """
    once = Once(services, caller, key, "POST /v1/connections")
    known = await once.begin(_without_secrets(services, new))
    if known is None:
        try:
            known = await _connect(services, caller, once, new)
        except Problem as problem:
            known = await once.refuse(problem)
        except ErpError as error:
            known = await once.refuse(erp_refusal(error))
    if known.status == 201 and known.body["last_synced_at"] is None:
        # Also when a repeat finds the answer: the first attempt may have died before it came to this.
        await durable.start_sync(services.temporal, ConnectionId(known.body["id"]), new.erp, trigger="connect")
    location = f"/v1/connections/{known.body.get('id')}"
    return known.response(location=location, etag=etag(known.body.get("version", 0)))


async def _connect(services: ServiceSet, caller: Caller, once: Once, new: NewConnection) -> Any:
    values = dict(new.credentials)
    if new.entity is not None and values.setdefault("entity", new.entity) != new.entity:
        raise Problem("ENTITY_GIVEN_TWICE", f"The credentials name {values['entity']!r}, the body {new.entity!r}.")
    if new.settings.allow_loopback and not services.settings.allow_loopback:
        raise Problem("LOOPBACK_NOT_ALLOWED")
    erp_access.check_names(new.erp, values)
    signing_in = SIGNING_IN[new.erp]
    endpoint = new.endpoint or signing_in.default_endpoint(values)
    settings = new.settings.model_dump()
    settings["max_in_flight"] = settings["max_in_flight"] or signing_in.max_in_flight
    check = await erp_access.sign_in(services, new.erp, endpoint, settings, {}, values)
    async with services.database.transaction() as session:
        try:
            row = await connections.create(
                session,
                organization_id=caller.organization_id,
                erp=new.erp,
                name=new.name,
                company=check.company,
                user_name=check.user,
                entity=check.entity,
                endpoint=endpoint,
                settings=settings,
                credentials=services.vault.seal(values),
                capabilities=check.capabilities.model_dump(mode="json"),
                one_way=new.one_way,
                base_currency="USD",  # S2-73: the only one there is
            )
        except connections.ConnectionTaken as error:
            ours = await connections.list_for(session, caller.organization_id)
            known = (new.erp, check.company, check.user, check.entity)
            same = (row.id for row in ours if (row.erp, row.company, row.user_name, row.entity) == known)
            # Another organization's is not named.
            extra = {"evidence": {"connection_id": there}} if (there := next(same, None)) else None
            raise Problem("CONNECTION_EXISTS", str(error), extra=extra) from error
        if new.first_import_from is not None:
            await connections.set_first_import_from(session, ConnectionId(row.id), new.first_import_from)
            await session.refresh(row)
        return await once.store(session, answer(201, shown(row)))


def _without_secrets(services: ServiceSet, new: NewConnection) -> dict[str, Any]:
    """The request as it is remembered: the credentials only as a keyed digest, to tell a repeat from another."""
    secret = services.settings.credential_keys[0].encode()
    text = json.dumps(new.credentials, sort_keys=True).encode()
    return {
        **new.model_dump(mode="json", exclude={"credentials"}),
        "credentials": hmac.new(secret, text, hashlib.sha256).hexdigest(),
    }


@router.get("", operation_id="listConnections", summary="List connections", responses=answers("ROLE_TOO_LOW"))
async def list_all(caller: Viewer, services: Services) -> Connections:
    """All connections of the organization, oldest first; there are few, so there are no pages."""
    async with services.database.transaction() as session:
        rows = await connections.list_for(session, caller.organization_id)
    return Connections(items=[shown(row) for row in rows])


@router.get(
    "/{connection_id}", operation_id="getConnection", summary="Read a connection", responses=answers("NOT_FOUND")
)
async def read(connection_id: Id, caller: Viewer, services: Services, response: Response) -> Connection:
    """The connection, its health and its settings; never its credentials."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return shown(row)


__all__ = ["Connection", "ConnectionCheck", "Credentials", "load", "router", "shown"]
