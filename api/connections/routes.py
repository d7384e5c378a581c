"""Connect an ERP, and list and read connections: an organization's links to one ERP company and entity each."""

import hashlib
import hmac
import json
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field, WithJsonSchema
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections import erp_sign_in
from api.http.auth import Accountant, Caller, Role, Viewer
from api.http.etag import etag, tag
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers, erp_refusal, not_found
from api.http.schemas import (
    Code,
    ConnectionProblem,
    CurrencyCode,
    Day,
    Entity,
    Exactly,
    Id,
    Input,
    Name,
    Switch,
    Whole,
    columns,
)
from api.http.services import Services, ServiceSet
from erp.connection import LONGEST_TIMEOUT_SECONDS, ConnectionCheck
from erp.errors import ErpError
from erp.registry import CREDENTIALS_SPECS
from erp.sign_in import SignInKind
from models.domain.approvals import PushWhen
from models.domain.connections import BaseCurrencySource, ConnectionState, Erp, MatchMode
from models.domain.ids import ConnectionId, OrganizationId
from models.domain.time_zones import TimeZoneName
from models.store.audit import notices
from models.store.audit.outbox import OutboxMessage
from models.store.base.today import today_in
from models.store.connections import connections
from models.tables import ConnectionRow
from services.connections import base_currency
from services.refusal import Refused
from services.sync.due import begin_syncing

router = APIRouter(prefix="/v1/connections", tags=["connections"], route_class=ExactRoute)

