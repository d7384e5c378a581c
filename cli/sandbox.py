"""`posync sandbox`: the pretend ERPs."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.addresses import running_stack
from cli.sandbox_control import SandboxControl, SandboxRefused
from cli.screen import DEFAULT_STATE_DIR, StateDir, console, errors, table
from sandbox import neutral

app = typer.Typer(no_args_is_help=True, help="The pretend ERPs, on their real protocols.")

NUMBERS = ("times", "after", "happened")

Url = Annotated[str | None, typer.Option("--url", envvar="POSYNC_SANDBOX_URL", help="Without it: the local stack's.")]


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8900,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the sandbox alone, for other people's clients too."""
    os.execv(sys.executable, [sys.executable, "-m", "sandbox.server", "--host", host, "--port", str(port)])


@app.command()
def load(
    path: Annotated[Path, typer.Argument(exists=True, help="A folder of neutral CSV files, or one of them.")],
    kind: Annotated[str | None, typer.Option(help="vendors, items ...; without it: the file's name says.")] = None,
    erp: Annotated[str, typer.Option(help="Into which pretend ERP.")] = "intacct",
    create_missing: Annotated[bool, typer.Option(help="Make vendors, items ... that orders name.")] = False,
    url: Url = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Load vendors, items, purchase orders and receipts. Bad rows are reported by line, the others go on."""
    try:
        content, problems = neutral.read_path(path, kind)
    except neutral.BadInput as error:
        raise typer.BadParameter(str(error), param_hint="path") from error
    target = f"/companies/{erp}/load?create_missing={str(create_missing).lower()}"
    answer = _control(url, state_dir).post(target, content)
    problems += answer.pop("errors")
    console.print_json(data=answer)
    for problem in problems:
        errors.print(f"[red]{problem['kind']}, line {problem['line']}: {problem['message']}[/]")
    if problems:
        raise typer.Exit(1)


@app.command()
def sample(
    erp: Annotated[str, typer.Option(help="Into which pretend ERP.")] = "intacct",
    url: Url = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Load the built-in sample company."""
    console.print_json(data=_control(url, state_dir).post(f"/companies/{erp}/sample"))


@app.command()
def reset(url: Url = None, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Empty companies, faults and call counts."""
    console.print_json(data=_control(url, state_dir).post("/reset"))


@app.command()
def faults(
    kind: Annotated[str | None, typer.Argument(help="lost_answer, unavailable ...; none: show them.")] = None,
    operation: Annotated[str, typer.Option(help="create_potransaction, query ...")] = "*",
    times: Annotated[int | None, typer.Option(help="How often; for ever without it.")] = None,
    after: Annotated[int, typer.Option(help="Let so many calls pass first.")] = 0,
    clear: Annotated[bool, typer.Option("--clear", help="Take all faults away.")] = False,
    erp: Annotated[str, typer.Option(help="In which pretend ERP.")] = "intacct",
    url: Url = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Break the sandbox on purpose, show what is broken, or mend it."""
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


def _control(url: str | None, state_dir: Path) -> SandboxControl:
    if url is None:
        stack = running_stack(state_dir)
        url = stack.sandbox_url if stack else None
    if url is None:
        raise SandboxRefused(f"no sandbox runs from {state_dir}; start one with `posync up`, or pass --url")
    return SandboxControl(url)
