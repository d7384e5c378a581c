"""`posync bills waiting`, `match`, `acknowledge`, `release`, `abandon`, `move`, `link`: decide on bills."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.padding import Padding

from cli.client.by_number import find_bill
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table
from cli.commands.purchase_orders import find

BillArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="The supplier's invoice number, or the bill's id.")]
WAITING = ("awaiting_acknowledgement", "on_hold")


def waiting(as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show the bills in review, and what each waits for."""
    with api(state_dir) as client:
        bills = [bill for status in WAITING for bill in client.pages("/v1/bills", status=status)]
        results = [(bill, client.get(f"/v1/bills/{bill['id']}/match")) for bill in bills]
    if as_json:
        console.print_json(data=[match for _, match in results])
        return
    if not results:
        console.print("No bill is in review.")
    # One block per bill: findings are sentences, too long for a column of a terminal.
    for bill, match in results:
        status = bill["status"].replace("_", " ")
        whose = escape(bill["vendor_name"])
        console.print(f"[bold]{escape(bill['number'])}[/] · {whose} · {bill['total']} · {status} · {bill['id']}")
        for finding in (finding for findings in match["needs"].values() for finding in findings):
            console.print(Padding(f"{finding['id']} ({finding['who']}): {escape(finding['message'])}", (0, 0, 0, 2)))
            for step in finding["fix"]:
                console.print(Padding(f"• {escape(step)}", (0, 0, 0, 4)))


def match(bill_id: BillArgument, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Show how a bill matched, what is still open, and what people decided."""
    with api(state_dir) as client:
        bill_id = find_bill(client, bill_id)["id"]
        results = client.get(f"/v1/bills/{bill_id}/match")
    if as_json:
        console.print_json(data=results)
        return
    same = "gives the same today" if results["recomputed"]["same"] else "[red]does not give the same today[/]"
    why = f" · {results['why']}" if results["why"] not in ("", "asked for") else ""
    console.print(f"{results['outcome']} · {results['status'].replace('_', ' ')}{why} · recomputed, it {same}")
    if not results["result"]["findings"]:
        console.print("Nothing was found.")
        return
    shown = table("Findings", "id", "severity", "what", "who", "fix")
    for finding in results["result"]["findings"]:
        fix = "\n".join(f"• {step}" for step in finding["fix"])
        shown.add_row(finding["id"], finding["severity"], finding["message"], finding["who"], fix)
    console.print(shown)
    for decision in results["decisions"]:
        counts = "" if decision["counts"] else " (does not count any more)"
        console.print(f"{decision['finding_id']} {decision['kind']} by {decision['actor']}: {decision['why']}{counts}")


def acknowledge(
    bill_id: BillArgument,
    finding: Annotated[list[str] | None, typer.Argument(help="Finding ids; default: all warnings.")] = None,
    why: Annotated[str, typer.Option("--why", help="A reason; it is stored with the bill.")] = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Acknowledge the warnings of a bill, so that it goes on to the ERP."""
    with api(state_dir) as client:
        bill_id = find_bill(client, bill_id)["id"]
        if not finding:
            needs = client.get(f"/v1/bills/{bill_id}/match")["needs"]
            finding = [one["id"] for one in needs["acknowledge"]]
        answer = client.post(f"/v1/bills/{bill_id}/acknowledgements", {"findings": finding, "reason": why})
    _print_outcome(bill_id, answer)


def release(
    bill_id: BillArgument,
    why: Annotated[
        str, typer.Option("--why", help="The reason; it is stored with the bill.", prompt="Why may it go on")
    ],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Release all holds of a bill. This needs an accountant's key."""
    with api(state_dir) as client:
        bill_id = find_bill(client, bill_id)["id"]
        answer = client.post(f"/v1/bills/{bill_id}/release", {"reason": why})
    _print_outcome(bill_id, answer)


def abandon(
    bill_id: BillArgument,
    why: Annotated[
        str, typer.Option("--why", help="The reason; it is stored with the bill.", prompt="Why is it abandoned")
    ],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Abandon a bill that was not sent. Its quantities and its number are free again."""
    with api(state_dir) as client:
        bill_id = find_bill(client, bill_id)["id"]
        client.post(f"/v1/bills/{bill_id}/abandon", {"reason": why})
    console.print(f"{bill_id}: abandoned.")


def repeat_number(
    bill_id: BillArgument,
    why: Annotated[
        str, typer.Option("--why", help="The reason; it is stored with the bill.", prompt="Why may the number repeat")
    ],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Let a bill be sent although another document of the ERP has its number. This needs an accountant's key."""
    with api(state_dir) as client:
        bill_id = find_bill(client, bill_id)["id"]
        client.post(f"/v1/bills/{bill_id}/repeat-number", {"reason": why})
    console.print(f"{bill_id}: it is sent again, and the ERP told that its number may come twice.")


def move(
    bill_id: BillArgument,
    to: Annotated[str, typer.Option("--to", help="The number or id of the order that it belongs to.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Move a bill that was not sent to another order, item by item."""
    with api(state_dir) as client:
        bill_id = find_bill(client, bill_id)["id"]
        order = find(client, to)
        draft = client.get(f"/v1/bills/{bill_id}/draft", purchase_order_id=order["id"])
        if draft["unassigned"]:
            for line in draft["unassigned"]:
                console.print(f"Order {to} has no line for {line['item_id'] or line['description']}.")
            raise typer.Exit(1)
        answer = client.post(f"/v1/purchase-orders/{order['id']}/bills/{bill_id}", draft)
    console.print(f"{answer['bill']['id']}: {draft['number']} is on order {draft['purchase_order_number']} now.")
    for finding in answer["match"]["findings"]:
        console.print(f"  {finding['id']}: {finding['message']}")


def unlink(bill_id: BillArgument, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Take a bill that was not sent off its order. It is kept as a draft: `move` or `correct --po` put it on an order
    again."""
    with api(state_dir) as client:
        bill = find_bill(client, bill_id)
        unlinked = client.post(f"/v1/bills/{bill['id']}/unlink")
    order = f" of order {bill['reference']}" if bill["reference"] else ""
    console.print(f"{bill['number']}: {unlinked['bill']['status']}; its quantities{order} are free.", highlight=False)


def link(
    bill_id: BillArgument,
    to: Annotated[str, typer.Option("--to", help="The number or id of the order that it belongs to.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Link a bill that was made in the ERP to its order. Nothing is written to the ERP."""
    with api(state_dir) as client:
        bill = find_bill(client, bill_id)
        order = find(client, to)
        linked = client.post(f"/v1/bills/{bill['id']}/link", {"purchase_order_id": order["id"]})
    by_hand = "; edits of it are made by hand in both systems" if linked["manual_both_sides"] else ""
    console.print(f"{linked['id']}: {linked['number']} is linked to order {order['number']}{by_hand}.")


def _print_outcome(bill_id: str, answer: dict[str, Any]) -> None:
    left = [finding["id"] for findings in answer["needs"].values() for finding in findings]
    rest = f"; left to decide: {', '.join(left)}" if left else ""
    console.print(f"{bill_id}: {answer['status'].replace('_', ' ')}{rest}")
