"""Hold what the routes work with. It is built once per process and passed to them; nothing is global."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from temporalio.client import Client

from api.http.order_gate import OrderGate
from api.http.request_gate import RequestGate
from erp.connection import ConnectionSettings
from erp.connector import ConnectorFactory
from erp.quickbooks_online.oauth import OAuthServer
from models.domain.connections import Erp
from models.store.base.database import Database
from models.store.base.gathered import Gathered
from models.store.connections.api_key_use import CountedKey
from models.store.connections.credentials import CredentialVault
from services.outbox.delivery import OutboxDelivery
from settings import Settings
from temporal_gateway.glances import Glances


@dataclass(frozen=True, slots=True)
class ServiceSet:
    settings: Settings
    database: Database
    temporal: Client
    vault: CredentialVault
    connectors: Mapping[Erp, ConnectorFactory]
    oauth_server: Callable[[ConnectionSettings], OAuthServer]
    """Makes what talks to Intuit's OAuth server for a connection."""
    outbox: OutboxDelivery
    glances: Glances
    key_use: Gathered[str, CountedKey | None]
    """Counts a request by the API key that it presents."""
    order_gate: OrderGate
    request_gate: RequestGate


async def _services(request: Request) -> ServiceSet:  # a plain function would take a thread for each request
    return cast("ServiceSet", request.app.state.services)


Services = Annotated[ServiceSet, Depends(_services)]
