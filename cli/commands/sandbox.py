"""`posync sandbox`: run, fill and break the pretend ERPs."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from cli.client.endpoints import running_stack
from cli.client.sandbox_control import SandboxControl, SandboxRefused
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, console, errors, table
from cli.local.processes import our_program
from settings import CommandVariable

app = typer.Typer(no_args_is_help=True, help="The pretend ERPs, which speak the real protocols.")

NAMES = {
    "intacct": "Intacct",
    "netsuite": "NetSuite",
    "quickbooks_online": "QuickBooks Online",
    "quickbooks_desktop": "QuickBooks Desktop",
}
NUMBERS = ("times", "after", "happened")

Url = Annotated[
    str | None,
    typer.Option(
        "--url", envvar=CommandVariable.SANDBOX_URL, help="The sandbox's address; default: the local stack's."
    ),
]


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8900,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the sandbox alone. Programs other than posync can use it too."""
    _require_sandbox()
    command = our_program("sandbox.server", "--host", host, "--port", str(port))
    os.execv(command[0], command)


@app.command()
def load(
    path: Annotated[Path, typer.Argument(exists=True, help="A folder of neutral CSV files, or one of them.")],
    kind: Annotated[str | None, typer.Option(help="vendors, items ...; default: by the file's name.")] = None,
    erp: Annotated[str, typer.Option(help="Into which pretend ERP.")] = "intacct",
    create_missing: Annotated[bool, typer.Option(help="Create missing vendors, items ... that orders name.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Load vendors, items, purchase orders and receipts. Bad rows are reported by line; the others go on."""
    _require_sandbox()
    from sandbox import neutral

    try:
        content, problems = neutral.read_path(path, kind)
    except neutral.BadInput as error:
        raise typer.BadParameter(str(error), param_hint="path") from error
    target = f"/companies/{erp}/load?create_missing={str(create_missing).lower()}"
    answer = _control(url, state_dir).post(target, content)
    problems += answer.pop("errors")
    if as_json:
        console.print_json(data=answer)
    else:
        console.print(f"Loaded {_counted(answer['loaded'])} into the pretend {NAMES.get(erp, erp)} company.")
    for problem in problems:
        errors.print(f"[red]{problem['kind']}, line {problem['line']}: {problem['message']}[/]")
    if problems:
        raise typer.Exit(1)


@app.command()
def sample(
    erp: Annotated[str, typer.Option(help="Into which pretend ERP.")] = "intacct",
    as_json: AsJson = False,
    url: Url = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Replace the company's records with the built-in sample."""
    answer = _control(url, state_dir).post(f"/companies/{erp}/sample")
    if as_json:
        console.print_json(data=answer)
        return
    orders = answer["purchase_orders"]
    console.print(f"The pretend {NAMES.get(erp, erp)} company now holds {_counted(answer['loaded'])}.")
    console.print(f"Its purchase orders are {orders[0]} to {orders[-1]}.")
    console.print("They are some months old. Connections that have synced before bring them in with `posync backfill`.")


@app.command()
def reset(as_json: AsJson = False, url: Url = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Delete all companies' records, faults and call counts."""
    answer = _control(url, state_dir).post("/reset")
    if as_json:
        console.print_json(data=answer)
    else:
        console.print("The pretend companies are empty, nothing is broken, and calls are counted from zero.")


@app.command()
def faults(
    kind: Annotated[str | None, typer.Argument(help="lost_answer, unavailable ...; default: show the faults.")] = None,
    operation: Annotated[
        str, typer.Option(help="The operation that fails: create_potransaction, query ...; * is any.")
    ] = "*",
    times: Annotated[int | None, typer.Option(help="How often it fails; default: always.")] = None,
    after: Annotated[int, typer.Option(help="Let this many calls pass first.")] = 0,
    clear: Annotated[bool, typer.Option("--clear", help="Remove all faults.")] = False,
    erp: Annotated[str, typer.Option(help="The pretend ERP to break.")] = "intacct",
    url: Url = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Add a fault to the sandbox, show its faults, or remove them."""
    control = _control(url, state_dir)
    if clear:
        answer = control.delete("/faults")
    elif kind is None:
        answer = control.get("/faults")
    else:
        rule = {"erp": erp, "kind": kind, "operation": operation, "times": times, "after": after}
        answer = control.post("/faults", {"rules": [rule]})
    if kind is None and not clear:
        kinds = table("Kinds", "kind", "what it does")
        for name, does in answer["kinds"].items():
            kinds.add_row(name, does)
        console.print(kinds)
    if not answer["rules"]:
        console.print("Nothing is broken.")
        return
    shown = table("Broken now", "kind", "ERP", "operation", "times", "after", "happened", right=NUMBERS)
    for rule in answer["rules"]:
        often = "for ever" if rule["times"] is None else str(rule["times"])
        numbers = (often, str(rule["after"]), str(rule["fired"]))
        shown.add_row(rule["kind"], rule["erp"], rule["operation"], *numbers)
    console.print(shown)


def _counted(loaded: Mapping[str, int]) -> str:
    """Return the number of records of each kind in words: `10 vendors, 1 bank account and 34 purchase orders`."""
    parts = [f"{count} {_kind(kind, count)}" for kind, count in loaded.items() if count]
    if len(parts) < 2:
        return parts[0] if parts else "nothing"
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _kind(kind: str, count: int) -> str:
    words = kind.replace("_", " ")
    if count != 1:
        return words
    return {"classes": "class", "entities": "entity"}.get(words, words.removesuffix("s"))


def _require_sandbox() -> None:
    if find_spec("sandbox") is None:
        raise SandboxRefused("the pretend ERPs are not in this installation: run `pip install 'posync[sandbox]'`")


def _control(url: str | None, state_dir: Path) -> SandboxControl:
    if url is None:
        stack = running_stack(state_dir)
        url = stack.sandbox_url if stack else None
    if url is None:
        raise SandboxRefused(f"no sandbox runs from {state_dir}; start one with `posync up`, or pass --url")
    return SandboxControl(url)
