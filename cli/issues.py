"""`posync issues`: what a person must settle."""

from typing import Annotated

import typer

from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

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
    shown = table("Sync issues", "id", "code", "about", "cause", "fix", "who", "seen", right=("seen",))
    for issue in found:
        fix = "\n".join(f"• {step}" for step in issue["fix"])
        about = f"{issue['subject_kind']} {issue['subject_id']}"
        shown.add_row(issue["id"], issue["code"], about, issue["cause"], fix, issue["who"], str(issue["occurrences"]))
    console.print(shown)


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
