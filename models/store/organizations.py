"""Organizations and the API keys their callers use. Only a key's hash is kept."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import OrganizationId
from models.store.identity import new_id
from models.tables import ApiKeyRow, OrganizationRow

Role = Literal["admin", "accountant", "clerk", "viewer"]
ROLES: tuple[Role, ...] = ("admin", "accountant", "clerk", "viewer")
"""From the most to the least that a caller may do."""


async def create_organization(s: AsyncSession, name: str) -> OrganizationId:
    """A new tenant."""
    organization_id = new_id("org")
    s.add(OrganizationRow(id=organization_id, name=name, created_at=datetime.now(UTC)))
    await s.flush()
    return OrganizationId(organization_id)


async def list_organizations(s: AsyncSession) -> Sequence[OrganizationRow]:
    """All tenants, oldest first."""
    return (await s.exec(select(OrganizationRow).order_by(col(OrganizationRow.created_at)))).all()


async def name_of(s: AsyncSession, organization_id: OrganizationId) -> str:
    """What people call it. Raises NoResultFound for one that does not exist."""
    return (await s.exec(select(OrganizationRow.name).where(col(OrganizationRow.id) == organization_id))).one()


async def create_api_key(s: AsyncSession, organization_id: OrganizationId, role: Role, label: str) -> str:
    """A new key in plain text: shown this once, afterwards only its hash exists. Raises ValueError for a role we
    do not have."""
    if role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}, not {role!r}")
    plaintext = f"psk_{secrets.token_urlsafe(32)}"
    s.add(
        ApiKeyRow(
            id=new_id("key"),
            organization_id=organization_id,
            key_hash=_hash(plaintext),
            role=role,
            label=label,
            created_at=datetime.now(UTC),
        )
    )
    await s.flush()
    return plaintext


async def find_api_key(s: AsyncSession, plaintext: str) -> ApiKeyRow | None:
    """The key's row, or None when it never existed or was revoked."""
    statement = select(ApiKeyRow).where(
        col(ApiKeyRow.key_hash) == _hash(plaintext), col(ApiKeyRow.revoked_at).is_(None)
    )
    return (await s.exec(statement)).one_or_none()


async def list_api_keys(s: AsyncSession, organization_id: OrganizationId) -> Sequence[ApiKeyRow]:
    """All keys of a tenant, revoked ones too, oldest first."""
    statement = select(ApiKeyRow).where(col(ApiKeyRow.organization_id) == organization_id)
    return (await s.exec(statement.order_by(col(ApiKeyRow.created_at)))).all()


async def revoke_api_key(s: AsyncSession, organization_id: OrganizationId, key_id: str) -> bool:
    """Take a key out of use. False: there is no such key in use."""
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


def _hash(plaintext: str) -> str:
    # The key carries 256 random bits: a fast hash is safe, and every request pays for it.
    return hashlib.sha256(plaintext.encode()).hexdigest()
