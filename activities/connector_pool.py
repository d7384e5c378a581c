"""Open a connection's ERP and record its health: an outage shows as "since", bad credentials as a problem.

Connectors are kept between activities (sessions and HTTP connections are expensive) and made again when the
connection's credentials or preferences change. Several connections of one worker never share a connector.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from temporalio import activity

from activities.failures import erp_failures
from activities.time_limits import attempt_limit
from erp.connection import ConnectionSettings
from erp.connector import ConnectorFactory, ErpConnector
from erp.errors import AuthenticationFailed, ErpError, OutcomeUnknown, Throttled, Unavailable
from erp.sign_in import Credentials
from erp.storage import Storage
from erp.time_budgets import ErpWork
from models.domain.connections import ConnectionState, Erp
from models.domain.ids import SYNCER, ConnectionId
from models.store.audit import sync_issues
from models.store.audit.exchanges import Waiter
from models.store.base.database import Database
from models.store.connections import connections
from models.store.connections.tokens import StoredTokens
from models.tables import ConnectionRow
from services.exchanges import StoredExchanges
from services.mirrored_lists import MirroredLists
from services.reads import StoredReads
from services.request_ids import StoredRequestIds
from services.web_connector.troubles import KEPT_BY_THE_DOOR

PROBE_EVERY_SECONDS = 60.0
"""While credentials are refused, one call a minute tries again: enough to notice a repair on the ERP's side, too few to
lock an account."""

LATER_AFTER_A_THROTTLE = 0.5
"""How much longer than the ERP says an attempt waits at most, as a part of that."""


QUOTA = "ERP_QUOTA"
"""The code of a throttle that lasts until the next month."""


class Vault(Protocol):
    """Encrypts and decrypts credentials (`models.store.connections.credentials.CredentialVault`)."""

    def seal(self, values: Mapping[str, str]) -> bytes: ...

    def open(self, sealed: bytes) -> dict[str, str]: ...


class OpenConnection(NamedTuple):
    """A connection's current settings, and its ERP."""

    row: ConnectionRow
    erp: ErpConnector


@dataclass
class _Kept:
    """A connector, the settings that it was made for, and how many activities use it now."""

    made_for: str
    erp: ErpConnector
    users: int = 0


