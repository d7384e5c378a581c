"""Prepare what must exist before the first process: schema, search attributes, organizations and their keys.

The database layer and the Temporal SDK are imported where they are used: most commands start faster than these load.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from models.domain.ids import OrganizationId

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from models.store.connections.organizations import Role
    from models.store.payables.statuses import Outside
    from settings import Settings


class SignedUp(NamedTuple):
    organization_id: str
    key: str
    """In plain text, only this once; it is stored as a hash."""


@asynccontextmanager
async def _transaction(database_url: str) -> AsyncIterator["AsyncSession"]:
    from models.store.base.database import Database, reachable

    database = Database(database_url, pool_size=1)
    try:
        with reachable(database_url):
            async with database.transaction() as session:
                yield session
    finally:
        await database.close()


async def migrate_database(url: str) -> None:
    """Bring the schema up to date; do nothing if it is.

    Raises:
        DatabaseUnreachable: the database cannot be used.
    """
    from models.store.base.database import Database, reachable

    database = Database(url, pool_size=1)
    try:
        with reachable(url):
            await database.migrate()
    finally:
        await database.close()


async def examine(url: str) -> "Sequence[Outside]":
    """Return the bills, payments and source orders that are in no situation of the tables of states.

    Raises:
        DatabaseUnreachable: the database cannot be used.
    """
    from models.store.payables import statuses
    from models.store.source_orders import situations

    async with _transaction(url) as session:
        return [*await statuses.outside(session), *await situations.outside(session)]


async def prepare_namespace() -> list[str]:
    """Register the search attributes that are missing (`TEMPORAL_*` says where), and return what a person must do
    instead, if anything.

    Raises:
        TemporalUnreachable: Temporal does not answer.
    """
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
    from temporalio.service import RPCError, RPCStatusCode

    from models.contract import ATTRIBUTE_TYPES, SEARCH_ATTRIBUTES
    from settings import TemporalUnreachable, temporal_client

    client = await temporal_client()
    operator, namespace = client.operator_service, client.namespace
    try:
        known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
        missing = [key.name for key in SEARCH_ATTRIBUTES if key.name not in known.custom_attributes]
        if missing:
            wanted: dict[str, Any] = {key.name: key.indexed_value_type for key in SEARCH_ATTRIBUTES}
            wanted = {name: wanted[name] for name in missing}
            await operator.add_search_attributes(
                AddSearchAttributesRequest(namespace=namespace, search_attributes=wanted)
            )
    except RPCError as error:
        if error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
            raise TemporalUnreachable(f"Temporal stopped answering ({error.message}): look into its log") from error
        # Temporal Cloud has no operator service: there an administrator adds them.
        names = ", ".join(f"{name} ({kind})" for name, kind in ATTRIBUTE_TYPES.items())
        return [f"search attributes could not be registered ({error.message}); add them yourself: {names}"]
    return []


async def sign_up(database_url: str, name: str, *, label: str, acts_for_people: bool = False) -> SignedUp:
    """Create an organization with an administrator's key, which may be given the right to act for people."""
    from models.store.connections import organizations

    async with _transaction(database_url) as session:
        organization_id = await organizations.create_organization(session, name)
        key = await organizations.create_api_key(
            session, organization_id, "admin", label, acts_for_people=acts_for_people
        )
        return SignedUp(organization_id, key)


async def list_organizations(database_url: str) -> list[tuple[str, str, str]]:
    """Return of each organization its id, its name, and the id of the console it is a client of ("" without one)."""
    from models.store.connections import organizations

    async with _transaction(database_url) as session:
        rows = await organizations.list_organizations(session)
        return [(row.id, row.name, row.console_id or "") for row in rows]


async def link_client(database_url: str, client_id: str, console_id: str) -> bool:
    """Make one organization the client of another's console. False: it already was.

    Raises:
        ValueError: it cannot be its client.
    """
    from models.store.connections import clients

    async with _transaction(database_url) as session:
        return await clients.link(session, OrganizationId(client_id), OrganizationId(console_id))


async def unlink_client(database_url: str, client_id: str) -> str | None:
    """Remove an organization from its console, and return that console's id; None: it had none."""
    from models.store.connections import clients

    async with _transaction(database_url) as session:
        return await clients.unlink(session, OrganizationId(client_id))


async def create_key(
    database_url: str,
    organization_id: str,
    *,
    role: str,
    label: str,
    person: str | None = None,
    acts_for_people: bool = False,
) -> str:
    """Create another key of an organization, and return it in plain text. `person` is an e-mail address.

    Raises:
        ValueError: there is no such organization, role or person, or the key cannot be both a person's and a program's.
    """
    from models.store.approvals import people
    from models.store.connections import organizations

    async with _transaction(database_url) as session:
        await _check_organization(session, organization_id)
        owner = None
        if person is not None:
            owner = await people.by_email(session, OrganizationId(organization_id), person)
            if owner is None:
                raise ValueError(f"there is no person with the address {person}: `posync people list` shows all")
        return await organizations.create_api_key(
            session,
            OrganizationId(organization_id),
            cast("Role", role),
            label,
            person_id=owner.id if owner else None,
            acts_for_people=acts_for_people,
        )


async def list_keys(database_url: str, organization_id: str) -> list[tuple[str, str, str, str, str]]:
    """Return an organization's keys as rows of text, without their secret part: id, role, label, whose, state.

    Raises:
        ValueError: there is no such organization.
    """
    from models.store.approvals import people
    from models.store.connections import organizations

    async with _transaction(database_url) as session:
        await _check_organization(session, organization_id)
        rows = await organizations.list_api_keys(session, OrganizationId(organization_id))
        known = await people.named(session, {row.person_id for row in rows if row.person_id})
    names = {str(person_id): person.name for person_id, person in known.items()}
    return [
        (
            row.id,
            row.role,
            row.label,
            names[row.person_id] if row.person_id else "acts for people" if row.acts_for_people else "a program",
            "revoked" if row.revoked_at else "in use",
        )
        for row in rows
    ]


async def key_is_in_use(database_url: str, key: str) -> bool:
    """Return whether this database knows the key: the key may belong to another database, or be revoked."""
    from models.store.connections import organizations

    async with _transaction(database_url) as session:
        return await organizations.find_api_key(session, key) is not None


async def revoke_key(database_url: str, organization_id: str, key_id: str) -> bool:
    """Revoke a key, and return whether it was in use."""
    from models.store.connections import organizations

    async with _transaction(database_url) as session:
        return await organizations.revoke_api_key(session, OrganizationId(organization_id), key_id)


async def rotate_credentials(settings: "Settings") -> int:
    """Encrypt every connection's credentials with the newest key, and return how many there are."""
    from models.store.connections.credentials import CredentialVault

    async with _transaction(settings.database_url) as session:
        return await CredentialVault(settings.credential_keys).rotate_all(session)


async def _check_organization(session: "AsyncSession", organization_id: str) -> None:
    from models.store.connections import organizations

    known = {row.id for row in await organizations.list_organizations(session)}
    if organization_id not in known:
        raise ValueError(f"there is no organization {organization_id}: `posync organization list` shows all")
