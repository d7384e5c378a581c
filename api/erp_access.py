"""The few moments when a person waits for the ERP itself: signing in and proving settings."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from api.problems import Problem
from api.services import ServiceSet
from erp.connector import ConnectionCheck, ConnectionSettings, Credentials, ErpConnector
from erp.registry import SIGNING_IN
from models.domain import Erp
from models.tables import ConnectionRow

PATIENCE_SECONDS = 25
"""A person waits for this answer; an activity would wait longer."""


@asynccontextmanager
async def connector(
    services: ServiceSet,
    erp: Erp,
    endpoint: str,
    settings: Mapping[str, Any],
    preferences: Mapping[str, str],
    credentials: Mapping[str, str],
) -> AsyncIterator[ErpConnector]:
    """A connector for one question, closed afterwards. Raises ERP_UNAVAILABLE when it takes too long."""
    technical = {**settings, "timeout_seconds": min(float(settings.get("timeout_seconds", 60)), PATIENCE_SECONDS)}
    made = services.connectors[erp](
        ConnectionSettings(endpoint=endpoint, preferences=dict(preferences), **technical),
        Credentials(values=dict(credentials)),
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield made
    except TimeoutError:
        raise Problem(
            "ERP_UNAVAILABLE", f"The ERP did not answer within {PATIENCE_SECONDS} s.", headers={"Retry-After": "30"}
        ) from None
    finally:
        await made.close()


@asynccontextmanager
async def connector_of(
    services: ServiceSet, row: ConnectionRow, preferences: Mapping[str, str] | None = None
) -> AsyncIterator[ErpConnector]:
    """The connector of a connection we hold, with its own preferences unless others are given."""
    async with connector(
        services,
        Erp(row.erp),
        row.endpoint,
        row.settings,
        row.preferences if preferences is None else preferences,
        services.vault.open(row.credentials),
    ) as made:
        yield made


def check_names(erp: Erp, credentials: Mapping[str, str]) -> None:
    """Raises CREDENTIALS_INCOMPLETE naming what is absent or not known, before anybody is called."""
    signing_in = SIGNING_IN[erp]
    missing, unknown = signing_in.missing(credentials), signing_in.unknown(credentials)
    said = [f"Missing: {', '.join(missing)}."] if missing else []
    said += [f"{erp} has no use for: {', '.join(unknown)}."] if unknown else []
    if said:
        needed = ", ".join(signing_in.credentials)
        raise Problem("CREDENTIALS_INCOMPLETE", " ".join(said), fix=(f"Give exactly these names: {needed}.",))


async def sign_in(
    services: ServiceSet,
    erp: Erp,
    endpoint: str,
    settings: Mapping[str, Any],
    preferences: Mapping[str, str],
    credentials: Mapping[str, str],
) -> ConnectionCheck:
    """Prove the credentials. Raises the connector's AuthenticationFailed, or ERP_UNAVAILABLE."""
    async with connector(services, erp, endpoint, settings, preferences, credentials) as made:
        return await made.check()