class Connections:
    """The connectors of all connections of one worker process."""

    def __init__(self, database: Database, vault: Vault, factories: Mapping[Erp, ConnectorFactory]) -> None:
        self._database = database
        self._vault = vault
        self._factories = factories
        self._kept: dict[ConnectionId, _Kept] = {}
        self._last_probe: dict[ConnectionId, float] = {}
        self._making = asyncio.Lock()

    @asynccontextmanager
    async def open(self, connection_id: ConnectionId, work: ErpWork) -> AsyncIterator[OpenConnection]:
        """Open the connection's ERP for one attempt at this kind of work, and record its health.

        An attempt that hangs is ended after what its calls may take on this connection: a write is then in doubt.

        Raises:
            ApplicationError: The ERP call failed; every `ErpError` becomes a Temporal failure
                (`activities/failures.py`).
        """
        async with self._database.statement() as session:
            row = await connections.get(session, connection_id)
        assert row is not None, f"connection {connection_id} does not exist"
        with erp_failures():
            self._hold_back(row)
            try:
                async with self._in_use(row) as erp, _limited(row, work):
                    yield OpenConnection(row, erp)
            except Unavailable as error:
                async with self._database.transaction() as session:
                    await connections.mark_outage(session, connection_id, error.code, error.message, datetime.now(UTC))
                raise
            except Throttled as error:
                if error.code == QUOTA:
                    await self._quota_used_up(row, error)
                elif error.retry_after is not None:
                    # What was throttled together must not come back together: it would be throttled again, for ever.
                    error.retry_after *= 1 + random.random() * LATER_AFTER_A_THROTTLE
                raise
            except AuthenticationFailed as error:
                await self._refused(row, error)
                error.retry_after = error.retry_after or timedelta(seconds=PROBE_EVERY_SECONDS)
                raise
        if (row.outage_since is not None or row.problem_code is not None) and not _is_kept_by_the_door(row):
            await self._healthy(row)

    async def close(self) -> None:
        """Close all connectors."""
        for kept in self._kept.values():
            await kept.erp.close()
        self._kept.clear()

    def _hold_back(self, row: ConnectionRow) -> None:
        if row.state != ConnectionState.AUTHENTICATION_FAILED:
            return
        connection_id = ConnectionId(row.id)
        now = time.monotonic()
        if now - self._last_probe.get(connection_id, float("-inf")) >= PROBE_EVERY_SECONDS:
            self._last_probe[connection_id] = now
            return
        raise AuthenticationFailed(
            row.problem_message or "the ERP refuses these credentials",
            code=row.problem_code or "AUTH_BAD_CREDENTIALS",
            retry_after=timedelta(seconds=5),
        )

    @asynccontextmanager
    async def _in_use(self, row: ConnectionRow) -> AsyncIterator[ErpConnector]:
        """Yield the connection's connector. The last user of a connector that was replaced meanwhile closes it."""
        kept = await self._connector(row)
        kept.users += 1
        try:
            yield kept.erp
        finally:
            kept.users -= 1
            if kept.users == 0 and self._kept.get(ConnectionId(row.id)) is not kept:
                await kept.erp.close()

    async def _connector(self, row: ConnectionRow) -> _Kept:
        connection_id = ConnectionId(row.id)
        made_for = json.dumps(
            [row.endpoint, row.settings, row.preferences, row.erp_facts, row.credentials_version], sort_keys=True
        )
        async with self._making:
            kept = self._kept.get(connection_id)
            if kept is None or kept.made_for != made_for:
                settings = ConnectionSettings(
                    endpoint=row.endpoint, preferences=row.preferences, facts=row.erp_facts, **row.settings
                )
                credentials = Credentials(values=self._vault.open(row.credentials))
                storage = Storage(
                    StoredTokens(self._database, self._vault, connection_id),
                    StoredExchanges(self._database, connection_id, _waiting_activity),
                    StoredReads(self._database, connection_id),
                    MirroredLists(self._database, connection_id),
                    StoredRequestIds(self._database),
                )
                made = self._factories[Erp(row.erp)](settings, credentials, storage)
                old, kept = kept, _Kept(made_for, made)
                self._kept[connection_id] = kept
                if old is not None and old.users == 0:
                    await old.erp.close()
            return kept

    async def _quota_used_up(self, row: ConnectionRow, error: ErpError) -> None:
        """Report once that the month's reads are used up; the issue stays open until a sync run ends well."""
        async with self._database.transaction() as session:
            await sync_issues.open_issue(
                session,
                error.code,
                connection_id=row.id,
                subject_kind="connection",
                subject_id=row.id,
                cause=error.message,
                evidence=error.evidence,
            )

    async def _refused(self, row: ConnectionRow, error: AuthenticationFailed) -> None:
        async with self._database.transaction() as session:
            await connections.mark_authentication_failed(session, ConnectionId(row.id), error.code, error.message)
            await sync_issues.open_issue(
                session,
                error.code,
                connection_id=row.id,
                subject_kind="connection",
                subject_id=row.id,
                cause=error.message,
                evidence=error.evidence,
            )

    async def _healthy(self, row: ConnectionRow) -> None:
        async with self._database.transaction() as session:
            if await connections.mark_healthy(session, ConnectionId(row.id)):
                await sync_issues.close_for_subject(session, ConnectionId(row.id), "connection", row.id, actor=SYNCER)
        self._last_probe.pop(ConnectionId(row.id), None)


def _is_kept_by_the_door(row: ConnectionRow) -> bool:
    """Return whether only a call of the ERP's program ends the connection's problem."""
    return row.problem_code in KEPT_BY_THE_DOOR and row.state != ConnectionState.AUTHENTICATION_FAILED


@asynccontextmanager
async def _limited(row: ConnectionRow, work: ErpWork) -> AsyncIterator[None]:
    """End an attempt that takes longer than its calls may on this connection.

    Raises:
        OutcomeUnknown: A write hung.
        Unavailable: A read hung.
    """
    erp = Erp(row.erp)
    seconds = ConnectionSettings(endpoint=row.endpoint, **row.settings).timeout_seconds
    limit = attempt_limit(erp, work, seconds)
    cut = asyncio.timeout(limit.total_seconds())
    try:
        async with cut:
            yield
    except TimeoutError as error:
        if not cut.expired():
            raise
        message = f"the attempt did not end within {limit}"
        if work is ErpWork.WRITE:
            raise OutcomeUnknown(message, code="OUTCOME_UNKNOWN") from error
        raise Unavailable(message, code="ERP_NO_ANSWER") from error


def _waiting_activity() -> Waiter:
    """Return the current activity as the one to notify of the answer that it waits for."""
    if not activity.in_activity():
        return Waiter("", "", "")
    info = activity.info()
    return Waiter(info.workflow_id or "", info.workflow_run_id or "", info.activity_id)
