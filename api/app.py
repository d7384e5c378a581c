"""The application: services built once, routes put together, every error a problem.

Run it with `uvicorn api.app:create_app --factory`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from temporalio.client import Client

from api import (
    bill_matching,
    bills,
    closed_periods,
    connection_settings,
    connections,
    console,
    health,
    line_suggestions,
    notices,
    order_bills,
    payments,
    policy_preview,
    problems,
    purchase_orders,
    reference,
    reports,
    suggested_draft,
    sync_issues,
    syncs,
    tolerance_policies,
    unit_factors,
)
from api.exact import Readable
from api.services import ServiceSet
from erp.connector import ConnectorFactory
from erp.registry import CONNECTORS
from models.domain import Erp
from models.store.credentials import CredentialVault
from models.store.database import Database
from settings import Settings, settings_from_environment, temporal_client

ABOUT = """
posync keeps purchase orders, the bills against them and their payments in step with the ERP.

Purchase orders are made in the ERP and view-only here. Every `POST` takes an `Idempotency-Key`: the same key and body
get the same answer. Every edit takes `If-Match`. Every error is a problem (RFC 9457) with a `code`, `fix` and `who`.
"""


def create_app(
    settings: Settings | None = None,
    *,
    temporal: Client | None = None,
    connectors: Mapping[Erp, ConnectorFactory] = CONNECTORS,
) -> FastAPI:
    """The API. Settings come from the environment unless given; so do Temporal's."""
    chosen = settings or settings_from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(chosen.database_url, pool_size=chosen.pool_size)
        try:
            app.state.services = ServiceSet(
                settings=chosen,
                database=database,
                temporal=temporal or await temporal_client(lazy=True),
                vault=CredentialVault(chosen.credential_keys),
                connectors=connectors,
            )
            yield
        finally:
            await database.close()

    app = FastAPI(
        title="posync",
        version="1",
        description=ABOUT,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # ours, see `reference`
        redoc_url=None,
    )
    app.add_middleware(Readable)
    problems.install(app)
    for resource in (
        connections,
        connection_settings,
        closed_periods,
        syncs,
        purchase_orders,
        order_bills,
        line_suggestions,
        suggested_draft,
        bills,
        bill_matching,
        payments,
        policy_preview,
        tolerance_policies,
        unit_factors,
        sync_issues,
        notices,
        reports,
        console,
        health,
    ):
        app.include_router(resource.router)
    reference.install(app)
    _document_problems(app)
    return app


def _document_problems(app: FastAPI) -> None:
    """Let the documentation say that every error answer is a problem, the framework's own included."""
    plain = app.openapi

    def documented() -> dict[str, Any]:
        if app.openapi_schema is None:
            problems.describe(plain())
        assert app.openapi_schema is not None, "it was just made"
        return app.openapi_schema

    app.openapi = documented  # type: ignore[method-assign]
