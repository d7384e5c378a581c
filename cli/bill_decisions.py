"""`posync bills waiting`, `match`, `acknowledge`, `release`, `abandon`: bills that their match keeps back."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding

from cli.screen import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table

BillArgument = Annotated[str, typer.Argument(help="The bill's id, from `posync bills waiting`.")]
WAITING = ("awaiting_acknowledgement", "on_hold")


def waiting(as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show the bills that wait for a person, with what they wait for."""
    with api(state_dir) as client:
        bills = [bill for status in WAITING for bill in client.pages("/v1/bills", status=status)]
        found = [(bill, client.get(f"/v1/bills/{bill['id']}/match")) for bill in bills]
    if as_json:
        console.print_json(data=[match for _, match in found])
        return
    if not found:
        console.print("No bill waits for a person.")
    # A block for each: what is found is a sentence or two, which no column of a terminal has room for.
    for bill, match in found:
        status = bill["status"].replace("_", " ")
        whose = escape(bill["vendor_name"])
        console.print(f"[bold]{escape(bill['number'])}[/] · {whose} · {bill['total']} · {status} · {bill['id']}")
        for finding in (finding for findings in match["needs"].values() for finding in findings):
            console.print(Padding(f"{finding['id']} ({finding['who']}): {escape(finding['message'])}", (0, 0, 0, 2)))
            for step in finding["fix"]:
                console.print(Padding(f"• {escape(step)}", (0, 0, 0, 4)))


def match(bill_id: BillArgument, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show how a bill matched, what is open, and what people decided."""
    with api(state_dir) as client:
        found = client.get(f"/v1/bills/{bill_id}/match")
    if as_json:
        console.print_json(data=found)
        return
    same = "gives the same today" if found["recomputed"]["same"] else "[red]does not give the same today[/]"
    console.print(f"{found['outcome']} · {found['status'].replace('_', ' ')} · {found['why']} · recomputed, it {same}")
    shown = table("Findings", "id", "severity", "what", "who", "fix")
    for finding in found["result"]["findings"]:
        fix = "\n".join(f"• {step}" for step in finding["fix"])
        shown.add_row(finding["id"], finding["severity"], finding["message"], finding["who"], fix)
    console.print(shown)
    for decision in found["decisions"]:
        counts = "" if decision["counts"] else " (does not count any more)"
        console.print(f"{decision['finding_id']} {decision['kind']} by {decision['actor']}: {decision['why']}{counts}")


def acknowledge(
    bill_id: BillArgument,
    finding: Annotated[list[str] | None, typer.Argument(help="Finding ids; without any: all warnings.")] = None,
    why: Annotated[str, typer.Option("--why", help="Kept with the bill.")] = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Let a warned bill go on."""
    with api(state_dir) as client:
        if not finding:
            needs = client.get(f"/v1/bills/{bill_id}/match")["needs"]
            finding = [one["id"] for one in needs["acknowledge"]]
        answer = client.post(f"/v1/bills/{bill_id}/acknowledgements", {"findings": finding, "reason": why})
    _tell(bill_id, answer)


def release(
    bill_id: BillArgument,
    why: Annotated[str, typer.Option("--why", help="The reason; kept with the bill.", prompt="Why may it go on")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Release all holds of a bill; takes an accountant's key."""
    with api(state_dir) as client:
        answer = client.post(f"/v1/bills/{bill_id}/release", {"reason": why})
    _tell(bill_id, answer)


def abandon(
    bill_id: BillArgument,
    why: Annotated[str, typer.Option("--why", help="The reason; kept with the bill.", prompt="Why is it given up")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Give up a bill that was not sent; its quantities and its number are free again."""
    with api(state_dir) as client:
        client.post(f"/v1/bills/{bill_id}/abandon", {"reason": why})
    console.print(f"{bill_id}: given up.")


def _tell(bill_id: str, answer: dict[str, Any]) -> None:
    left = [finding["id"] for findings in answer["needs"].values() for finding in findings]
    rest = f"; left to decide: {', '.join(left)}" if left else ""
    console.print(f"{bill_id}: {answer['status'].replace('_', ' ')}{rest}")
