"""Ask the ERP while a person waits: sign in, and check settings."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from api.http.problems import Problem
from api.http.services import ServiceSet
from erp.connection import ConnectionCheck, ConnectionSettings
from erp.connector import ErpConnector
from erp.registry import CREDENTIALS_SPECS
from erp.sign_in import Credentials
from erp.storage import Storage
from erp.tokens import TokenStore
from models.domain.connections import Erp
from models.domain.ids import ConnectionId
from models.store.audit.exchanges import Waiter
from models.store.connections.tokens import StoredTokens
from models.tables import ConnectionRow
from services.exchanges import StoredExchanges
from services.reads import StoredReads

PATIENCE_SECONDS = 25
"""The longest a person waits for the ERP's answer, in seconds; an activity waits longer."""


@asynccontextmanager
async def connector(
    services: ServiceSet,
    row: ConnectionRow,
    *,
    preferences: Mapping[str, str] | None = None,
    credentials: Mapping[str, str] | None = None,
    tokens: TokenStore | None = None,
) -> AsyncIterator[ErpConnector]:
    """Open a connector of a stored connection for one question, and close it afterwards. It uses the connection's own
    preferences, credentials and tokens unless others are given.

    Raises:
        Problem: ERP_UNAVAILABLE, when the ERP takes longer than `PATIENCE_SECONDS`.
    """
    connection_id = ConnectionId(row.id)
    technical = {**row.settings, "timeout_seconds": min(row.settings.get("timeout_seconds", 60), PATIENCE_SECONDS)}
    made = services.connectors[Erp(row.erp)](
        ConnectionSettings(
            endpoint=row.endpoint,
            preferences=dict(row.preferences if preferences is None else preferences),
            facts=dict(row.erp_facts),
            **technical,
        ),
        Credentials(values=dict(services.vault.open(row.credentials) if credentials is None else credentials)),
        Storage(
            tokens or StoredTokens(services.database, services.vault, connection_id),
            # A fresh key each time: a person's question is never answered from an earlier exchange.
            StoredExchanges(services.database, connection_id, lambda: Waiter("", "", uuid.uuid4().hex)),
            StoredReads(services.database, connection_id),
        ),
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


def check_names(erp: Erp, credentials: Mapping[str, str]) -> None:
    """Check the names of the credentials before the ERP is called.

    Raises:
        Problem: CREDENTIALS_INCOMPLETE, naming those that are missing or unknown.
    """
    credentials_spec = CREDENTIALS_SPECS[erp]
    missing, unknown = credentials_spec.missing(credentials), credentials_spec.unknown(credentials)
    said = [f"Missing: {', '.join(missing)}."] if missing else []
    said += [f"{erp} has no use for: {', '.join(unknown)}."] if unknown else []
    if said:
        needed = ", ".join(credentials_spec.names)
        raise Problem("CREDENTIALS_INCOMPLETE", " ".join(said), fix=(f"Give exactly these names: {needed}.",))


async def sign_in(
    services: ServiceSet, row: ConnectionRow, credentials: Mapping[str, str] | None = None
) -> ConnectionCheck:
    """Sign in to the ERP with the connection's credentials, or with others for it, and return what the ERP says of the
    connection.

    Raises:
        AuthenticationFailed: the ERP refused the credentials.
        Problem: ERP_UNAVAILABLE.
    """
    async with connector(services, row, credentials=credentials) as made:
        return await made.check()
