"""How a connection is set up: credentials, sync preferences, the purchase order feature, the schedule."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api import durable, erp_access, order_feature
from api.auth import Accountant, Admin
from api.conditional import IfMatch, check, tag
from api.connections import Connection, Credentials, load, shown
from api.exact import ExactRoute
from api.problems import Problem, answers
from api.services import Services
from api.shapes import Code, Id, Input, Text
from api.waiting import match_waiting_bills
from erp.connector import PreferenceProblem
from models.domain import ConnectionId, Erp, MatchMode
from models.store import clients, connections, sync_issues
from models.tables import ConnectionRow

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["connections"], route_class=ExactRoute)

EDIT = ("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED")


class NewCredentials(Input):
    credentials: Credentials


class NewPreferences(Input):
    preferences: Annotated[
        dict[Code, Text],
        Field(
            max_length=50,
            description="The whole set; what is left out is unset. Names are case-sensitive in the ERP (S4-62).",
            examples=[{"po_template": "Purchase Order", "vendor_invoice_template": "Vendor Invoice"}],
        ),
    ]
    one_way: bool | None = Field(default=None, description="true: for good (S2-53). null: as it is.")


class PreferencesAnswer(BaseModel):
    connection: Connection
    complete: bool
    """Transactions sync only when true (S2-55)."""
    problems: list[PreferenceProblem]


class PurchaseOrderFeature(Input):
    enabled: bool
    match_mode: MatchMode | None = Field(default=None, description="null: as it is; 2-way at first (S4-07).")


class NewSchedule(Input):
    every_minutes: Annotated[int, Field(ge=1, le=1440)] | None = Field(
        description="At least once a day (S2-56); null: only when asked for.", examples=[60]
    )


@router.put(
    "/credentials",
    operation_id="replaceCredentials",
    summary="Give new credentials",
    responses=answers(*EDIT, "CONNECTION_IDENTITY_CHANGED", "CREDENTIALS_INCOMPLETE", "ERP_UNAVAILABLE"),
)
async def replace_credentials(
    connection_id: Id,
    new: NewCredentials,
    if_match: IfMatch,
    caller: Accountant,
    services: Services,
    response: Response,
) -> Connection:
    """Prove the new credentials with the ERP and keep them. What waited for them goes on by itself."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    check(if_match, row.version)
    values = dict(new.credentials)
    if row.entity is not None:
        values.setdefault("entity", row.entity)
    erp_access.check_names(Erp(row.erp), values)
    found = await erp_access.sign_in(services, Erp(row.erp), row.endpoint, row.settings, row.preferences, values)
    if (found.company, found.user, found.entity) != (row.company, row.user_name, row.entity):
        raise Problem(
            "CONNECTION_IDENTITY_CHANGED",
            f"They sign in to company {found.company}, user {found.user}, entity {found.entity or 'top level'}.",
        )
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        await connections.save_credentials(session, ConnectionId(row.id), services.vault.seal(values))
        await sync_issues.close_for_subject(
            session, ConnectionId(row.id), "connection", row.id, codes=None, actor=caller.actor
        )
        row = await load(session, services, caller, connection_id)
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
    """Prove the preferences with the ERP and keep them. With problems they are kept too, listed, and nothing syncs
    but lists until they are solved (S2-55, S4-62)."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    check(if_match, row.version)
    if row.one_way and new.one_way is False:
        raise Problem("ONE_WAY_IS_PERMANENT")
    async with erp_access.connector_of(services, row, new.preferences) as connector:
        problems = list(await connector.check_preferences(new.preferences))
        # What the ERP offers can hang on what is set, several sources for a bill, and on what it says when asked.
        offered = (await connector.check()).capabilities.model_dump(mode="json")
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        template = new.preferences.get("po_template")
        if template or not problems:
            await _claim(session, row, template)
        await connections.save_preferences(
            session, ConnectionId(row.id), new.preferences, not problems, capabilities=offered
        )
        if new.one_way and not row.one_way:
            await connections.set_one_way(session, ConnectionId(row.id))
        row = await load(session, services, caller, connection_id)
    await match_waiting_bills(services, [ConnectionId(row.id)], "the sync preferences were set")
    tag(response, row.version)
    return PreferencesAnswer(connection=shown(row), complete=row.preferences_complete, problems=problems)


async def _claim(session: AsyncSession, row: ConnectionRow, template: str | None) -> None:
    """The orders of one template, or all orders where the ERP has no templates, belong to one connection."""
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
    responses=answers(*EDIT, "MANAGED_BY_ACCOUNTANT", "PO_FEATURE_OFF", "MATCH_MODE_NOT_OFFERED"),
)
async def set_purchase_orders(
    connection_id: Id,
    new: PurchaseOrderFeature,
    if_match: IfMatch,
    caller: Admin,
    services: Services,
    response: Response,
) -> Connection:
    """Administrators only (S1-32); for an accountant's client only the accountant's console (S4-06). Off: links stay,
    orders are hidden, not synced, and not linked to any more.

    A change of the match mode gives every order the status it has in the new mode (S4-42, S4-43), and the next sync
    judges again which orders come in: a converted one is finished in 2-way, still to be billed in 3-way (S5-109). Bills
    that wait for a person are matched again at once."""
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
    if switched.mode:
        await order_feature.match_waiting_bills(services, row)
    tag(response, row.version)
    return shown(row)


@router.put(
    "/schedule",
    operation_id="setSchedule",
    summary="Sync automatically",
    responses=answers(*EDIT, "TEMPORAL_UNAVAILABLE"),
)
async def set_schedule(
    connection_id: Id, new: NewSchedule, if_match: IfMatch, caller: Accountant, services: Services, response: Response
) -> Connection:
    """How often the connection syncs by itself (S2-56); "Sync Now" is possible at any time besides (S2-57)."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        await connections.set_schedule(session, ConnectionId(row.id), new.every_minutes)
        # Inside the transaction, last: when Temporal refuses, the mirror does not claim a schedule that is not there.
        every = None if new.every_minutes is None else timedelta(minutes=new.every_minutes)
        await durable.set_schedule(services.temporal, ConnectionId(row.id), Erp(row.erp), every)
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return shown(row)
