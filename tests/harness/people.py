"""People with keys of their own, and a program that acts for them: whoever asks the API in tests of approvals.

Real: the keys. Fake: nothing.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from models.domain.ids import OrganizationId, PersonId
from models.store.base.database import Database
from models.store.connections import organizations
from models.store.connections.organizations import Role


@dataclass(frozen=True)
class PersonClient:
    """One person at the API, with a key of their own; `key` of a program that acts for them otherwise."""

    http: httpx.AsyncClient
    id: str
    email: str
    key: str
    acting_for: str | None = None

    def _headers(self, **more: str) -> dict[str, str]:
        acting = {"Posync-Acting-For": self.acting_for} if self.acting_for else {}
        return {"Authorization": f"Bearer {self.key}", **acting, **more}

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(path, params=params, headers=self._headers())

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = self._headers(**{"Idempotency-Key": key or secrets.token_hex(8)})
        return await self.http.post(path, json={} if body is None else body, headers=headers)

    async def approve(self, bill_id: str) -> httpx.Response:
        return await self.post(f"/v1/bills/{bill_id}/approve")

    async def deny(self, bill_id: str, reason: str = "damaged") -> httpx.Response:
        return await self.post(f"/v1/bills/{bill_id}/deny", {"reason": reason})


async def add_person(
    http: httpx.AsyncClient,
    admin_key: str,
    database: Database,
    organization_id: OrganizationId,
    name: str,
    roles: Sequence[str] = ("approver",),
    *,
    key_role: Role = "accountant",
) -> PersonClient:
    """Add a person over the API, and make them a key as an administrator of the installation does."""
    email = f"{name.lower()}@acme.example"
    headers = {"Authorization": f"Bearer {admin_key}", "Idempotency-Key": secrets.token_hex(8)}
    added = await http.post("/v1/people", json={"name": name, "email": email, "roles": list(roles)}, headers=headers)
    assert added.status_code == 201, added.text
    person_id: str = added.json()["id"]
    key = await another_key(database, organization_id, person_id, key_role)
    return PersonClient(http, person_id, email, key)


async def another_key(
    database: Database, organization_id: OrganizationId, person_id: str, role: Role = "accountant"
) -> str:
    """A further key of a person."""
    async with database.transaction() as session:
        return await organizations.create_api_key(
            session, organization_id, role, "laptop", person_id=PersonId(person_id)
        )


async def program_key(database: Database, organization_id: OrganizationId, role: Role = "accountant") -> str:
    """The key of a program that may act for people."""
    async with database.transaction() as session:
        return await organizations.create_api_key(session, organization_id, role, "robot", acts_for_people=True)
