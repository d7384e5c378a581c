"""Change how a connection is set up: credentials, sync preferences, the purchase order feature."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections import erp_sign_in, order_feature
from api.connections.routes import (
    Connection,
    Credentials,
    Endpoint,
    TechnicalSettings,
    let_in,
    load,
    must_agree,
    shown,
    shown_user,
    technical,
)
from api.http.auth import Accountant, Admin
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.rematch import match_waiting_bills
from api.http.schemas import Code, CurrencyCode, Id, Input, Line, Switch
from api.http.services import Services
from erp.connection import PreferenceProblem
from models.domain.connections import ConnectionState, Erp, MatchMode
from models.domain.ids import ConnectionId
from models.domain.time_zones import TimeZoneName
from models.store.audit import sync_issues
from models.store.connections import clients, connections
from models.tables import ConnectionRow
from services.connections import base_currency, line_fields, unapproved_orders
from services.sync.due import begin_syncing, owe_sync
from services.sync.retries import HEALED_BY_PREFERENCES, retry_refused

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["connections"], route_class=ExactRoute)

EDIT = ("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED")


class NewCredentials(Input):
    credentials: Credentials
    endpoint: Endpoint | None = Field(
        default=None, description="A new address of the ERP, such as a newer version's; null: leave it as it is."
    )
    settings: TechnicalSettings | None = Field(
        default=None, description="All technical settings anew, such as fewer calls at once; null: leave them."
    )


class NewPreferences(Input):
    preferences: Annotated[
        dict[Code, Line],
        Field(
            max_length=50,
            json_schema_extra={"additionalProperties": False},
            description="All preferences; one that is left out is unset. The ERP's names are case-sensitive.",
            examples=[{"po_template": "Purchase Order", "vendor_invoice_template": "Vendor Invoice"}],
        ),
    ]
    one_way: Switch | None = Field(
        default=None, description="true: switch it on, permanently. null: leave it as it is."
    )
    base_currency: CurrencyCode | None = Field(
        default=None,
        description="Of the ERP's books; only where the ERP does not say it itself. null: leave it as it is.",
    )
    time_zone: TimeZoneName | None = Field(
        default=None,
        description="Where the company's days begin and end. Payments that wait already keep their moment. null: leave"
        " it as it is.",
        examples=["America/New_York"],
    )
    sync: Switch = Field(
        default=True,
        description="true: once the preferences become complete, a sync starts that brings transactions in. false: the"
        " next one that the schedule or a person starts does.",
    )


class PreferencesAnswer(Output):
    connection: Connection
    complete: bool
    """Transactions sync only when this is true."""
    problems: list[PreferenceProblem]


class PurchaseOrderFeature(Input):
    enabled: Switch
    match_mode: MatchMode | None = Field(
        default=None, description="null: leave it as it is. A new connection is 2-way."
    )


@router.put(
    "/credentials",
    operation_id="replaceCredentials",
    summary="Replace the credentials",
    responses=answers(
        *EDIT,
        "CONNECTION_EXISTS",
        "CONNECTION_IDENTITY_CHANGED",
        "CREDENTIALS_INCOMPLETE",
        "LOOPBACK_NOT_ALLOWED",
        "ERP_UNAVAILABLE",
    ),
)
async def replace_credentials(
    connection_id: Id,
    new: NewCredentials,
    if_match: IfMatch,
    caller: Accountant,
    services: Services,
    response: Response,
) -> Connection:
    """Check the new credentials with the ERP and store them. Work that waited for valid credentials goes on by itself,
    and a connection that waited for its authorization starts its first sync.

    They are checked and used at the connection's address, with its technical settings, unless the body has new ones."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    check(if_match, row.version)
    values = dict(new.credentials)
    if row.entity is not None:
        values.setdefault("entity", row.entity)
    erp_sign_in.check_names(Erp(row.erp), values)
    settings = None if new.settings is None else technical(services, Erp(row.erp), new.settings)
    row.endpoint = new.endpoint or row.endpoint
    row.settings = settings or row.settings
    result = await erp_sign_in.sign_in(services, row, values)
    pending = row.state == ConnectionState.PENDING_AUTHORIZATION
    if not pending and (result.company, result.user, result.entity) != (row.company, row.user_name, row.entity):
        user = shown_user(Erp(row.erp), result.user)
        raise Problem(
            "CONNECTION_IDENTITY_CHANGED",
            f"They sign in to company {result.company}, user {user}, entity {result.entity or 'top level'}.",
        )
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        if pending:
            await let_in(session, caller, row, result)
        else:
            await base_currency.settle(session, row, result.base_currency, None)
        sealed = services.vault.seal(values)
        await connections.save_credentials(
            session, ConnectionId(row.id), sealed, endpoint=new.endpoint, settings=settings
        )
        await sync_issues.close_for_subject(
            session, ConnectionId(row.id), "connection", row.id, codes=None, actor=caller.actor
        )
        row = await load(session, services, caller, connection_id)
        first = await begin_syncing(session, row, request_key=f"{row.id} {row.version}") if pending else ()
    services.outbox.deliver_behind_answer(*first)
    tag(response, row.version)
    return shown(row)


