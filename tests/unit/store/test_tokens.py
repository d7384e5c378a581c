"""Tokens that an ERP changes while they are used: one worker at a time asks for new ones."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.fernet import Fernet

from models.store.connections import connections
from models.store.connections.credentials import CredentialVault
from models.store.connections.tokens import StoredTokens
from tests.fakes.fake_grant import ISSUED, FakeGrant
from tests.harness.tenant import (
    Tenant,
)


@pytest.fixture
def vault() -> CredentialVault:
    return CredentialVault([Fernet.generate_key().decode()])


async def give(tenant: Tenant, vault: CredentialVault, values: Mapping[str, str]) -> None:
    async with tenant.database.transaction() as s:
        await connections.save_credentials(s, tenant.connection_id, vault.seal(values))


def of_a_worker(tenant: Tenant, vault: CredentialVault) -> StoredTokens:
    return StoredTokens(tenant.database, vault, tenant.connection_id)


async def test_until_they_change_they_are_the_credentials(tenant: Tenant, vault: CredentialVault) -> None:
    await give(tenant, vault, ISSUED)
    assert await of_a_worker(tenant, vault).current() == ISSUED


async def test_two_workers_that_refresh_at_once_ask_once(tenant: Tenant, vault: CredentialVault) -> None:
    """Both see the old tokens and want new ones; the second gets what the first was given."""
    await give(tenant, vault, ISSUED)
    grant = FakeGrant()
    workers = [of_a_worker(tenant, vault) for _ in range(4)]
    old = [await worker.current() for worker in workers]
    news = await asyncio.gather(*(worker.rotate(was, grant.refresh) for worker, was in zip(workers, old, strict=True)))
    assert (grant.asked, grant.lost) == (1, False)
    assert all(new == {"refresh_token": "r-2", "access_token": "a-1"} for new in news)
    assert await workers[0].current() == news[0]


async def test_a_rotation_makes_no_connector_anew(tenant: Tenant, vault: CredentialVault) -> None:
    await give(tenant, vault, ISSUED)
    before = await _row(tenant)
    store = of_a_worker(tenant, vault)
    await store.rotate(await store.current(), FakeGrant().refresh)
    after = await _row(tenant)
    assert (after.credentials_version, after.version, after.credentials) == (
        before.credentials_version,
        before.version,
        before.credentials,
    )


async def test_a_refresh_that_fails_changes_nothing(tenant: Tenant, vault: CredentialVault) -> None:
    """An outage of the ERP's token server: the tokens are as they were, and the next attempt may ask again."""
    await give(tenant, vault, ISSUED)
    store = of_a_worker(tenant, vault)

    async def away(tokens: Mapping[str, str]) -> Mapping[str, str]:
        raise ConnectionError("away")

    with pytest.raises(ConnectionError):
        await store.rotate(ISSUED, away)
    assert await store.current() == ISSUED
    grant = FakeGrant()
    assert (await store.rotate(ISSUED, grant.refresh))["refresh_token"] == "r-2"


async def test_new_credentials_replace_the_tokens(tenant: Tenant, vault: CredentialVault) -> None:
    """A person has connected anew: the tokens of the lost grant are forgotten."""
    await give(tenant, vault, ISSUED)
    store = of_a_worker(tenant, vault)
    await store.rotate(ISSUED, FakeGrant().refresh)
    await give(tenant, vault, {"refresh_token": "r-9"})
    assert await store.current() == {"refresh_token": "r-9"}
    grant = FakeGrant("r-9")
    assert (await store.rotate({"refresh_token": "r-9"}, grant.refresh))["refresh_token"] == "r-10"


async def test_tokens_are_sealed_and_sealed_anew_with_the_credentials(tenant: Tenant) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    vault = CredentialVault([old])
    await give(tenant, vault, ISSUED)
    await of_a_worker(tenant, vault).rotate(ISSUED, FakeGrant().refresh)
    (row,) = await tenant.fetch("select sealed from connection_tokens where connection_id = :c")
    assert b"r-2" not in bytes(row.sealed)
    # Other tests' rows are sealed with keys of their own.
    await tenant.execute("update connections set credentials = :mine", mine=vault.seal(ISSUED))
    await tenant.execute("delete from connection_tokens where connection_id <> :c", c=tenant.connection_id)
    async with tenant.database.transaction() as s:
        assert await CredentialVault([new, old]).rotate_all(s) >= 1
    assert (await of_a_worker(tenant, CredentialVault([new])).current())["refresh_token"] == "r-2"


async def _row(tenant: Tenant) -> Any:
    async with tenant.database.transaction() as s:
        return await connections.get(s, tenant.connection_id)
