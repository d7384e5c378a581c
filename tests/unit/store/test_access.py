"""Tenants, keys, credentials at rest, and requests that are answered once."""

import secrets
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from models.domain.ids import OrganizationId
from models.store.audit import requests
from models.store.connections import organizations
from models.store.connections.credentials import CredentialKeysMissing, CredentialsUnreadable, CredentialVault
from models.tables import ConnectionRow
from tests.harness.tenant import (
    Tenant,
)

VALUES = {"company": "ACME", "user": "xml_gateway", "password": "s3cret"}


async def test_a_key_is_found_by_its_plain_text_until_it_is_revoked(tenant: Tenant) -> None:
    """DESIGN section 8: API keys are hashed and carry a role."""
    async with tenant.database.transaction() as s:
        plaintext = await organizations.create_api_key(s, tenant.organization_id, "clerk", "desk")
        row = await organizations.find_api_key(s, plaintext)
        assert row is not None
        assert (row.organization_id, row.role, row.label) == (tenant.organization_id, "clerk", "desk")
        assert await organizations.find_api_key(s, "psk_" + secrets.token_urlsafe(32)) is None
        assert await organizations.revoke_api_key(s, tenant.organization_id, row.id)
        assert not await organizations.revoke_api_key(s, tenant.organization_id, row.id)
        assert await organizations.find_api_key(s, plaintext) is None
        assert [key.label for key in await organizations.list_api_keys(s, tenant.organization_id)] == ["desk"]
    stored = await tenant.fetch("select key_hash, id from api_keys")
    assert plaintext not in str(stored)


async def test_a_key_of_another_organization_cannot_be_revoked(tenant: Tenant, other_tenant: Tenant) -> None:
    async with tenant.database.transaction() as s:
        plaintext = await organizations.create_api_key(s, tenant.organization_id, "admin", "ours")
        row = await organizations.find_api_key(s, plaintext)
        assert row is not None
        assert not await organizations.revoke_api_key(s, other_tenant.organization_id, row.id)


async def test_a_role_we_do_not_have_is_refused(tenant: Tenant) -> None:
    async with tenant.database.transaction() as s:
        with pytest.raises(ValueError, match="admin, accountant, clerk, viewer"):
            await organizations.create_api_key(s, tenant.organization_id, "root", "no")


def test_credentials_are_sealed_and_opened() -> None:
    vault = CredentialVault([Fernet.generate_key().decode()])
    sealed = vault.seal(VALUES)
    assert b"s3cret" not in sealed
    assert vault.open(sealed) == VALUES
    assert "s3cret" not in repr(vault)


def test_an_old_key_still_opens_and_rotation_leaves_it_behind() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = CredentialVault([old]).seal(VALUES)
    both = CredentialVault([new, old])
    assert both.open(sealed) == VALUES
    rotated = both.rotate(sealed)
    assert CredentialVault([new]).open(rotated) == VALUES
    with pytest.raises(CredentialsUnreadable):
        CredentialVault([new]).open(sealed)
    with pytest.raises(CredentialsUnreadable):
        CredentialVault([new]).rotate(sealed)


async def test_all_connections_are_rotated_at_once(tenant: Tenant) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    await tenant.execute("update connections set credentials = :sealed", sealed=CredentialVault([old]).seal(VALUES))
    async with tenant.database.transaction() as s:
        assert await CredentialVault([new, old]).rotate_all(s) >= 1
    async with tenant.database.transaction() as s:
        row = await s.get(ConnectionRow, tenant.connection_id)
    assert row is not None
    assert CredentialVault([new]).open(row.credentials) == VALUES
    assert row.credentials_version == 1


def test_a_vault_without_a_usable_key_is_refused() -> None:
    for keys in ([], ["not-a-key"]):
        with pytest.raises(CredentialKeysMissing):
            CredentialVault(keys)