@router.put(
    "/preferences",
    operation_id="replacePreferences",
    summary="Set the sync preferences",
    responses=answers(
        *EDIT,
        "TEMPLATE_CLAIMED",
        "ORDERS_CLAIMED",
        "ONE_WAY_IS_PERMANENT",
        "MATCH_MODE_NOT_OFFERED",
        "BASE_CURRENCY_DIFFERS",
        "ERP_UNAVAILABLE",
    ),
)
async def replace_preferences(
    connection_id: Id,
    new: NewPreferences,
    if_match: IfMatch,
    caller: Accountant,
    services: Services,
    response: Response,
) -> PreferencesAnswer:
    """Store the sync preferences after checking them with the ERP. Preferences with problems are stored too; the answer
    lists the problems, and until they are solved only lists are synced.

    Preferences that become complete start a sync, unless the body says otherwise: orders and bills come in.

    The ERP is asked which currency its books are kept in. Where it does not say, a person has to, once."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    check(if_match, row.version)
    if row.one_way and new.one_way is False:
        raise Problem("ONE_WAY_IS_PERMANENT")
    async with erp_sign_in.connector(services, row, preferences=new.preferences) as connector:
        problems = [
            *await connector.check_preferences(new.preferences),
            *unapproved_orders.problems(new.preferences),
        ]
        # What the ERP offers may depend on the preferences (several sources per bill) and on what it answers.
        checked = await connector.check()
    must_agree(checked, new.base_currency)
    offered = checked.capabilities.model_dump(mode="json")
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        if row.match_mode not in offered["match_modes"]:
            raise Problem(
                "MATCH_MODE_NOT_OFFERED",
                f"Matching is {order_feature.spoken(row.match_mode)}, and with these preferences no receipt comes in.",
                fix=("Keep the template of receivers.", "Or switch to 2-way matching first."),
            )
        await base_currency.settle(session, row, checked.base_currency, new.base_currency)
        if new.time_zone is not None:
            await connections.set_time_zone(session, ConnectionId(row.id), new.time_zone)
        row = await load(session, services, caller, connection_id)
        problems += base_currency.problems(row)
        template = new.preferences.get("po_template")
        if template or not problems:
            await _claim(session, row, template)
        await unapproved_orders.settle(session, row, new.preferences)
        await line_fields.settle(session, row, new.preferences)
        begins = new.sync and not problems and not row.preferences_complete
        await connections.save_preferences(
            session, ConnectionId(row.id), new.preferences, not problems, capabilities=offered
        )
        if new.one_way and not row.one_way:
            await connections.set_one_way(session, ConnectionId(row.id))
        owed = await retry_refused(
            session,
            ConnectionId(row.id),
            HEALED_BY_PREFERENCES,
            why=connections.PREFERENCES_SET,
            request_key=f"preferences of version {row.version}",
        )
        row = await load(session, services, caller, connection_id)
        if begins:
            owed = [*owed, await owe_sync(session, row, request_key=f"preferences {row.version}")]
    services.outbox.deliver_behind_answer(*owed)
    await match_waiting_bills(services, [ConnectionId(row.id)], connections.PREFERENCES_SET)
    tag(response, row.version)
    return PreferencesAnswer(connection=shown(row), complete=row.preferences_complete, problems=problems)


async def _claim(session: AsyncSession, row: ConnectionRow, template: str | None) -> None:
    """Check that no other connection syncs the same orders: those of one template, or all of the company's where the
    ERP has no templates.

    Raises:
        Problem: TEMPLATE_CLAIMED or ORDERS_CLAIMED.
    """
    other = await connections.claimed_orders(
        session, Erp(row.erp), row.company, row.entity, template, ConnectionId(row.id)
    )
    if other is None:
        return
    ours = other.organization_id == row.organization_id
    name = f"The connection {other.id!r}" if ours else "A connection of another organization"
    if template:
        raise Problem("TEMPLATE_CLAIMED", f"{name} already syncs the orders of {template!r}.")
    raise Problem("ORDERS_CLAIMED", f"{name} already syncs the orders of {row.entity or 'the whole company'}.")


@router.put(
    "/purchase-orders",
    operation_id="setPurchaseOrderFeature",
    summary="Switch purchase orders, and 2-way or 3-way matching",
    responses=answers(
        *EDIT,
        "MANAGED_BY_ACCOUNTANT",
        "NO_PURCHASE_ORDERS",
        "PO_FEATURE_OFF",
        "MATCH_MODE_NOT_OFFERED",
        "PUSH_BEFORE_APPROVAL_NOT_OFFERED",
    ),
)
async def set_purchase_orders(
    connection_id: Id,
    new: PurchaseOrderFeature,
    if_match: IfMatch,
    caller: Admin,
    services: Services,
    response: Response,
) -> Connection:
    """Switch the purchase order feature and the match mode. Only administrators may do this; for an accountant's client
    only the accountant's console may.

    Switched on, a sync starts that brings the orders in. With the feature off, orders are hidden, are not synced, and
    no bill is linked to them any more. Existing links stay.

    A change of the match mode gives every order its status in the new mode, and bills in review are matched again at
    once. The next sync decides again which orders come in: an order converted in the ERP counts as finished in 2-way
    mode, and as still to be billed in 3-way mode.
    """
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        console = await clients.console_of(session, caller.organization_id)
        if console is not None:
            raise Problem("MANAGED_BY_ACCOUNTANT", f"{console.name} switches purchase orders and matching for you.")
        switched = await order_feature.switch(
            session, services, row, enabled=new.enabled, mode=new.match_mode, actor=caller.actor
        )
        row = await load(session, services, caller, connection_id)
    if switched.sync is not None:
        services.outbox.deliver_behind_answer(switched.sync)
    if switched.mode:
        await order_feature.match_waiting_bills(services, row)
    tag(response, row.version)
    return shown(row)
