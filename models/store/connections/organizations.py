"""Store organizations and the API keys of their callers. Only a key's hash is stored."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import OrganizationId, PersonId
from models.store.base.identity import new_id
from models.tables import ApiKeyRow, OrganizationRow

Role = Literal["admin", "accountant", "clerk", "viewer"]
ROLES: tuple[Role, ...] = ("admin", "accountant", "clerk", "viewer")
"""From the most to the fewest rights."""


async def create_organization(s: AsyncSession, name: str) -> OrganizationId:
    """Create a tenant and return its id."""
    organization_id = new_id("org")
    s.add(OrganizationRow(id=organization_id, name=name, created_at=datetime.now(UTC)))
    await s.flush()
    return OrganizationId(organization_id)


async def list_organizations(s: AsyncSession) -> Sequence[OrganizationRow]:
    """Return all tenants, oldest first."""
    return (await s.exec(select(OrganizationRow).order_by(col(OrganizationRow.created_at)))).all()


async def name_of(s: AsyncSession, organization_id: OrganizationId) -> str:
    """Return the organization's name.

    Raises:
        NoResultFound: There is no such organization.
    """
    return (await s.exec(select(OrganizationRow.name).where(col(OrganizationRow.id) == organization_id))).one()


async def create_api_key(
    s: AsyncSession,
    organization_id: OrganizationId,
    role: Role,
    label: str,
    *,
    person_id: PersonId | None = None,
    acts_for_people: bool = False,
) -> str:
    """Create a key and return it in plain text: it is shown this once, afterwards only its hash exists.

    It belongs to a person, or to a program, which may be given the right to act for people.

    Raises:
        ValueError: The role does not exist, or the key is a person's own and yet to act for people.
    """
    if role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}, not {role!r}")
    if person_id is not None and acts_for_people:
        raise ValueError("a person's own key acts for that person only: make another key for the program")
    plaintext = f"psk_{secrets.token_urlsafe(32)}"
    s.add(
        ApiKeyRow(
            id=new_id("key"),
            organization_id=organization_id,
            key_hash=hash_of(plaintext),
            role=role,
            label=label,
            person_id=person_id,
            acts_for_people=acts_for_people,
            created_at=datetime.now(UTC),
        )
    )
    await s.flush()
    return plaintext


async def find_api_key(s: AsyncSession, plaintext: str) -> ApiKeyRow | None:
    """Return the key's row, or None when it never existed or was revoked."""
    statement = select(ApiKeyRow).where(
        col(ApiKeyRow.key_hash) == hash_of(plaintext), col(ApiKeyRow.revoked_at).is_(None)
    )
    return (await s.exec(statement)).one_or_none()


async def list_api_keys(s: AsyncSession, organization_id: OrganizationId) -> Sequence[ApiKeyRow]:
    """Return all keys of a tenant, revoked ones too, oldest first."""
    statement = select(ApiKeyRow).where(col(ApiKeyRow.organization_id) == organization_id)
    return (await s.exec(statement.order_by(col(ApiKeyRow.created_at)))).all()


async def revoke_api_key(s: AsyncSession, organization_id: OrganizationId, key_id: str) -> bool:
    """Revoke a key; return False when there is no such key in use."""
    statement = (
        update(ApiKeyRow)
        .where(
            col(ApiKeyRow.id) == key_id,
            col(ApiKeyRow.organization_id) == organization_id,
            col(ApiKeyRow.revoked_at).is_(None),
        )
        .values(revoked_at=datetime.now(UTC))
    )
    return (await s.exec(statement)).rowcount == 1


def hash_of(plaintext: str) -> str:
    # The key carries 256 random bits: a fast hash is safe, and every request pays for it.
    return hashlib.sha256(plaintext.encode()).hexdigest()
