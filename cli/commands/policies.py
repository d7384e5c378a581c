"""`posync policies`, `posync units`: what bills are matched by."""

from typing import Annotated, Any

import typer

from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table
from cli.commands.policy_edits import delete_policy, set_policy

policies = typer.Typer(no_args_is_help=True, help="Tolerance policies: how far a bill may differ from its order.")
units = typer.Typer(no_args_is_help=True, help="Unit factors: how many of one unit are one of another.")

Connection = Annotated[str | None, typer.Option(help="Only those of this connection.")]
Vendor = Annotated[str | None, typer.Option(help="Only those of this vendor, by its id.")]
Item = Annotated[str | None, typer.Option(help="Only those of this item.")]


@policies.command("list")
def list_policies(
    connection: Connection = None,
    vendor: Vendor = None,
    item: Item = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List the tolerance policies: where each applies, and what it allows."""
    with api(state_dir) as client:
        items = list(client.pages("/v1/tolerance-policies", connection=connection, vendor=vendor, item=item))
    if as_json:
        console.print_json(data=items)
        return
    for policy in items:
        where = ", ".join(f"{name} {value}" for name, value in policy["scope"].items() if value) or "everywhere"
        console.print(f"{policy['id']} · {policy['level']} · {where}", style="bold", highlight=False, markup=False)
        for check, allowed in policy["checks"].items():
            console.print(f"  {check}: {_in_words(allowed)}", highlight=False, markup=False)
    if not items:
        console.print("There is no policy: the built-in one counts.")


policies.command("set")(set_policy)
policies.command("delete")(delete_policy)


@units.command("list")
def list_units(
    connection: Connection = None,
    vendor: Vendor = None,
    item: Item = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List the unit factors that people entered."""
    with api(state_dir) as client:
        items = list(client.pages("/v1/unit-factors", connection=connection, vendor=vendor, item=item))
    if as_json:
        console.print_json(data=items)
        return
    shown = table("Unit factors", "item", "vendor", "one", "is", "entered by")
    for factor in items:
        shown.add_row(
            factor["item_id"],
            factor["vendor_id"] or "any",
            factor["unit"],
            f"{factor['factor']} {factor['order_unit']}",
            factor["entered_by"],
        )
    console.print(shown)


def _in_words(allowed: Any) -> str:
    if not isinstance(allowed, dict):
        return str(allowed)
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in allowed.items() if value is not None)
