"""Opening a connection's ERP, and keeping its health visible: an outage shows as "since", bad credentials as a problem.

Connectors are kept between activities (sessions and HTTP connections are expensive) and made anew when the
connection's credentials or preferences change. Several connections of one worker never share a connector.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from activities.failures import erp_failures
from erp.connector import ConnectionSettings, ConnectorFactory, Credentials, ErpConnector
from erp.errors import AuthenticationFailed, Unavailable
from erp.issue_codes import issue_code
from models.domain import ConnectionId, Erp
from models.store import connections, sync_issues
from models.store.database import Database
from models.tables import ConnectionRow

PROBE_EVERY_SECONDS = 60.0
"""While credentials are refused, one call a minute tries again: enough to notice that the ERP's side was repaired,
too few to lock an account."""


class Vault(Protocol):
    def open(self, sealed: bytes) -> dict[str, str]: ...


class OpenConnection(NamedTuple):
    """A connection's settings as they are now, and its ERP."""

    row: ConnectionRow
    erp: ErpConnector


@dataclass
class _Kept:
    """A connector, the settings it was made for, and how many activities use it now."""

    made_for: str
    erp: ErpConnector
    users: int = 0


class Connections:
    """All connections of one worker process."""

    def __init__(self, database: Database, vault: Vault, factories: Mapping[Erp, ConnectorFactory]) -> None:
        self._database = database
        self._vault = vault
        self._factories = factories
        self._kept: dict[ConnectionId, _Kept] = {}
        self._last_probe: dict[ConnectionId, float] = {}
        self._making = asyncio.Lock()

    @asynccontextmanager
    async def open(self, connection_id: ConnectionId) -> AsyncIterator[OpenConnection]:
        """The connection's ERP for one activity. Its errors leave as Temporal failures, its health is recorded."""
        async with self._database.statement() as session:
            row = await connections.get(session, connection_id)
        assert row is not None, f"connection {connection_id} does not exist"
        with erp_failures():
            self._hold_back(row)
            try:
                async with self._in_use(row) as erp:
                    yield OpenConnection(row, erp)
            except Unavailable as error:
                async with self._database.transaction() as session:
                    await connections.mark_outage(session, connection_id, error.code, error.message, datetime.now(UTC))
                raise
            except AuthenticationFailed as error:
                await self._refused(row, error)
                error.retry_after = error.retry_after or timedelta(seconds=PROBE_EVERY_SECONDS)
                raise
        if row.outage_since is not None or row.problem_code is not None:
            await self._healthy(row)

    async def close(self) -> None:
        for kept in self._kept.values():
            await kept.erp.close()
        self._kept.clear()

    def _hold_back(self, row: ConnectionRow) -> None:
        if row.state != "authentication_failed":
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
        """The connection's connector. One that was replaced meanwhile is closed by whoever used it last."""
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
        made_for = json.dumps([row.endpoint, row.settings, row.preferences, row.credentials_version], sort_keys=True)
        async with self._making:
            kept = self._kept.get(connection_id)
            if kept is None or kept.made_for != made_for:
                settings = ConnectionSettings(endpoint=row.endpoint, preferences=row.preferences, **row.settings)
                credentials = Credentials(values=self._vault.open(row.credentials))
                old, kept = kept, _Kept(made_for, self._factories[Erp(row.erp)](settings, credentials))
                self._kept[connection_id] = kept
                if old is not None and old.users == 0:
                    await old.erp.close()
            return kept

    async def _refused(self, row: ConnectionRow, error: AuthenticationFailed) -> None:
        code = issue_code(error.code)
        async with self._database.transaction() as session:
            await connections.mark_authentication_failed(session, ConnectionId(row.id), error.code, error.message)
            await sync_issues.open_issue(
                session,
                organization_id=row.organization_id,
                connection_id=row.id,
                subject_kind="connection",
                subject_id=row.id,
                code=error.code,
                title=code.title,
                cause=error.message,
                fix=code.fix,
                who=code.who,
                evidence=error.evidence,
                workflow_id=None,
            )

    async def _healthy(self, row: ConnectionRow) -> None:
        async with self._database.transaction() as session:
            if await connections.mark_healthy(session, ConnectionId(row.id)):
                await sync_issues.close_for_subject(session, ConnectionId(row.id), "connection", row.id, actor="posync")
        self._last_probe.pop(ConnectionId(row.id), None)
