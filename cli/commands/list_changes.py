"""`posync lists`: make and change vendors, items, departments, locations and classes in the ERP."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client.api_client import Api
from cli.client.connections import ConnectionOption, the_connection
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, moment, table

app = typer.Typer(no_args_is_help=True, help="Lists: make and change vendors, items, departments, locations, classes.")

Kind = Annotated[str, typer.Argument(help="vendor, item, department, location or class.")]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A field, like email=ap@pumps.example; empty clears."),
]
ChangeId = Annotated[str, typer.Argument(metavar="ID", help="The change's id.")]
Why = Annotated[str | None, typer.Option(help="The reason; it is kept with the change.")]


@app.command()
def new(
    kind: Kind,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    key: Annotated[str | None, typer.Option(help="Its id, where the ERP does not number.")] = None,
    values: Values = None,
    entity: Annotated[str | None, typer.Option(help="The entity that it belongs to.")] = None,
    same_name: Annotated[bool, typer.Option("--same-name", help="Another one may have this name.")] = False,
    connection: ConnectionOption = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Have an entry made in the ERP."""
    body = {"name": name, "key": key, "entity": entity, "attributes": _fields(values), "same_name": same_name}
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/lists/{kind}"
        _accepted(client.post(path, body), as_json=as_json)


@app.command()
def change(
    kind: Kind,
    which: Annotated[str, typer.Argument(metavar="KEY", help="The entry's key, number or name.")],
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--suspend", help="Use it again, or suspend it: make it inactive.")
    ] = None,
    values: Values = None,
    connection: ConnectionOption = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Have an entry changed, suspended or used again in the ERP.

    \f
    Raises:
        typer.BadParameter: there is no such entry, or more than one.
    """
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/lists/{kind}"
        entry = _find(client, path, kind, which)
        attributes = _fields(values)
        body = {"name": name, "active": active, "attributes": attributes}
        # What this command saw is what it goes out from.
        seen = {field: entry["attributes"].get(field) for field in attributes}
        _accepted(client.post(f"{path}/{entry['erp_id']}/changes", {**body, "seen": seen}), as_json=as_json)


@app.command()
def show(
    kind: Annotated[str, typer.Argument(help="Any list: vendor, item, gl_account, project ...")],
    which: Annotated[str, typer.Argument(metavar="KEY", help="The entry's key, number or name.")],
    connection: ConnectionOption = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show an entry with its history: who changed which field, here or in the ERP.

    \f
    Raises:
        typer.BadParameter: there is no such entry, or more than one.
    """
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/lists/{kind}"
        entry = client.get(f"{path}/{_find(client, path, kind, which)['erp_id']}")
    if as_json:
        console.print_json(data=entry)
        return
    called = escape(f"{entry['key']} · {entry['name']}")
    console.print(f"{kind} {called} · [bold]{entry['state']}[/]", highlight=False)
    for field, value in sorted({**entry["attributes"], **entry["kept_here"]}.items()):
        console.print(f"  {field}: {value}", markup=False, highlight=False)
    shown = table("History", "when", "who", "what", "fields", "why")
    for event in entry["events"]:
        what, fields, why = event["kind"].replace("_", " "), _moved(event), event["why"]
        shown.add_row(moment(event["at"]), *map(escape, (event["actor"], what, fields, why)))
    console.print(shown if entry["events"] else "Nothing has changed since it came in.")


