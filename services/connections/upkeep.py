"""Keep connections alive that nobody uses: refresh idle authorizations, announce those that end, and repeat hints.

QuickBooks ends an authorization that is not refreshed for a hundred days, and every one after five years.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connection import ConnectionSettings
from erp.errors import ErpError
from erp.quickbooks_online.access import ENDED, Access, expiry
from erp.quickbooks_online.oauth import OAuthServer
from models.domain.connections import ConnectionState, Erp
from models.domain.ids import SYNCER, ConnectionId
from models.store.audit import sync_issues
from models.store.base.database import Database
from models.store.connections import connections, web_connector
from models.store.connections.tokens import StoredTokens
from models.store.sync import change_hints
from models.tables import ConnectionRow
from services.connections.authorization import SUBJECT, Vault, settings_of
from services.sync.due import owe_sync_of
from services.web_connector.troubles import SILENT

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=10)

IDLE_AFTER = timedelta(days=30)
"""After so long without a refresh an authorization is refreshed, used or not."""

SILENT_AFTER = timedelta(minutes=10)
"""How much longer than two of its own intervals a Web Connector may be silent."""

KEPT_SESSIONS = timedelta(days=30)

ANNOUNCED = timedelta(days=60)
"""How long before its end an authorization is announced to end."""


class Upkeep:
    """Looks after the connections of one installation. One instance per worker; two at once do no harm."""

    def __init__(
        self, database: Database, vault: Vault, oauth_server: Callable[[ConnectionSettings], OAuthServer]
    ) -> None:
        self._database = database
        self._vault = vault
        self._oauth_server = oauth_server

    async def keep_looking(self, stop: asyncio.Event) -> None:
        """Look after the connections every few minutes until `stop`."""
        while not stop.is_set():
            try:
                await self.look(datetime.now(UTC))
            except Exception:  # no database for a while: the next pass does what this one did not
                log.exception("connections were not looked after; trying again in %s", LOOK_EVERY)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY.total_seconds())

    async def look(self, now: datetime) -> None:
        """Do what is due now."""
        async with self._database.transaction() as session:
            for hint in await change_hints.overdue(session):
                await owe_sync_of(
                    session,
                    hint.connection_id,
                    hint.organization_id,
                    request_key=f"webhook {hint.received_at.isoformat()}",
                )
            await self._look_at_web_connectors(session, now)
        async with self._database.statement() as session:
            rows = await connections.of_erp(
                session, Erp.QUICKBOOKS_ONLINE, (ConnectionState.READY, ConnectionState.NEEDS_PREFERENCES)
            )
        for row in rows:
            try:
                await self._look_at_authorization(row, now)
            except Exception:  # the others end too if nobody refreshes them
                log.exception("the authorization of %s was not looked after; trying again in %s", row.id, LOOK_EVERY)

    async def _look_at_authorization(self, row: ConnectionRow, now: datetime) -> None:
        store = StoredTokens(self._database, self._vault, ConnectionId(row.id))
        tokens = await store.current()
        if tokens.get(ENDED) or not tokens.get("refresh_token"):
            return
        if expiry(tokens, "refreshed_at") < now - IDLE_AFTER:
            await self._refresh(row, store, tokens)
        if tokens.get("grant_ends_at") and expiry(tokens, "grant_ends_at") < now + ANNOUNCED:
            await self._announce(row, tokens["grant_ends_at"])

    @staticmethod
    async def _look_at_web_connectors(session: AsyncSession, now: datetime) -> None:
        """Report Web Connectors that are silent for too long, and close the issue of those that called again."""
        await web_connector.forget_sessions(session, KEPT_SESSIONS)
        for one in await web_connector.silence(session, now, SILENT_AFTER):
            since = f"{one.last_contact_at:%Y-%m-%d %H:%M} UTC"
            if not one.silent:
                await sync_issues.close_for_subject(
                    session, one.connection_id, "connection", one.connection_id, [SILENT], actor=SYNCER
                )
                await connections.mark_healthy(session, one.connection_id)
                continue
            cause = f"The Web Connector called last at {since}; it is set to call every {one.every_minutes} minutes."
            await connections.mark_outage(session, one.connection_id, SILENT, cause, one.last_contact_at)
            await sync_issues.open_issue(
                session,
                SILENT,
                connection_id=one.connection_id,
                subject_kind="connection",
                subject_id=one.connection_id,
                cause=cause,
                evidence={"last_contact": since, "every_minutes": str(one.every_minutes)},
            )

    async def _refresh(self, row: ConnectionRow, store: StoredTokens, tokens: Mapping[str, str]) -> None:
        try:
            await Access(self._oauth_server(settings_of(row)), store).renew(tokens)
        except ErpError as error:
            # The next pass tries again; a grant that is over shows when the connection is used, or here below.
            log.warning("the idle authorization of %s was not refreshed: %s", row.id, error.message)
            if error.code == "AUTH_RECONNECT":
                async with self._database.transaction() as session:
                    await connections.mark_authentication_failed(
                        session, ConnectionId(row.id), error.code, error.message
                    )
                    await sync_issues.open_issue(
                        session,
                        error.code,
                        connection_id=row.id,
                        subject_kind="connection",
                        subject_id=row.id,
                        cause=error.message,
                        evidence=error.evidence,
                    )

    async def _announce(self, row: ConnectionRow, ends_at: str) -> None:
        async with self._database.transaction() as session:
            if await sync_issues.is_open(session, ConnectionId(row.id), "AUTH_GRANT_ENDS"):
                return
            await sync_issues.open_issue(
                session,
                "AUTH_GRANT_ENDS",
                connection_id=row.id,
                subject_kind=SUBJECT,
                subject_id=row.id,
                evidence={"ends_at": ends_at},
            )
