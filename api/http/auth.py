"""Authenticate callers: an API key stands for a role in one organization, and may belong to a person.

Nothing of another organization is ever visible, except what `api/connections/accountant_console.py` shows an
accountant's console of its clients.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Header
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.http.problems import Problem
from api.http.services import Services
from models.domain.ids import OrganizationId
from models.domain.people import person_actor, program_actor
from models.store.approvals import people
from models.store.approvals.people import Person
from models.store.connections.api_key_use import CountedKey


class Role(StrEnum):
    """The roles of an API key, from least to most; a higher role may do all that a lower one may."""

    VIEWER = "viewer"
    CLERK = "clerk"
    ACCOUNTANT = "accountant"
    ADMIN = "admin"

    def covers(self, other: "Role") -> bool:
        """Return whether this role may do all that the other one may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Caller:
    organization_id: OrganizationId
    role: Role
    """Of a person: what both the key and the person may."""
    actor: str
    """The caller's name in events and on bills: `label (key id)`, and before it the person, if one is known."""
    person: Person | None = None
    """Whose key it is, or whom a program acts for."""
    key_id: str = ""


ActingFor = Annotated[
    str | None,
    Header(
        alias="Posync-Acting-For",
        max_length=200,
        description="A program's key: the e-mail address of the person it acts for.",
        examples=["ana@acme.example"],
    ),
]


_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="An API key: `psk_...`.")

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="posync"'}


def _caller(needed: Role) -> Callable[..., Awaitable[Caller]]:
    async def caller(
        services: Services,
        presented: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
        acting_for: ActingFor = None,
    ) -> Caller:
        if presented is None or not presented.credentials.isascii():
            raise Problem("UNAUTHENTICATED", headers=_CHALLENGE)
        key = await services.key_use.ask(presented.credentials)
        if key is None:
            raise Problem("UNAUTHENTICATED", "The API key is unknown or was revoked.", headers=_CHALLENGE)
        if key.requests > services.settings.requests_per_minute:
            most = services.settings.requests_per_minute
            headers = {"Retry-After": str(key.seconds_left)}
            raise Problem("TOO_MANY_REQUESTS", f"A key may make {most} requests in a minute.", headers=headers)
        person = key.person if acting_for is None else await _acted_for(services, key, acting_for)
        role = Role(key.role)
        if person is None:
            actor = program_actor(key.label, key.id)
        elif not person.active:
            raise Problem("PERSON_INACTIVE", f"{person.name} is not active.")
        else:
            actor = person_actor(person.name, person.id, key.label, key.id)
            role = min(role, role_of(person), key=list(Role).index)
        if not role.covers(needed):
            whose = "the key has" if person is None else f"{person.name} has, with this key,"
            raise Problem("ROLE_TOO_LOW", f"This needs the role {needed}; {whose} {role}.")
        return Caller(key.organization_id, role, actor, person, key.id)

    return caller


async def _acted_for(services: Services, key: CountedKey, email: str) -> Person:
    """Return the person whom a program names.

    Raises:
        Problem: ACTING_NOT_ALLOWED, when the key may not name anybody, or names nobody we know.
    """
    if key.person is not None:
        raise Problem("ACTING_NOT_ALLOWED", f"The key is {key.person.name}'s own.")
    if not key.acts_for_people:
        raise Problem("ACTING_NOT_ALLOWED", "The key does not have the right to act for people.")
    async with services.database.statement() as session:
        person = await people.by_email(session, key.organization_id, email)
    if person is None:
        raise Problem("ACTING_NOT_ALLOWED", "There is no person with this e-mail address.")
    return person


def role_of(person: Person) -> Role:
    """Return the most that the person may do here; whoever only approves may read."""
    may = {role.value for role in person.roles}
    return next((role for role in reversed(Role) if role.value in may), Role.VIEWER)


Viewer = Annotated[Caller, Depends(_caller(Role.VIEWER))]
"""May read."""
Clerk = Annotated[Caller, Depends(_caller(Role.CLERK))]
"""May also enter and edit bills, and start a sync."""
Accountant = Annotated[Caller, Depends(_caller(Role.ACCOUNTANT))]
"""May also connect an ERP and set it up, pay, and settle sync issues."""
Admin = Annotated[Caller, Depends(_caller(Role.ADMIN))]
"""May also switch the purchase order feature."""
