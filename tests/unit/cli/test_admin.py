"""What an administrator runs: schema and namespace, organizations, keys, rotation of the sealed credentials."""

import asyncio
import re
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner, Result

from cli.local.embedded import EmbeddedPostgres
from cli.local.setup import key_is_in_use
from cli.main import app
from models.domain.connections import Erp
from models.domain.ids import OrganizationId
from models.store.base.database import Database
from models.store.connections import connections
from models.store.connections.credentials import CredentialVault
from tests.harness.tenant import (
    new_connection,
    new_tenant,
)

Command = Callable[..., Result]


def test_the_doctor_lists_what_is_in_no_state_of_the_table(command: Command, empty_database_url: str) -> None:
    """G15, issue 10: exit code 1 when a bill waits for nothing."""

    async def put_outside() -> str:
        database = Database(empty_database_url, pool_size=1)
        bill_id = await (await new_tenant(database)).bill_in_erp()  # its write is still planned
        await database.close()
        return bill_id

    healthy = command("doctor")
    assert (healthy.exit_code, "way on" in healthy.output) == (0, True)
    bill_id = asyncio.run(put_outside())
    ill = command("doctor")
    assert ill.exit_code == 1
    assert all(word in ill.output for word in (bill_id, "synced", "planned"))


@pytest.fixture
def old_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def command(empty_database_url: str, temporal_address: str, old_key: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("POSYNC_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("POSYNC_CREDENTIAL_KEYS", old_key)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, words, catch_exceptions=False)

    return run


def sign_up(command: Command) -> tuple[str, str]:
    created = command("organization", "create", "Acme Corp")
    found = re.search(r"organization (\S+)\nadministrator key (psk_\S+)", created.output)
    assert found is not None, created.output
    return found.group(1), found.group(2)


def test_migrate_brings_an_empty_database_and_the_namespace_up_to_date(
    command: Command, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"posync_empty_{secrets.token_hex(4)}"
    monkeypatch.setenv("POSYNC_DATABASE_URL", postgres.create_database(name))
    for _ in range(2):
        done = command("migrate")
        assert done.exit_code == 0, done.output
        assert "The namespace knows our search attributes" in done.output
    sign_up(command)
    postgres.execute(f'drop database "{name}" with (force)')


def test_a_key_is_shown_once_and_can_be_revoked(command: Command, empty_database_url: str) -> None:
    organization, first_key = sign_up(command)
    assert organization in command("organization", "list").output
    clerk = command(
        "key", "create", "--organization", organization, "--role", "clerk", "--label", "scanner"
    ).output.strip()
    assert clerk.startswith("psk_")
    assert run(key_is_in_use(empty_database_url, clerk))

    listed = command("key", "list", "--organization", organization).output
    assert clerk not in listed
    assert first_key not in listed
    [row] = [line for line in listed.splitlines() if "scanner" in line]
    key_id = re.search(r"key_\w+", row)
    assert key_id is not None
    assert command("key", "revoke", "--organization", organization, key_id.group()).exit_code == 0
    assert not run(key_is_in_use(empty_database_url, clerk))
    assert command("key", "revoke", "--organization", organization, key_id.group()).exit_code == 1


def test_a_role_we_do_not_have_is_refused(command: Command) -> None:
    organization, _ = sign_up(command)
    refused = command("key", "create", "--organization", organization, "--role", "owner", "--label", "x")
    assert refused.exit_code == 2
    assert "admin, accountant, clerk, viewer" in refused.output


def test_an_organization_is_linked_to_its_accountant_s_console_and_let_go(command: Command) -> None:
    """S4-44, S4-45: the operator says who is whose client; what cannot be is refused with the reason."""
    (client, _), (accountant, _) = sign_up(command), sign_up(command)
    linked = command("organization", "link", client, "--console", accountant)
    assert linked.output.strip() == f"{client} is now a client of {accountant}."
    assert "already" in command("organization", "link", client, "--console", accountant).output
    [row] = [line for line in command("organization", "list").output.splitlines() if client in line and "Acme" in line]
    assert accountant in row
    refused = command("organization", "link", accountant, "--console", client)
    assert refused.exit_code == 2
    assert "itself a client" in " ".join(refused.output.replace("│", " ").split())
    assert (
        command("organization", "unlink", client).output.strip() == f"{client} is no longer a client of {accountant}."
    )
    again = command("organization", "unlink", client)
    assert (again.exit_code, again.output.strip()) == (1, f"{client} is no console's client.")


def test_a_command_makes_a_key_that_credentials_can_be_sealed_with(command: Command) -> None:
    """Fault F3: no command made one."""
    printed = command("credentials", "new-key")
    key = printed.output.strip().splitlines()[-1].strip()
    vault = CredentialVault([key])
    assert (printed.exit_code, vault.open(vault.seal({"password": "p"}))) == (0, {"password": "p"})


def test_rotation_seals_with_the_new_key_alone(
    command: Command, old_key: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization, _ = sign_up(command)
    secret = {"password": "sandbox-user"}
    connection_id = run(connect(empty_database_url, organization, CredentialVault([old_key]).seal(secret)))
    new_key = Fernet.generate_key().decode()
    monkeypatch.setenv("POSYNC_CREDENTIAL_KEYS", f"{new_key},{old_key}")
    rotated = command("credentials", "rotate")
    assert rotated.exit_code == 0
    assert "1 connection sealed" in rotated.output
    assert CredentialVault([new_key]).open(run(sealed(empty_database_url, connection_id))) == secret


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def connect(database_url: str, organization: str, credentials: bytes) -> Any:
    database = Database(database_url, pool_size=1)
    async with database.transaction() as session:
        row = await new_connection(
            session,
            organization_id=OrganizationId(organization),
            erp=Erp.INTACCT,
            name="Acme",
            company="ACME",
            user_name="xml",
            entity=None,
            endpoint="https://erp.test",
            settings={},
            credentials=credentials,
            capabilities={},
            one_way=False,
            base_currency="USD",
        )
        connection_id = row.id
    await database.close()
    return connection_id


async def sealed(database_url: str, connection_id: Any) -> bytes:
    database = Database(database_url, pool_size=1)
    async with database.transaction() as session:
        row = await connections.get(session, connection_id)
        assert row is not None
        credentials = row.credentials
    await database.close()
    return credentials
