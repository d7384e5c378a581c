"""`posync source-orders contacts`: which vendor of the ERP each supplier of your own system is."""

from typing import Annotated

import typer

from cli.client.connections import the_connection
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

app = typer.Typer(no_args_is_help=True, help="Link the suppliers of your own system to vendors of the ERP.")

Connection = Annotated[str | None, typer.Option(help="The connection; not needed if there is only one.")]


@app.command("list")
def list_contacts(
    linked: Annotated[bool | None, typer.Option("--linked/--unlinked", help="Only these.")] = None,
    search: Annotated[str | None, typer.Option("--search", "-q", help="Only names that contain this.")] = None,
    connection: Connection = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show the suppliers that source orders name, each with its vendor; for the others the most similar one."""
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/contacts"
        asked = None if linked is None else str(linked).lower()
        results = list(client.pages(path, linked=asked, q=search))
        suggested = {
            one["contact"]: client.get(f"{path}/suggestions", contact=one["contact"])["vendors"]
            for one in results
            if one["vendor_id"] is None
        }
    if as_json:
        console.print_json(data=[{**one, "suggested": suggested.get(one["contact"], [])} for one in results])
        return
    shown = table("Contacts", "contact", "orders", "vendor", "linked by", "similar", right=("orders",))
    for one in results:
        vendor = f"{one['vendor_name'] or '?'} ({one['vendor_id']})" if one["vendor_id"] else ""
        similar = ", ".join(
            f"{vendor['name']} ({vendor['vendor_id']}) {vendor['score']}"
            for vendor in suggested.get(one["contact"], [])
        )
        shown.add_row(one["contact"], str(one["orders"]), vendor, one["linked_by"] or "", similar)
    console.print(shown if results else "There is no such contact.")


@app.command()
def link(
    contact: Annotated[str, typer.Argument(help="The supplier, as your system calls it.")],
    vendor_id: Annotated[str, typer.Argument(help="The vendor's id in the ERP.")],
    connection: Connection = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Confirm which vendor a contact is."""
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/contacts"
        client.post(path, {"contact": contact, "vendor_id": vendor_id})
    console.print(f"{contact} is vendor {vendor_id}.", markup=False)


@app.command()
def unlink(
    contact: Annotated[str, typer.Argument(help="The supplier, as your system calls it.")],
    connection: Connection = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Take back which vendor a contact is. What was uploaded stays."""
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/contacts"
        client.post(path, {"contact": contact, "vendor_id": None})
    console.print(f"{contact} is not linked any more.", markup=False)
