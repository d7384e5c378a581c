"""`posync issues`: what a person must settle."""

from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console

app = typer.Typer(no_args_is_help=True, help="Sync issues: what a person must settle.")

IssueId = Annotated[str, typer.Argument(help="From `posync issues list`.")]
Why = Annotated[str, typer.Option("--why", help="Kept with the issue.")]


@app.command("list")
def list_issues(
    state: Annotated[str | None, typer.Option(help="open, resolved or abandoned; all without it.")] = "open",
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show sync issues with their cause, their fix and who can do it."""
    with api(state_dir) as client:
        found = list(client.pages("/v1/sync-issues", state=state))
    if as_json:
        console.print_json(data=found)
        return
    if not found:
        console.print(f"There is no sync issue that is {state}." if state else "There is no sync issue.")
        return
    # A block for each: causes and fixes are sentences, which no column of a terminal has room for.
    for issue in found:
        often = "" if issue["occurrences"] == 1 else f" · seen {issue['occurrences']} times"
        ended = "" if issue["state"] == "open" else f" · {issue['state']}"
        console.print(f"[bold]{issue['id']}[/] · {issue['code']} · {issue['who']}{often}{ended}")
        console.print(Padding(Text(issue["title"]), (0, 0, 0, 2)))
        console.print(Padding(Text(issue["cause"]), (0, 0, 0, 2)))
        for step in issue["fix"]:
            console.print(Padding(Text(f"• {step}"), (0, 0, 0, 4)))


@app.command("retry")
def retry(issue_id: IssueId, why: Why = "", state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Go on: try again with what was corrected meanwhile."""
    with api(state_dir) as client:
        client.post(f"/v1/sync-issues/{issue_id}/retry", {"why": why})
    console.print(f"{issue_id}: told to try again.")


@app.command("abandon")
def abandon(
    issue_id: IssueId,
    why: Why = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Give up what it concerns; reserved quantities become free."""
    if not yes:
        typer.confirm(f"Give up what {issue_id} concerns?", abort=True)
    with api(state_dir) as client:
        client.post(f"/v1/sync-issues/{issue_id}/abandon", {"why": why})
    console.print(f"{issue_id}: given up.")