@app.command()
def changes(
    kind: Annotated[str | None, typer.Option(help="Only those of one list.")] = None,
    status: Annotated[str | None, typer.Option(help="sending, done, set_aside, refused or abandoned.")] = None,
    connection: ConnectionOption = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List what was made and changed here, newest first, with what became of it."""
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/list-changes"
        items = list(client.pages(path, kind=kind, status=status))
    if as_json:
        console.print_json(data=items)
        return
    shown = table("Changes to lists", "id", "when", "list", "entry", "status", "what", whole=("id",))
    for one in items:
        shown.add_row(
            one["id"],
            moment(one["created_at"]),
            one["kind"],
            one["key"] or one["name"],
            one["status"].replace("_", " "),
            _what(one),
        )
    console.print(shown)


@app.command()
def apply(which: ChangeId, why: Why = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Send a change once more that was set aside or refused, over what the ERP shows now."""
    with api(state_dir) as client:
        _print(client.post(f"/v1/list-changes/{which}/apply", _reason(why)))


@app.command()
def abandon(which: ChangeId, why: Why = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Abandon a change that was set aside or refused, or that the ERP certainly does not have."""
    with api(state_dir) as client:
        _print(client.post(f"/v1/list-changes/{which}/abandon", _reason(why)))


@app.command()
def settings(
    master: Annotated[
        list[str] | None, typer.Option(metavar="LIST=WHO", help="Whose value stays: vendor=erp or vendor=posync.")
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="entity: new entries are one entity's; top: all share them.")
    ] = None,
    vendor_ids: Annotated[str | None, typer.Option(help="given: people name them; erp: its sequence does.")] = None,
    connection: ConnectionOption = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show, or set, whose value stays where both sides changed a field, and where new entries are made."""
    masters = _fields(master, written="LIST=WHO", option="--master")
    body = {"masters": masters or None, "level": level, "vendor_ids": vendor_ids}
    wanted = {name: value for name, value in body.items() if value is not None}
    with api(state_dir) as client:
        path = f"/v1/connections/{the_connection(client, connection)}/list-settings"
        shown = client.put(path, wanted) if wanted else client.get(path)
    if as_json:
        console.print_json(data=shown)
        return
    for one in shown["masters"]:
        console.print(f"{one['list']}: the master is {one['master']}", highlight=False)
    console.print(f"level: {shown['level']}; vendors' ids: {shown['vendor_ids']}", highlight=False)
    for one in shown["lists_out"]:
        fields = ", ".join(("name", "active", *one["changes"]))
        console.print(f"{one['kind']} can be changed in: {fields}", highlight=False)
        said = {
            "only when it is made": [field for field in one["new"] if field not in one["changes"]],
            "needed when it is made": one["needed"],
            "kept here, as the ERP has no field for it": one["kept_here"],
        }
        for what, named in said.items():
            if named:
                console.print(f"  {what}: {', '.join(named)}", highlight=False)


def _find(client: Api, path: str, kind: str, which: str) -> dict[str, Any]:
    entries = [
        one
        for one in client.pages(path, q=which)
        if which in (one["key"], one["erp_id"], one["name"], one["attributes"].get("number"))
    ]
    exact = [one for one in entries if one["key"] == which] or entries
    if not exact:
        raise typer.BadParameter(f"there is no {kind} {which}", param_hint="KEY")
    if len(exact) > 1:
        keys = ", ".join(one["key"] for one in exact)
        raise typer.BadParameter(f"there is more than one {which}; name its key: {keys}", param_hint="KEY")
    return dict(exact[0])


def _moved(event: dict[str, Any]) -> str:
    """Return an event's fields as they were and are."""
    before, after = event["before"] or {}, event["after"] or {}
    after = after.get("values", after)
    return "; ".join(
        f"{field}: {before[field]} -> {value}" if field in before else f"{field}: {value}"
        for field, value in after.items()
        if value not in (None, "", [])
    )


def _reason(why: str | None) -> dict[str, str]:
    return {} if why is None else {"reason": why}


def _fields(values: list[str] | None, *, written: str = "FIELD=VALUE", option: str = "--set") -> dict[str, str]:
    fields: dict[str, str] = {}
    for value in values or ():
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"write it as {written}, not {value}", param_hint=option)
        fields[name.strip()] = text.strip()
    return fields


def _accepted(accepted: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        console.print_json(data=accepted)
        return
    if accepted["change"] is not None:
        _print(accepted["change"])
    elif not accepted["kept_here"]:
        console.print("It is so already; nothing is sent.")
    for field in accepted["kept_here"]:
        console.print(f"{field} is kept here: the ERP has no field for it.", highlight=False)


def _print(one: dict[str, Any]) -> None:
    status = one["status"].replace("_", " ")
    console.print(
        f"{one['id']}: {one['kind']} {escape(one['key'] or one['name'])} · [bold]{status}[/]", highlight=False
    )
    if _what(one):
        console.print(f"  {_what(one)}", markup=False, highlight=False)


def _what(one: dict[str, Any]) -> str:
    if one["problem"]:
        return f"{one['problem_code']}: {one['problem']}"
    conflicts = [
        f"{each['field']}: here {each['here']}, there {each['there'] or 'nothing'}, kept {each['kept']}"
        for each in one["conflicts"]
    ]
    return "; ".join(conflicts) or ", ".join(f"{field} {value}" for field, value in one["wanted"].items())
