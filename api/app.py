"""Create the application: build the services once, include all routes, and answer every error as a problem.

`posync api` runs it, in the server whose limits are set in `api/http/server.py`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import httpx
from fastapi import FastAPI
from temporalio.client import Client

from api.approvals import bill_approval, connection_approvals, people
from api.bills import (
    bill_matching,
    correction,
    direct_bills,
    direct_link,
    editing,
    line_suggestions,
    moved_draft,
    order_bills,
    payment_of_bills,
    payment_voids,
    payments,
    retraction,
    suggested_draft,
)
from api.bills import (
    routes as bills,
)
from api.connections import (
    accountant_console,
    accounting_settings,
    authorization,
    bank_accounts,
    closed_periods,
    connection_settings,
    consent_pages,
    list_settings,
    retraction_ways,
    setting_list,
    setup_checks,
    support_matrix,
    sync_schedule,
    usage,
)
from api.connections import routes as connections
from api.connections import web_connector as web_connector_setup
from api.credits import applying, new_credit
from api.credits import routes as credits
from api.exports import routes as exports
from api.http import docs_page as reference
from api.http import health, problems
from api.http.document import DocumentedApp
from api.http.exact_json import RequestGuard
from api.http.order_gate import OrderGate, OrderQueue
from api.http.request_gate import RequestGate
from api.http.services import ServiceSet
from api.imports import routes as imports
from api.lists import routes as lists
from api.orders import line_limits, returns
from api.orders import money as order_money
from api.orders import routes as purchase_orders
from api.policies import policy_preview, tolerance_policies, unit_factors
from api.reports import routes as reports
from api.source_orders import contacts
from api.source_orders import routes as source_orders
from api.sync import backfills, notices, sync_issues
from api.sync import routes as syncs
from api.web_connector import routes as web_connector
from api.webhooks import routes as webhooks
from erp import registry
from erp.connection import ConnectionSettings
from erp.connector import ConnectorFactory
from erp.quickbooks_online.oauth import OAuthServer
from models.domain.connections import Erp
from models.store.base.database import Database
from models.store.base.gathered import Gathered
from models.store.connections import api_key_use
from models.store.connections.api_key_use import CountedKey
from models.store.connections.credentials import CredentialVault
from services.outbox.delivery import OutboxDelivery
from settings import Settings, read_settings, temporal_client
from temporal_gateway.glances import Glances
from temporal_gateway.notifier import WorkflowNotifier

LEFT_TO_OTHERS = 4
"""How many database connections of a process bills that are decided leave to all other requests."""

LOCK_TIMEOUT = timedelta(seconds=10)
"""How long a request waits for rows that another request, or a page of a sync run, is writing."""

ABOUT = """
posync keeps purchase orders, the bills against them and their payments in step with the ERP.

Purchase orders are made in the ERP and view-only here. Every `POST` of one thing takes an `Idempotency-Key`: the same
key and body get the same answer. The bills of an imported file have keys of their own,
made of their content. Every edit takes `If-Match`. Every error is a problem (RFC 9457) with a `code`, `fix` and `who`.
"""


RESOURCES = (
    # Routes are tried in turn, and no other is called as often as the door: every Web Connector polls it.
    web_connector,
    connections,
    authorization,
    consent_pages,
    web_connector_setup,
    connection_settings,
    sync_schedule,
    accounting_settings,
    retraction_ways,
    setup_checks,
    setting_list,
    support_matrix,
    bank_accounts,
    closed_periods,
    usage,
    list_settings,
    lists,
    syncs,
    backfills,
    purchase_orders,
    line_limits,
    order_money,
    returns,
    order_bills,
    line_suggestions,
    moved_draft,
    suggested_draft,
    direct_bills,
    direct_link,
    bills,
    editing,
    bill_matching,
    correction,
    retraction,
    bill_approval,
    people,
    connection_approvals,
    payment_of_bills,
    payment_voids,
    payments,
    credits,
    new_credit,
    applying,
    source_orders,
    contacts,
    policy_preview,
    tolerance_policies,
    unit_factors,
    sync_issues,
    notices,
    reports,
    exports,
    imports,
    accountant_console,
    webhooks,
    health,
)


def create_app(
    settings: Settings | None = None,
    *,
    temporal: Client | None = None,
    connectors: Mapping[Erp, ConnectorFactory] | None = None,
    oauth_server: Callable[[ConnectionSettings], OAuthServer] | None = None,
) -> FastAPI:
    """Build the API, and configure it with what is given.

    Raises:
        InvalidSettings: the settings come from the environment and cannot be used.
    """
    app = DocumentedApp(
        title="posync",
        version="1",
        description=ABOUT,
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,  # ours, see `reference`
        redoc_url=None,
    )
    app.add_middleware(OrderQueue)
    app.add_middleware(RequestGuard)
    problems.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router)
    reference.install(app)
    configure(app, settings, temporal=temporal, connectors=connectors, oauth_server=oauth_server)
    return app


def configure(
    app: FastAPI,
    settings: Settings | None = None,
    *,
    temporal: Client | None = None,
    connectors: Mapping[Erp, ConnectorFactory] | None = None,
    oauth_server: Callable[[ConnectionSettings], OAuthServer] | None = None,
) -> None:
    """Set what the API works with from its next start on: routes take long to build, so tests use them again.

    Settings, and the Temporal client, come from the environment unless they are given; the connectors and the OAuth
    server follow from the settings.

    Raises:
        InvalidSettings: the settings come from the environment and cannot be used.
    """
    chosen = settings or read_settings()
    quickbooks_app = registry.app_of(chosen.qbo_client_id, chosen.qbo_client_secret)

    @asynccontextmanager
    async def services() -> AsyncIterator[ServiceSet]:
        database = Database(chosen.database_url, pool_size=chosen.pool_size, lock_timeout=LOCK_TIMEOUT)
        client = temporal or await temporal_client(lazy=True)
        gate = OrderGate(places=max(2, chosen.pool_size - LEFT_TO_OTHERS))
        outbox = OutboxDelivery(database, WorkflowNotifier(client), let_others_go_first=gate.quiet)

        async def count_keys(presented: Sequence[str]) -> list[CountedKey | None]:
            async with database.statement() as session:
                return await api_key_use.count_requests(session, presented)

        try:
            yield ServiceSet(
                settings=chosen,
                database=database,
                temporal=client,
                vault=CredentialVault(chosen.credential_keys),
                connectors=connectors or registry.connectors(quickbooks_app),
                oauth_server=oauth_server or partial(OAuthServer, quickbooks_app),
                outbox=outbox,
                glances=Glances(),
                key_use=Gathered(count_keys),
                order_gate=gate,
                request_gate=RequestGate(),
            )
        finally:
            await outbox.settle()
            await database.close()

    app.state.open_services = services


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with app.state.open_services() as services:
        app.state.services = services
        await _build_routes(app)
        yield


async def _build_routes(app: FastAPI) -> None:
    """Ask the last of the routes once: the framework builds what it needs of a router when a request first comes that
    far. Whoever came first after a start waited more than a second for all of them."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://posync") as client:
        answer = await client.get("/healthz")
    assert answer.status_code == 200, "the process lives"
