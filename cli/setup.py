"""What must be there before the first process: schema, search attributes, organizations and their keys.

The database layer and the Temporal SDK are imported where they are used: most commands start faster than these load.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple, cast

from models.domain import OrganizationId

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from models.store.organizations import Role
    from settings import Settings


class SignedUp(NamedTuple):
    organization_id: str
    key: str
    """In plain text, for the only time; stored as a hash."""


@asynccontextmanager
async def _transaction(database_url: str) -> AsyncIterator["AsyncSession"]:
    from models.store.database import Database

    database = Database(database_url, pool_size=1)
    try:
        async with database.transaction() as session:
            yield session
    finally:
        await database.close()


async def migrate_database(url: str) -> None:
    """Bring the schema up to date; nothing happens when it is."""
    from models.store.database import Database

    database = Database(url, pool_size=1)
    try:
        await database.migrate()
    finally:
        await database.close()


async def prepare_namespace() -> list[str]:
    """Register our search attributes where they are missing (`TEMPORAL_*` says where).

    Answers what a person must do instead, if anything.
    """
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
    from temporalio.service import RPCError

    from settings import temporal_client
    from workflows.contract import SEARCH_ATTRIBUTES

    client = await temporal_client()
    operator, namespace = client.operator_service, client.namespace
    try:
        known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
        missing = [key.name for key in SEARCH_ATTRIBUTES if key.name not in known.custom_attributes]
        if missing:
            keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
            await operator.add_search_attributes(
                AddSearchAttributesRequest(namespace=namespace, search_attributes=dict.fromkeys(missing, keyword))
            )
    except RPCError as error:
        # Temporal Cloud has no operator service: there an administrator adds them.
        names = ", ".join(key.name for key in SEARCH_ATTRIBUTES)
        return [f"search attributes could not be registered ({error.message}); add these keywords yourself: {names}"]
    return []


async def sign_up(database_url: str, name: str, *, label: str) -> SignedUp:
    """Make an organization with an administrator's key."""
    from models.store import organizations

    async with _transaction(database_url) as session:
        organization_id = await organizations.create_organization(session, name)
        key = await organizations.create_api_key(session, organization_id, "admin", label)
        return SignedUp(organization_id, key)


async def list_organizations(database_url: str) -> list[tuple[str, str, str]]:
    """Id, name, and the id of the console it is a client of, or nothing."""
    from models.store import organizations

    async with _transaction(database_url) as session:
        rows = await organizations.list_organizations(session)
        return [(row.id, row.name, row.console_id or "") for row in rows]


async def link_client(database_url: str, client_id: str, console_id: str) -> bool:
    """Make one organization the client of another's console. False: it was already. Raises ValueError if it cannot."""
    from models.store import clients

    async with _transaction(database_url) as session:
        return await clients.link(session, OrganizationId(client_id), OrganizationId(console_id))


async def unlink_client(database_url: str, client_id: str) -> str | None:
    """Take an organization from its console. Gives that console; None: it had none."""
    from models.store import clients

    async with _transaction(database_url) as session:
        return await clients.unlink(session, OrganizationId(client_id))


async def create_key(database_url: str, organization_id: str, *, role: str, label: str) -> str:
    """Another key of an organization, in plain text. Raises ValueError for a role we do not have."""
    from models.store import organizations

    async with _transaction(database_url) as session:
        return await organizations.create_api_key(session, OrganizationId(organization_id), cast("Role", role), label)


async def list_keys(database_url: str, organization_id: str) -> list[tuple[str, str, str, str]]:
    from models.store import organizations

    async with _transaction(database_url) as session:
        rows = await organizations.list_api_keys(session, OrganizationId(organization_id))
        return [(row.id, row.role, row.label, "revoked" if row.revoked_at else "in use") for row in rows]


async def key_is_in_use(database_url: str, key: str) -> bool:
    """Whether this database knows the key: it may belong to another one, or be revoked."""
    from models.store import organizations

    async with _transaction(database_url) as session:
        return await organizations.find_api_key(session, key) is not None


async def revoke_key(database_url: str, organization_id: str, key_id: str) -> bool:
    from models.store import organizations

    async with _transaction(database_url) as session:
        return await organizations.revoke_api_key(session, OrganizationId(organization_id), key_id)


async def rotate_credentials(settings: "Settings") -> int:
    """Seal every connection's credentials with the newest key. Answers how many."""
    from models.store.credentials import CredentialVault

    async with _transaction(settings.database_url) as session:
        return await CredentialVault(settings.credential_keys).rotate_all(session)
