"""What an administrator of the installation runs: single processes, the schema, organizations, keys."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli import setup
from cli.screen import console, table

organizations = typer.Typer(no_args_is_help=True, help="Tenants of this installation.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
credentials = typer.Typer(no_args_is_help=True, help="The stored ERP credentials.")

if TYPE_CHECKING:
    from settings import Settings

OrganizationOption = Annotated[str, typer.Option("--organization", help="Its id, from `posync organization list`.")]


def _settings() -> "Settings":
    from settings import SettingMissing, settings_from_environment

    try:
        return settings_from_environment()
    except SettingMissing as missing:
        raise typer.BadParameter(str(missing)) from missing


def worker() -> None:
    """Run one worker process; add more of them to scale out."""
    # The process is replaced, so that signals reach the worker itself.
    os.execv(sys.executable, [sys.executable, "-m", "worker"])


def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Run one API process."""
    command = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory"]
    os.execv(sys.executable, [*command, "--host", host, "--port", str(port)])


def migrate(
    namespace_too: Annotated[
        bool, typer.Option("--namespace/--no-namespace", help="Also register the search attributes with Temporal.")
    ] = True,
) -> None:
    """Bring the database schema and the Temporal namespace up to date. Safe to repeat."""
    asyncio.run(setup.migrate_database(_settings().database_url))
    console.print("The schema is up to date.")
    if namespace_too:
        problems = asyncio.run(setup.prepare_namespace())
        console.print("\n".join(problems) if problems else "The namespace knows our search attributes.")
        if problems:
            raise typer.Exit(1)


@organizations.command("create")
def create_organization(name: Annotated[str, typer.Argument(help="Its name, as people know it.")]) -> None:
    """Make a tenant and its first administrator key, shown this once."""
    made = asyncio.run(setup.sign_up(_settings().database_url, name, label="first administrator"))
    console.print(f"organization {made.organization_id}\nadministrator key {made.key}", highlight=False)


@organizations.command("list")
def list_organizations() -> None:
    """Show all tenants."""
    shown = table("Organizations", "id", "name", "client of")
    for row in asyncio.run(setup.list_organizations(_settings().database_url)):
        shown.add_row(*row)
    console.print(shown)


@organizations.command("link")
def link_client(
    client: Annotated[str, typer.Argument(help="The client's id, from `posync organization list`.")],
    console_id: Annotated[str, typer.Option("--console", help="The id of the accountant's organization.")],
) -> None:
    """Make an organization the client of an accountant's console, which then switches its purchase orders."""
    try:
        linked = asyncio.run(setup.link_client(_settings().database_url, client, console_id))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    since = "now" if linked else "already"
    console.print(f"{client} is {since} a client of {console_id}.", highlight=False, soft_wrap=True)


@organizations.command("unlink")
def unlink_client(client: Annotated[str, typer.Argument(help="The client's id.")]) -> None:
    """Take a client from its console: it switches its purchase orders itself again. Nothing else changes."""
    before = asyncio.run(setup.unlink_client(_settings().database_url, client))
    if before is None:
        console.print(f"{client} is no console's client.", style="red")
        raise typer.Exit(1)
    console.print(f"{client} is no longer a client of {before}.", highlight=False, soft_wrap=True)


@keys.command("create")
def create_key(
    organization: OrganizationOption,
    role: Annotated[str, typer.Option(help="admin, accountant, clerk or viewer.")],
    label: Annotated[str, typer.Option(help="What it is for.")],
) -> None:
    """Make a key, shown this once."""
    url = _settings().database_url
    try:
        console.print(asyncio.run(setup.create_key(url, organization, role=role, label=label)), highlight=False)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@keys.command("list")
def list_keys(organization: OrganizationOption) -> None:
    """Show an organization's keys; never their secret part."""
    shown = table("Keys", "id", "role", "label", "state")
    for row in asyncio.run(setup.list_keys(_settings().database_url, organization)):
        shown.add_row(*row)
    console.print(shown)


@keys.command("revoke")
def revoke_key(
    organization: OrganizationOption, key_id: Annotated[str, typer.Argument(help="From `posync key list`.")]
) -> None:
    """Take a key out of use at once."""
    if not asyncio.run(setup.revoke_key(_settings().database_url, organization, key_id)):
        console.print(f"{organization} has no key {key_id} in use.", style="red")
        raise typer.Exit(1)
    console.print(f"{key_id} is revoked.")


@credentials.command("rotate")
def rotate_credentials() -> None:
    """Seal all stored credentials with the first key of POSYNC_CREDENTIAL_KEYS; afterwards the others can go."""
    count = asyncio.run(setup.rotate_credentials(_settings()))
    console.print(f"{count} connection{'' if count == 1 else 's'} sealed with the newest key.")