async def test_the_same_request_is_answered_once(tenant: Tenant) -> None:
    """DESIGN section 8: same key and same body, same answer."""
    key = secrets.token_hex(8)
    for _ in range(2):
        async with tenant.database.transaction() as s:
            row = await requests.claim(s, tenant.organization_id, key, "POST /bills", {"a": 1, "b": 2}, "someone")
        assert (row.status, row.answer, row.body) == (None, None, {"a": 1, "b": 2})
    async with tenant.database.transaction() as s:
        await requests.answer(s, tenant.organization_id, key, 201, {"bill": "x"})
        await requests.answer(s, tenant.organization_id, key, 422, {"bill": None})
    async with tenant.database.transaction() as s:
        again = await requests.claim(s, tenant.organization_id, key, "POST /bills", {"b": 2, "a": 1}, "other")
    assert (again.status, again.answer, again.actor) == (201, {"bill": "x"}, "someone")


@pytest.mark.parametrize(("route", "body"), [("POST /bills", {"a": 2}), ("POST /payments", {"a": 1})])
async def test_a_key_used_for_something_else_is_refused(tenant: Tenant, route: str, body: dict[str, int]) -> None:
    key = secrets.token_hex(8)
    async with tenant.database.transaction() as s:
        await requests.claim(s, tenant.organization_id, key, "POST /bills", {"a": 1}, "someone")
        with pytest.raises(requests.KeyReused):
            await requests.claim(s, tenant.organization_id, key, route, body, "someone")


async def test_old_answers_are_forgotten_but_not_their_keys(tenant: Tenant) -> None:
    """DESIGN section 8: an answer is kept for a time; a key whose answer is gone still names its first request."""
    old, fresh, open_still = secrets.token_hex(8), secrets.token_hex(8), secrets.token_hex(8)
    async with tenant.database.transaction() as s:
        for key in (old, fresh, open_still):
            await requests.claim(s, tenant.organization_id, key, "POST /bills", {"a": 1}, "someone")
        for key in (old, fresh):
            await requests.answer(s, tenant.organization_id, key, 201, {"bill": "x"})
    await tenant.execute(
        "update requests set created_at = now() - interval '31 days' where key = any(:keys)", keys=[old, open_still]
    )
    async with tenant.database.transaction() as s:
        assert await requests.forget_answers(s, timedelta(days=30)) >= 1
        assert await requests.forget_answers(s, timedelta(days=30)) == 0
        again = await requests.claim(s, tenant.organization_id, old, "POST /bills", {"a": 1}, "someone")
        assert (again.status, again.answer, again.body) == (201, None, {})
        with pytest.raises(requests.KeyReused):
            await requests.claim(s, tenant.organization_id, old, "POST /bills", {"a": 2}, "someone")
        kept = await requests.get(s, tenant.organization_id, fresh)
        assert kept is not None
        assert kept.answer == {"bill": "x"}
        waiting = await requests.get(s, tenant.organization_id, open_still)
        assert waiting is not None
        assert waiting.body == {"a": 1}, "work that is under way keeps what it works on"


async def test_old_answers_are_found_by_an_index(tenant: Tenant) -> None:
    """A sync's end must not read all requests there ever were."""
    async with tenant.database.transaction() as s:
        await s.execute(text("set local enable_seqscan = off"))
        plan = await s.execute(
            text(
                "explain select key from requests where answer is not null and created_at < now() - interval '30 days'"
                " order by created_at limit 10000"
            )
        )
        assert "requests_with_answers" in "\n".join(plan.scalars())


async def test_two_organizations_may_use_the_same_key(tenant: Tenant, other_tenant: Tenant) -> None:
    key = secrets.token_hex(8)
    async with tenant.database.transaction() as s:
        await requests.claim(s, tenant.organization_id, key, "POST /bills", {"a": 1}, "someone")
        other = await requests.claim(s, other_tenant.organization_id, key, "POST /bills", {"a": 2}, "someone")
        assert other.body == {"a": 2}
        assert await requests.get(s, OrganizationId("org_nobody"), key) is None