Credentials = Annotated[
    dict[Code, Exactly],
    Field(
        max_length=20,
        json_schema_extra={"additionalProperties": False},
        description="Credentials, by the ERP's own names; stored encrypted, never shown again. QuickBooks Online has"
        " none: a person agrees on its own page.",
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


WEB_ADDRESS = (
    r"^https?://(([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+|\[::1\])"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(/[!-~]*)?$"
)
"""Pattern of an address: plain ASCII, without a user. Programs read other spellings of a host in different ways."""


def _plain_host(address: str) -> str:
    host = urlsplit(address).hostname or ""
    if any(len(label) > 63 or label.startswith(("-", "xn--")) or label.endswith("-") for label in host.split(".")):
        raise ValueError("its host is no plain name or address")
    return address


Endpoint = Annotated[str, Field(max_length=500, pattern=WEB_ADDRESS), AfterValidator(_plain_host)]


class TechnicalSettings(Input):
    """Technical settings of the calls to this ERP. The defaults are right for the vendors' own servers."""

    allow_loopback: Switch = False
    max_in_flight: Whole | None = Field(
        default=None, ge=1, le=20, description="Calls at once; null: this ERP's default."
    )
    timeout_seconds: Whole = Field(default=60, ge=1, le=LONGEST_TIMEOUT_SECONDS)
    read_lag_seconds: Whole | None = Field(
        default=None, ge=0, le=3600, description="How long reads may lag behind writes; null: this ERP's default."
    )
    page_size: Whole | None = Field(default=None, ge=1, le=2000)


class NewConnection(Input):
    erp: Erp
    name: Name = Field(examples=["Acme, entity 100"])
    credentials: Credentials = Field(default_factory=dict)
    entity: Entity | None = Field(default=None, examples=["100"], description="Limits the sync to one entity.")
    endpoint: Endpoint | None = Field(default=None, description="null: the vendor's own address for these credentials.")
    one_way: Switch = Field(default=False, description="true: bills and payments only go out to the ERP. Permanent.")
    purchase_orders: Switch = Field(
        default=False,
        description="true: purchase orders sync from the start; only an administrator may say so. false: until an"
        " administrator switches them on, bills sync without their orders.",
    )
    first_import_from: Day | None = Field(
        default=None, description="First order date of the first import; null: three months ago."
    )
    base_currency: CurrencyCode | None = Field(
        default=None, description="Of the ERP's books; only where the ERP does not say it itself."
    )
    time_zone: TimeZoneName | None = Field(
        default=None,
        description="Where the company's days begin and end; null: days are those of UTC.",
        examples=["America/New_York"],
    )
    sync_every_minutes: Annotated[Whole, Field(ge=1, le=connections.DAILY)] | None = Field(
        default=connections.DAILY,
        description="How often it syncs by itself, from when the ERP lets it in; null: only when a person asks.",
    )
    settings: TechnicalSettings = TechnicalSettings()


class SyncProblem(Output):
    """Why the sync of a connection cannot read."""

    since: datetime
    code: str
    message: str


class Connection(Output):
    id: str
    erp: Erp
    name: str
    company: str
    user_name: str
    entity: str | None
    endpoint: str
    state: ConnectionState
    """Of a pending connection only what was given is known; company and user are empty."""
    capabilities: Annotated[dict[str, Any], WithJsonSchema({"type": "object", "x-shape": "Capabilities"})]
    preferences: dict[str, str]
    preferences_complete: bool
    purchase_orders_enabled: bool
    match_mode: MatchMode
    approvals_enabled: bool
    push_when: PushWhen
    """What bills wait for before they are sent."""
    only_approved: bool
    draft_order_bills: bool
    """An order's bill goes out before its approval, as a draft that this releases."""
    one_way: bool
    base_currency: str
    """What the ERP's books are kept in. Orders and bills in another currency are left out."""
    base_currency_from: BaseCurrencySource
    """Who says so. While it is `assumed`, transactions do not sync."""
    time_zone: str | None
    """Where the company's days begin and end: what is due, late or in the future. null: days are those of UTC."""
    today: date
    """Which day it is there."""
    first_import_from: date | None
    sync_every_minutes: int | None
    last_synced_at: datetime | None
    """Up to date as of this moment: what changed in the ERP until then is here. null: no sync was completed yet."""
    outage_since: datetime | None
    """Since when the ERP does not answer; null: it does."""
    problem: ConnectionProblem | None
    """Why calls to the ERP fail."""
    sync_problem: SyncProblem | None
    """Why the sync cannot read, and since when; null: it can. It is tried again by itself."""
    version: int
    created_at: datetime


class Connections(Output):
    items: list[Connection]


def shown_user(erp: Erp, user: str) -> str:
    """Return who signs in as people may see it: of a token, which is part of a secret, the last characters."""
    return f"...{user[-4:]}" if user and CREDENTIALS_SPECS[erp].user_is_token else user


def shown(row: ConnectionRow) -> Connection:
    """Return the connection's stored row as answers show it, without credentials."""
    problem = ConnectionProblem(code=row.problem_code, message=row.problem_message or "") if row.problem_code else None
    sync_problem = None
    if row.sync_problem_since is not None:
        sync_problem = SyncProblem(
            since=row.sync_problem_since, code=row.sync_problem_code or "", message=row.sync_problem_message or ""
        )
    connection = Connection(
        **columns(row, Connection), today=today_in(row.time_zone), problem=problem, sync_problem=sync_problem
    )
    connection = connection.model_copy(update={"user_name": shown_user(Erp(row.erp), row.user_name)})
    if row.state == ConnectionState.PENDING_AUTHORIZATION:
        return connection.model_copy(update={"company": ""})
    return connection


async def load(
    session: AsyncSession, services: ServiceSet, caller: Caller, connection_id: str, *, lock: bool = False
) -> ConnectionRow:
    """Return the caller's connection. With `lock`, its row stays locked until the transaction ends.

    Raises:
        Problem: NOT_FOUND, also for another organization's connection.
    """
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
        "BASE_CURRENCY_DIFFERS",
        "ERP_UNAVAILABLE",
    ),
)
async def create(new: NewConnection, key: IdempotencyKey, caller: Accountant, services: Services) -> JSONResponse:
    """Connect an ERP: sign in with these credentials, save the connection, start its first sync, and sync it by itself
    from then on, once a day unless the body says otherwise. A connection the ERP refuses is not kept.

    The first sync brings in lists only. Transactions sync once the sync preferences are set.
    """
    if new.purchase_orders and not caller.role.covers(Role.ADMIN):
        raise Problem("ROLE_TOO_LOW", "Only an administrator switches purchase orders on: leave purchase_orders out.")
    idempotent = IdempotentRequest(services, caller, key, "POST /v1/connections")
    first: tuple[OutboxMessage, ...] = ()
    async with services.request_gate.one_at_a_time(caller.organization_id, key):
        request = _without_secrets(services, new)
        known = await idempotent.begin(request)
        if known is None:
            try:
                known, first = await _connect(services, caller, idempotent, new)
            except Problem as problem:
                known = await idempotent.refuse(problem)
            except ErpError as error:
                known = await idempotent.refuse(erp_refusal(error, new.erp))
            except connections.ConnectionReplaced:
                known = await idempotent.answer_of_another(request, erp_sign_in.PATIENCE_SECONDS)
    services.outbox.deliver_behind_answer(*first)
    location = f"/v1/connections/{known.body.get('id')}"
    return known.response(location=location, etag=etag(known.body.get("version", 0)))


