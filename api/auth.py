"""Who calls: an API key stands for a role in one organization. Nothing of another organization is ever visible, but for
what `api/console.py` shows an accountant's console of its clients."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import Problem
from api.services import Services
from models.domain import OrganizationId
from models.store import organizations


class Role(StrEnum):
    """From least to most; a higher role may do all that a lower one may."""

    VIEWER = "viewer"
    CLERK = "clerk"
    ACCOUNTANT = "accountant"
    ADMIN = "admin"

    def covers(self, other: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Caller:
    organization_id: OrganizationId
    role: Role
    actor: str
    """Who acts, as events and bills record it: `label (key id)`."""


_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="An API key: `psk_...`.")

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="posync"'}


def _caller(needed: Role) -> Callable[..., Awaitable[Caller]]:
    async def caller(
        services: Services, presented: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        if presented is None or not presented.credentials.isascii():
            raise Problem("UNAUTHENTICATED", headers=_CHALLENGE)
        async with services.database.statement() as session:
            key = await organizations.find_api_key(session, presented.credentials)
        if key is None:
            raise Problem("UNAUTHENTICATED", "The API key is unknown or was revoked.", headers=_CHALLENGE)
        role = Role(key.role)
        if not role.covers(needed):
            raise Problem("ROLE_TOO_LOW", f"This needs the role {needed}; the key has {role}.")
        return Caller(OrganizationId(key.organization_id), role, f"{key.label} ({key.id})")

    return caller


Viewer = Annotated[Caller, Depends(_caller(Role.VIEWER))]
"""May read."""
Clerk = Annotated[Caller, Depends(_caller(Role.CLERK))]
"""May also enter and edit bills, and start a sync."""
Accountant = Annotated[Caller, Depends(_caller(Role.ACCOUNTANT))]
"""May also connect an ERP and set it up (S2-03), pay, and settle sync issues."""
Admin = Annotated[Caller, Depends(_caller(Role.ADMIN))]
"""May also switch the purchase order feature (S1-32)."""
