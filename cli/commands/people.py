"""`posync people` and `posync approvals`: who may approve, who approves what, and when bills go out."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client.connections import ConnectionOption, the_connection
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

people = typer.Typer(no_args_is_help=True, help="People: who may do what, and who may approve bills.")
approvals = typer.Typer(no_args_is_help=True, help="Approvals: when bills go out, and who approves them.")


@people.command("list")
def list_people(as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show all people of the organization."""
    with api(state_dir) as client:
        everybody = client.get("/v1/people")["items"]
    if as_json:
        console.print_json(data=everybody)
        return
    shown = table("People", "name", "e-mail", "roles", "state")
    for person in everybody:
        state = "active" if person["active"] else "inactive"
        shown.add_row(person["name"], person["email"], ", ".join(person["roles"]), state)
    console.print(shown)


@people.command("add")
def add_person(
    name: Annotated[str, typer.Argument(help="The person's name.")],
    email: Annotated[str, typer.Option(help="The person's e-mail address.")],
    role: Annotated[list[str], typer.Option(help="viewer, clerk, accountant, admin or approver. Repeat it.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Add a person. `posync key create --person EMAIL` makes a key for them."""
    with api(state_dir) as client:
        person = client.post("/v1/people", {"name": name, "email": email, "roles": role})
    console.print(f"{person['name']} is added: {person['id']}", highlight=False)


@people.command("edit")
def edit_person(
    email: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    name: Annotated[str | None, typer.Option(help="The person's new name.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="All roles that the person has from now on.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="An inactive person's keys are refused.")
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Change a person's name, roles, or whether they are active."""
    with api(state_dir) as client:
        ids = {person["email"]: person["id"] for person in client.get("/v1/people")["items"]}
        if email.lower() not in ids:
            raise typer.BadParameter(f"there is no person {email}; `posync people list` shows all")
        change = {"name": name, "roles": role or None, "active": active}
        answer = client.patch(f"/v1/people/{ids[email.lower()]}", change)
    console.print(f"{answer['person']['name']} is changed.", highlight=False)
    for stuck in answer["stuck_rules"]:
        console.print(f"Change this rule, nobody can approve by it: {stuck}", highlight=False)


@approvals.command("show")
def show_approvals(
    connection: ConnectionOption = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR
) -> None:
    """Show when bills go out, and who approves which of them."""
    with api(state_dir) as client:
        connection_id = the_connection(client, connection)
        settings = client.get(f"/v1/connections/{connection_id}/approvals")
        rules = client.get(f"/v1/connections/{connection_id}/approval-rules")["rules"]
        names = {person["id"]: person["name"] for person in client.get("/v1/people")["items"]}
    if as_json:
        console.print_json(data={"approvals": settings, "rules": rules})
        return
    needed = "Bills need approval" if settings["enabled"] else "Bills need no approval"
    only = ", and only approved ones are ever sent" if settings["only_approved"] else ""
    console.print(f"{needed}; they go out when {settings['push_when'].replace('_', ' ')}{only}.", highlight=False)
    if settings["draft_order_bills"]:
        console.print("An order's bill goes out before that, as a draft that its approval releases.", highlight=False)
    if rules:
        shown = table("Rules, the first that applies", "name", "bills", "approvers")
        for rule in rules:
            steps = "\n".join(
                f"{no}. {' or '.join(names[one] for one in step)}" for no, step in enumerate(rule["steps"], start=1)
            )
            shown.add_row(rule["name"], _conditions(rule), steps)
        console.print(shown)


def _conditions(rule: dict[str, Any]) -> str:
    words = {
        "total_from": "from {}",
        "total_below": "below {}",
        "vendor_id": "vendor {}",
        "department": "department {}",
        "entity": "entity {}",
    }
    met = [text.format(rule[name]) for name, text in words.items() if rule[name] is not None]
    return ", ".join(met) or "all"


@approvals.command("set")
def set_approvals(
    connection: ConnectionOption = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether bills need approval.")] = None,
    push_when: Annotated[str | None, typer.Option(help="matched, approved or scheduled.")] = None,
    only_approved: Annotated[
        bool, typer.Option("--only-approved", help="Only approved bills are ever sent. Permanent.")
    ] = False,
    draft_order_bills: Annotated[
        bool | None,
        typer.Option("--drafts/--no-drafts", help="Whether an order's bill goes out as a draft until it is approved."),
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Set whether bills need approval, and what they wait for before they are sent."""
    body = {
        "enabled": enabled,
        "push_when": push_when,
        "only_approved": only_approved or None,
        "draft_order_bills": draft_order_bills,
    }
    with api(state_dir) as client:
        answer = client.put(f"/v1/connections/{the_connection(client, connection)}/approvals", body)
    now = answer["approvals"]
    state = "on" if now["enabled"] else "off"
    console.print(f"Approvals are {state}; bills go out when {now['push_when'].replace('_', ' ')}.", highlight=False)
    if answer["notice"]:
        console.print(answer["notice"])


@approvals.command("rules")
def set_rules(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JSON file: a list of rules.")],
    connection: ConnectionOption = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Replace the rules by those of a file, which names approvers by e-mail address (docs/reference/approvals.md)."""
    try:
        rules = json.loads(path.read_text())
    except ValueError as error:
        raise typer.BadParameter(f"{path} is no JSON: {error}", param_hint="path") from error
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise typer.BadParameter(f"{path} is no list of rules", param_hint="path")
    with api(state_dir) as client:
        ids = {person["email"]: person["id"] for person in client.get("/v1/people")["items"]}
        for rule in rules:
            steps = rule.get("steps", [])
            rule["steps"] = [{"approvers": [ids.get(one.lower(), one) for one in step]} for step in steps]
        client.put(f"/v1/connections/{the_connection(client, connection)}/approval-rules", {"rules": rules})
    console.print(f"{len(rules)} rule{'' if len(rules) == 1 else 's'} stored.", highlight=False)
