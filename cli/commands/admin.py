"""Commands for the administrator of the installation: single processes, the schema, organizations, keys."""

import asyncio
import os
from typing import Annotated

import typer

from cli.client.endpoints import running_stack
from cli.client.terminal import DEFAULT_STATE_DIR, console, table
from cli.local import setup
from cli.local.processes import our_program
from cli.local.worker_check import check_worker
from settings import names_a_database, read_settings

organizations = typer.Typer(no_args_is_help=True, help="Organizations of this installation.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
credentials = typer.Typer(no_args_is_help=True, help="The stored ERP credentials.")

OrganizationOption = Annotated[
    str, typer.Option("--organization", help="The organization's id, from `posync organization list`.")
]


def worker(
    check: Annotated[
        bool, typer.Option("--check", help="Only check that this machine's worker serves; exit code 1 if not.")
    ] = False,
) -> None:
    """Run one worker process; add more of them to scale out."""
    settings = read_settings()
    if check:
        queues = asyncio.run(check_worker(settings))
        console.print(f"A worker of this machine serves {', '.join(queues)}.", highlight=False, soft_wrap=True)
        return
    # The process is replaced, so that signals reach the worker itself.
    command = our_program("worker")
    os.execv(command[0], command)


def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Run one API process. It starts even without its database and Temporal; `/readyz` reports what is missing."""
    read_settings()
    command = our_program("api", "--host", host, "--port", str(port))
    os.execv(command[0], command)


def migrate(
    namespace_too: Annotated[
        bool, typer.Option("--namespace/--no-namespace", help="Also register the search attributes with Temporal.")
    ] = True,
) -> None:
    """Bring the database schema and the Temporal namespace up to date. Safe to repeat."""
    asyncio.run(setup.migrate_database(read_settings().database_url))
    console.print("The schema is up to date.")
    if namespace_too:
        problems = asyncio.run(setup.prepare_namespace())
        console.print("\n".join(problems) if problems else "The namespace knows our search attributes.")
        if problems:
            raise typer.Exit(1)


def doctor() -> None:
    """Look for bills, payments and source orders that wait for nothing: in a state that no step leads on from. Exit
    code 1 if there are any."""
    outside = asyncio.run(setup.examine(_database_url()))
    if not outside:
        console.print("Every bill, payment and source order is in a state with a way on.")
        return
    shown = table("Outside the table of states", "what", "status", "its write", "issue", "since")
    for row in outside:
        issue = "open" if row.stopped else "none"
        since = f"{row.changed_at:%Y-%m-%d %H:%M}"
        shown.add_row(f"{row.kind} {row.name}\n{row.id}", row.status, row.write, issue, since)
    console.print(shown)
    console.print(
        "This is a fault of posync. Please report these lines; docs/reference/states.md shows the states there are.",
        highlight=False,
        soft_wrap=True,
    )
    raise typer.Exit(1)


@organizations.command("create")
def create_organization(name: Annotated[str, typer.Argument(help="The organization's name.")]) -> None:
    """Create an organization and its first administrator key. The key is shown only this once."""
    if not name.strip():
        raise typer.BadParameter("give it a name", param_hint="name")
    made = asyncio.run(setup.sign_up(_database_url(), name, label="first administrator"))
    console.print(f"organization {made.organization_id}\nadministrator key {made.key}", highlight=False)


@organizations.command("list")
def list_organizations() -> None:
    """Show all organizations."""
    shown = table("Organizations", "id", "name", "client of")
    for row in asyncio.run(setup.list_organizations(_database_url())):
        shown.add_row(*row)
    console.print(shown)


@organizations.command("link")
def link_client(
    client: Annotated[str, typer.Argument(help="The client's id, from `posync organization list`.")],
    console_id: Annotated[str, typer.Option("--console", help="The id of the accountant's organization.")],
) -> None:
    """Make an organization the client of an accountant's console. The console then switches its purchase orders."""
    try:
        linked = asyncio.run(setup.link_client(_database_url(), client, console_id))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    since = "now" if linked else "already"
    console.print(f"{client} is {since} a client of {console_id}.", highlight=False, soft_wrap=True)


@organizations.command("unlink")
def unlink_client(client: Annotated[str, typer.Argument(help="The client's id.")]) -> None:
    """Remove a client from its console. It switches its purchase orders itself again; nothing else changes."""
    before = asyncio.run(setup.unlink_client(_database_url(), client))
    if before is None:
        console.print(f"{client} is no console's client.", style="red")
        raise typer.Exit(1)
    console.print(f"{client} is no longer a client of {before}.", highlight=False, soft_wrap=True)


@keys.command("create")
def create_key(
    organization: OrganizationOption,
    role: Annotated[str, typer.Option(help="admin, accountant, clerk or viewer.")],
    label: Annotated[str, typer.Option(help="What the key is for.")],
    person: Annotated[
        str | None, typer.Option(help="The e-mail address of the person it belongs to; default: a program.")
    ] = None,
    acts_for_people: Annotated[
        bool, typer.Option("--acts-for-people", help="A program's key that may name the person it acts for.")
    ] = False,
) -> None:
    """Create an API key. It is shown only this once."""
    url = _database_url()
    try:
        key = setup.create_key(
            url, organization, role=role, label=label, person=person, acts_for_people=acts_for_people
        )
        console.print(asyncio.run(key), highlight=False)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@keys.command("list")
def list_keys(organization: OrganizationOption) -> None:
    """Show an organization's keys, without their secret part."""
    shown = table("Keys", "id", "role", "label", "whose", "state")
    try:
        rows = asyncio.run(setup.list_keys(_database_url(), organization))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    for row in rows:
        shown.add_row(*row)
    console.print(shown)


@keys.command("revoke")
def revoke_key(
    organization: OrganizationOption,
    key_id: Annotated[str, typer.Argument(help="The key's id, from `posync key list`.")],
) -> None:
    """Revoke an API key at once."""
    if not asyncio.run(setup.revoke_key(_database_url(), organization, key_id)):
        console.print(f"{organization} has no key {key_id} in use.", style="red")
        raise typer.Exit(1)
    console.print(f"{key_id} is revoked.")


@credentials.command("new-key")
def new_credential_key() -> None:
    """Create a key for POSYNC_CREDENTIAL_KEYS: put it first, restart, then run `posync credentials rotate`."""
    from cryptography.fernet import Fernet

    typer.echo(Fernet.generate_key().decode())


@credentials.command("rotate")
def rotate_credentials() -> None:
    """Encrypt all stored credentials with the first key of POSYNC_CREDENTIAL_KEYS; afterwards the others can be
    removed."""
    count = asyncio.run(setup.rotate_credentials(read_settings()))
    console.print(f"{count} connection{'' if count == 1 else 's'} sealed with the newest key.")


def _database_url() -> str:
    """Return the database that the environment names, else that of the stack that runs from this directory.

    Raises:
        InvalidSettings: There is neither.
    """
    stack = None if names_a_database() else running_stack(DEFAULT_STATE_DIR)
    return read_settings().database_url if stack is None else stack.database_url
