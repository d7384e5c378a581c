"""`posync policies set` and `delete`: say how far a bill may differ from its order, and where."""

from typing import Annotated, Any

import typer

from cli.client.terminal import DEFAULT_STATE_DIR, StateDir, api, console

SETTINGS = (
    "warn_on_over_receipt",
    "allow_received_before_close",
    "returns_reduce_ordered",
    "match_mode",
    "small_bill_total",
    "bill_date_days_back",
    "bill_date_days_ahead",
)
SCOPE = ("connection_id", "vendor_id", "item_id", "category", "entity")


def set_policy(
    allowed: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="price.warn.pct=2, price.block.abs=25.00, match_mode=none, ...; an empty VALUE takes one back.",
        ),
    ],
    connection: Annotated[str | None, typer.Option(help="For this connection; default: all.")] = None,
    vendor: Annotated[str | None, typer.Option(help="For this vendor, by its id.")] = None,
    item: Annotated[str | None, typer.Option(help="For this item.")] = None,
    category: Annotated[str | None, typer.Option(help="For items of this category.")] = None,
    entity: Annotated[str | None, typer.Option(help="For this entity.")] = None,
    why: Annotated[str, typer.Option(help="The reason; it is kept.")] = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Change the tolerance policy of a scope, or make it where there is none. What is not named stays.

    Bills in review are matched again with it.
    """
    scope = dict(zip(SCOPE, (connection, vendor, item, category, entity), strict=True))
    with api(state_dir) as client:
        stored = next(
            (
                one
                for one in client.pages("/v1/tolerance-policies", limit=200)
                if all(one["scope"].get(name) == value for name, value in scope.items())
            ),
            None,
        )
        body: dict[str, Any] = {"scope": scope, "checks": {}, "why": why}
        if stored is not None:
            body |= {"checks": stored["checks"], **{name: stored[name] for name in SETTINGS}}
        for text in allowed:
            _change(body, text)
        if stored is None:
            policy = client.post("/v1/tolerance-policies", body)
        else:
            policy = client.put(f"/v1/tolerance-policies/{stored['id']}", body)
    done = "made" if stored is None else "changed"
    console.print(f"{policy['id']} is {done}, version {policy['version']}: posync policies list", highlight=False)


def delete_policy(
    policy_id: Annotated[str, typer.Argument(help="The policy's id, as `posync policies list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Delete a tolerance policy: the next wider one counts in its place."""
    if not yes:
        typer.confirm(f"Delete {policy_id}?", abort=True)
    with api(state_dir) as client:
        client.delete(f"/v1/tolerance-policies/{policy_id}")
    console.print(f"{policy_id} is deleted.", highlight=False)


def _change(body: dict[str, Any], text: str) -> None:
    """Set what `NAME=VALUE` says; names of checks are written with dots.

    Raises:
        typer.BadParameter: it is not of that form.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="NAME=VALUE")
    if name in SETTINGS:
        body[name] = {"true": True, "false": False}.get(value, value) if value else None
        if name.startswith("bill_date") and value.isdecimal():
            body[name] = int(value)
        return
    check, *parts = name.split(".")
    if len(parts) != 2:
        names = ", ".join(SETTINGS)
        raise typer.BadParameter(
            f"{name!r} is neither CHECK.LEVEL.LIMIT nor one of {names}", param_hint="NAME=VALUE..."
        )
    level, limit = parts
    tolerance = dict(body["checks"].get(check) or {})
    band = {**(tolerance.get(level) or {}), limit: value or None}
    body["checks"] = {**body["checks"], check: {**tolerance, level: band}}
