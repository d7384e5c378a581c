"""Authorize a connection by consent, and end its authorization."""

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from erp.connection import ConnectionCheck, ConnectionSettings
from erp.quickbooks_online.access import ENDED
from erp.quickbooks_online.oauth import OAuthServer
from models.domain.connections import ConnectionState
from models.domain.ids import ConnectionId, OrganizationId
from models.store.audit import sync_issues
from models.store.audit.outbox import OutboxMessage
from models.store.base.database import Database
from models.store.connections import connections, consents
from models.store.connections.tokens import StoredTokens
from models.tables import ConnectionRow, ConsentRow
from services.sync.due import begin_syncing

SUBJECT = "authorization"
"""Subject of the issues about the grant itself; their subject id is the connection's id."""

_COMPANY = re.compile(r"\d{1,25}")


class Vault(Protocol):
    """Encrypts and decrypts values (`models.store.connections.credentials.CredentialVault`)."""

    def seal(self, values: Mapping[str, str]) -> bytes: ...

    def open(self, sealed: bytes) -> dict[str, str]: ...


class GivenTokens:
    """Tokens that were issued a moment ago and are not stored yet: a `TokenStore` for one check."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = dict(tokens)

    async def current(self) -> Mapping[str, str]:
        """Return the tokens."""
        return self._tokens

    async def rotate(
        self, old: Mapping[str, str], refresh: Callable[[Mapping[str, str]], Awaitable[Mapping[str, str]]]
    ) -> Mapping[str, str]:
        """Return the same tokens: what was issued a moment ago is not refreshed, so a refusal of it is final."""
        return self._tokens


def settings_of(row: ConnectionRow) -> ConnectionSettings:
    """Return the technical settings of a connection."""
    return ConnectionSettings(endpoint=row.endpoint, **row.settings)


def is_company(value: str) -> bool:
    """Return whether a consent names a company in the form in which QuickBooks numbers them."""
    return _COMPANY.fullmatch(value) is not None


async def begin(
    database: Database,
    vault: Vault,
    server: OAuthServer,
    row: ConnectionRow,
    *,
    started_by: str,
    api_key_id: str,
    redirect: str,
) -> str:
    """Store a consent under a fresh state and return the state.

    Raises:
        ErpError: the ERP's description of its pages cannot be read.
    """
    discovery = await server.discover()
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(48) if discovery.takes_pkce else None
    page = server.authorization_url(discovery, redirect=redirect, state=state, verifier=verifier)
    async with database.transaction() as session:
        await consents.begin(
            session,
            state,
            organization_id=OrganizationId(row.organization_id),
            connection_id=ConnectionId(row.id),
            started_by=started_by,
            api_key_id=api_key_id,
            page=vault.seal({"page": page}),
            redirect=redirect,
            verifier=None if verifier is None else vault.seal({"verifier": verifier}),
        )
    return state


def page_of(vault: Vault, consent: ConsentRow) -> str:
    """Return the address of the ERP's own page, on which a person consents."""
    assert consent.page is not None, "a consent that may go on has its page"
    return vault.open(bytes(consent.page))["page"]


async def exchange(vault: Vault, server: OAuthServer, consent: ConsentRow, code: str, company: str) -> dict[str, str]:
    """Return the tokens for a consent.

    Raises:
        ErpError: the ERP refuses the code, or is away.
    """
    verifier = None if consent.verifier is None else vault.open(bytes(consent.verifier))["verifier"]
    tokens = await server.exchange(code, redirect=consent.redirect, verifier=verifier)
    return {**tokens, "realm": company}


async def let_in(
    session: AsyncSession,
    vault: Vault,
    row: ConnectionRow,
    consent: ConsentRow,
    tokens: Mapping[str, str],
    check: ConnectionCheck,
) -> tuple[ConnectionRow, tuple[OutboxMessage, ...]]:
    """Store the tokens and what the ERP says of the company; the connection is owed a sync run, and its schedule.

    Who signs in is who consented: a company may have connections of several organizations.

    Raises:
        ConnectionTaken: this person has connected this company already.
    """
    connection_id = ConnectionId(row.id)
    if row.state == ConnectionState.PENDING_AUTHORIZATION:
        await connections.authorize(
            session,
            connection_id,
            company=check.company,
            user_name=consent.started_by,
            entity=check.entity,
            capabilities=check.capabilities.model_dump(mode="json"),
            base_currency=check.base_currency,
        )
    await connections.save_credentials(session, connection_id, vault.seal(tokens))
    await sync_issues.close_for_subject(
        session, connection_id, "connection", row.id, codes=None, actor=consent.started_by
    )
    await sync_issues.close_for_subject(session, connection_id, SUBJECT, row.id, actor=consent.started_by)
    stored = await connections.get(session, connection_id)
    assert stored is not None, "it was just authorized"
    due = await begin_syncing(session, stored, request_key=f"{stored.id} {stored.version}")
    return stored, due


async def end(database: Database, vault: Vault, server: OAuthServer, row: ConnectionRow, *, actor: str) -> None:
    """Revoke a connection's grant, and keep that nobody uses its tokens any more.

    Raises:
        ErpError: the ERP is away; the grant may still be good.
    """
    connection_id = ConnectionId(row.id)
    store = StoredTokens(database, vault, connection_id)

    async def revoked(tokens: Mapping[str, str]) -> Mapping[str, str]:
        if not tokens.get(ENDED) and tokens.get("refresh_token"):
            await server.revoke(tokens["refresh_token"])
        return {**tokens, "access_token": "", ENDED: f"disconnected by {actor}"}

    # Under the row's lock, so that no worker refreshes meanwhile; a token that was just rotated is the one revoked.
    tokens = await store.current()
    while not (tokens := await store.rotate(tokens, revoked)).get(ENDED):
        pass
    async with database.transaction() as session:
        await connections.mark_authentication_failed(
            session, connection_id, "AUTH_RECONNECT", f"The authorization was ended by {actor}."
        )
