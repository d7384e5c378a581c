"""`posync issues`: show and settle what needs a person."""

from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from cli.client.by_number import find_issue
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console

app = typer.Typer(no_args_is_help=True, help="Sync issues: problems that a person must settle.")

IssueId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The issue's id, from `posync issues list`, or the number of the bill, order or payment that it is about.",
    ),
]
Why = Annotated[str, typer.Option("--why", help="A reason; it is stored with the issue.")]


@app.command("list")
def list_issues(
    state: Annotated[str | None, typer.Option(help="open, resolved or abandoned.")] = "open",
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show sync issues, with cause, fix and who can do it."""
    with api(state_dir) as client:
        result = list(client.pages("/v1/sync-issues", state=state))
    if as_json:
        console.print_json(data=result)
        return
    if not result:
        console.print(f"There is no sync issue that is {state}." if state else "There is no sync issue.")
        return
    # One block per issue: causes and fixes are sentences, too long for a column of a terminal.
    for issue in result:
        often = "" if issue["occurrences"] == 1 else f" · seen {issue['occurrences']} times"
        ended = "" if issue["state"] == "open" else f" · {issue['state']}"
        console.print(f"[bold]{issue['id']}[/] · {issue['code']} · {issue['who']}{often}{ended}")
        console.print(Padding(Text(issue["title"]), (0, 0, 0, 2)))
        console.print(Padding(Text(issue["cause"]), (0, 0, 0, 2)))
        for step in issue["fix"]:
            console.print(Padding(Text(f"• {step}"), (0, 0, 0, 4)))


@app.command("retry")
def retry(issue_id: IssueId, why: Why = "", state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Retry after the cause of the issue was corrected.

    \f
    Raises:
        typer.BadParameter: No issue is open under that number, or more than one.
    """
    with api(state_dir) as client:
        issue_id = find_issue(client, issue_id)
        client.post(f"/v1/sync-issues/{issue_id}/retry", {"why": why})
    console.print(f"{issue_id}: asked to try again.")


@app.command("abandon")
def abandon(
    issue_id: IssueId,
    why: Why = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for a confirmation.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Abandon the bill, payment or edit the issue is about. Reserved quantities are free again.

    \f
    Raises:
        typer.BadParameter: No issue is open under that number, or more than one.
    """
    if not yes:
        typer.confirm(f"Abandon what {issue_id} concerns?", abort=True)
    with api(state_dir) as client:
        issue_id = find_issue(client, issue_id)
        client.post(f"/v1/sync-issues/{issue_id}/abandon", {"why": why})
    console.print(f"{issue_id}: asked to abandon.")