class Connected(NamedTuple):
    """What became of a request for a connection."""

    answer: Answer
    first: tuple[OutboxMessage, ...]
    """The first sync run, and the schedule of the others; none: the ERP has not let it in."""


def technical(services: ServiceSet, erp: Erp, given: TechnicalSettings) -> dict[str, Any]:
    """Return technical settings as they are stored.

    Raises:
        Problem: LOOPBACK_NOT_ALLOWED.
    """
    if given.allow_loopback and not services.settings.allow_loopback:
        raise Problem("LOOPBACK_NOT_ALLOWED")
    spec = CREDENTIALS_SPECS[erp]
    lag = spec.read_lag_seconds if given.read_lag_seconds is None else given.read_lag_seconds
    in_flight = given.max_in_flight or spec.max_in_flight
    return {**given.model_dump(), "max_in_flight": in_flight, "read_lag_seconds": lag}


async def _connect(
    services: ServiceSet, caller: Caller, idempotent: IdempotentRequest, new: NewConnection
) -> Connected:
    values = dict(new.credentials)
    if new.entity is not None and values.setdefault("entity", new.entity) != new.entity:
        raise Problem("ENTITY_GIVEN_TWICE", f"The credentials name {values['entity']!r}, the body {new.entity!r}.")
    settings = technical(services, new.erp, new.settings)
    erp_sign_in.check_names(new.erp, values)
    credentials_spec = CREDENTIALS_SPECS[new.erp]
    endpoint = new.endpoint or credentials_spec.default_endpoint(values)
    async with services.database.transaction() as session:
        row = await connections.save_pending(
            session,
            organization_id=caller.organization_id,
            erp=new.erp,
            name=new.name,
            request=idempotent.key,
            company=(credentials_spec.company and values.get(credentials_spec.company)) or new.name,
            entity=values.get("entity"),
            endpoint=endpoint,
            settings=settings,
            credentials=services.vault.seal(values),
            one_way=new.one_way,
            base_currency=new.base_currency,
            time_zone=new.time_zone,
            purchase_orders=new.purchase_orders,
            sync_every_minutes=new.sync_every_minutes,
        )
        if new.first_import_from is not None:
            await connections.set_first_import_from(session, ConnectionId(row.id), new.first_import_from)
            await session.refresh(row)
    if credentials_spec.kind is not SignInKind.FORM:
        return Connected(await idempotent.finish(answer(201, shown(row))), ())
    try:
        check = await erp_sign_in.sign_in(services, row)
        must_agree(check, new.base_currency)
        async with services.database.transaction() as session:
            row = await let_in(session, caller, row, check)
            first = await begin_syncing(session, row, request_key=idempotent.key)
            if not new.purchase_orders:
                await _orders_available(session, row)
            return Connected(await idempotent.store(session, answer(201, shown(row))), first)
    except (ErpError, Problem):
        async with services.database.transaction() as session:
            await connections.withdraw(session, ConnectionId(row.id))
        raise


