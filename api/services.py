"""What the routes work with, built once per process and handed to them; nothing global."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from temporalio.client import Client

from erp.connector import ConnectorFactory
from models.domain import Erp
from models.store.credentials import CredentialVault
from models.store.database import Database
from settings import Settings


@dataclass(frozen=True, slots=True)
class ServiceSet:
    settings: Settings
    database: Database
    temporal: Client
    vault: CredentialVault
    connectors: Mapping[Erp, ConnectorFactory]


def _services(request: Request) -> ServiceSet:
    return cast("ServiceSet", request.app.state.services)


Services = Annotated[ServiceSet, Depends(_services)]