async def _orders_available(session: AsyncSession, row: ConnectionRow) -> None:
    await notices.add(
        session,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        code="PURCHASE_ORDERS_AVAILABLE",
        subject_kind="connection",
        subject_id=row.id,
        message=f"{row.name} can sync purchase orders, and match bills with them. An administrator switches them on:"
        f" posync purchase-orders on {row.id}.",
    )


def must_agree(check: ConnectionCheck, given: str | None) -> None:
    """Check that a person does not contradict the ERP about the currency of its books.

    Raises:
        Problem: BASE_CURRENCY_DIFFERS.
    """
    try:
        base_currency.must_agree(check.base_currency, given)
    except Refused as refused:
        raise Problem(refused.code, refused.detail) from refused


def must_be_let_in(row: ConnectionRow) -> None:
    """Check that the ERP has authorized the connection.

    Raises:
        Problem: CONNECTION_PENDING.
    """
    if row.state == ConnectionState.PENDING_AUTHORIZATION:
        raise Problem("CONNECTION_PENDING")


async def let_in(session: AsyncSession, caller: Caller, row: ConnectionRow, check: ConnectionCheck) -> ConnectionRow:
    """Store what the ERP says of a pending connection: its company, user, entity and capabilities.

    Raises:
        Problem: CONNECTION_EXISTS, when there is another connection of the same company, user and
            entity.
    """
    try:
        return await connections.authorize(
            session,
            ConnectionId(row.id),
            company=check.company,
            user_name=check.user,
            entity=check.entity,
            capabilities=check.capabilities.model_dump(mode="json"),
            base_currency=check.base_currency,
        )
    except connections.ConnectionTaken as error:
        ours = await connections.list_for(session, caller.organization_id)
        known = (row.erp, check.company, check.user, check.entity)
        same = (row.id for row in ours if (row.erp, row.company, row.user_name, row.entity) == known)
        # Another organization's is not named.
        extra = {"evidence": {"connection_id": there}} if (there := next(same, None)) else None
        raise Problem("CONNECTION_EXISTS", str(error), extra=extra) from error


def _without_secrets(services: ServiceSet, new: NewConnection) -> dict[str, Any]:
    """Return the request as it is stored for idempotency: the credentials only as a keyed digest, enough to tell a
    repeat from another request."""
    secret = services.settings.credential_keys[0].encode()
    text = json.dumps(new.credentials, sort_keys=True).encode()
    return {
        **new.model_dump(mode="json", exclude={"credentials"}),
        "credentials": hmac.new(secret, text, hashlib.sha256).hexdigest(),
    }


@router.get("", operation_id="listConnections", summary="List connections", responses=answers("ROLE_TOO_LOW"))
async def list_all(caller: Viewer, services: Services) -> Connections:
    """Return all connections of the organization, oldest first. There are few, so there are no pages."""
    async with services.database.transaction() as session:
        rows = await connections.list_for(session, caller.organization_id)
    return Connections(items=[shown(row) for row in rows])


@router.get(
    "/{connection_id}", operation_id="getConnection", summary="Read a connection", responses=answers("NOT_FOUND")
)
async def read(connection_id: Id, caller: Viewer, services: Services, response: Response) -> Connection:
    """Return a connection with its health and settings, never its credentials."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return shown(row)


__all__ = [
    "Connection",
    "ConnectionCheck",
    "Credentials",
    "let_in",
    "load",
    "must_agree",
    "must_be_let_in",
    "router",
    "shown",
    "shown_user",
]
