"""`posync bills delete`, `dispute`, `retract`, `restore`: take bills back from the ERP, and make them anew."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.padding import Padding

from cli.client.by_number import find_bill
from cli.client.terminal import DEFAULT_STATE_DIR, StateDir, api, console, errors

BillNumber = Annotated[str, typer.Argument(help="The supplier's invoice number, or the bill's id.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before the bill is taken back from the ERP.")]


def delete(
    number: BillNumber,
    why: Annotated[str, typer.Option(help="The reason; it is stored with the bill.", prompt="Why is it deleted")],
    yes: Yes = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Delete a bill: it is taken back from the ERP, and its quantities are free. `restore` undoes it."""
    _take(state_dir, number, "delete", why, yes=yes)


def dispute(
    number: BillNumber,
    why: Annotated[str, typer.Option(help="The reason; it is stored with the bill.", prompt="What is disputed")],
    yes: Yes = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Dispute a bill: it is taken back from the ERP and stays here until it is restored or abandoned."""
    _take(state_dir, number, "dispute", why, yes=yes)


def retract(
    number: BillNumber,
    why: Annotated[str, typer.Option(help="The reason; it is stored with the bill.", prompt="Why is it sent back")],
    yes: Yes = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Send a bill back to accounts payable: it is taken back from the ERP and waits for its approval again."""
    _take(state_dir, number, "retract", why, yes=yes)


def restore(
    number: BillNumber,
    why: Annotated[str, typer.Option(help="The reason; it is stored with the bill.", prompt="Why is it restored")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Make a bill anew that was deleted, disputed or abandoned: it is matched and approved again."""
    with api(state_dir) as client:
        bill = find_bill(client, number)
        answer = client.post(f"/v1/bills/{bill['id']}/restore", {"reason": why})
    console.print(f"{answer['number']}: {answer['status'].replace('_', ' ')}.")


def _take(state_dir: Path, number: str, action: str, why: str, *, yes: bool) -> None:
    """Show what will be done, ask where the ERP's bill goes, and do it."""
    with api(state_dir) as client:
        bill = find_bill(client, number)
        plan = next(one for one in [*bill["actions"], _unknown(action)] if one["action"] == action)
        if plan["possible"] and plan["way"] and not yes:
            console.print(_in_words(bill, plan))
            for unknown in plan["unknown_until_tried"]:
                console.print(unknown["message"], markup=False)
            typer.confirm("Go on?", abort=True)
        for obstacle in plan["obstacles"]:
            errors.print(obstacle["message"], markup=False)
            for step in obstacle["fix"]:
                errors.print(Padding(f"• {step}", (0, 0, 0, 2)), markup=False)
        if plan["obstacles"]:
            raise typer.Exit(1)
        answer = client.post(f"/v1/bills/{bill['id']}/{action}", {"reason": why})
    console.print(f"{answer['number']}: {answer['status'].replace('_', ' ')}.")


def _unknown(action: str) -> dict[str, Any]:
    """Return the plan of a bill that shows none: the API says why nothing can be done."""
    return {"action": action, "possible": False, "way": None, "obstacles": []}


def _in_words(bill: dict[str, Any], plan: dict[str, Any]) -> str:
    quantity = "its quantities are free again" if plan["frees_quantity"] else "it keeps its quantities"
    dated = f", dated {plan['dated']}" if plan["dated"] else ""
    return f"{bill['document_id']} leaves the ERP ({plan['way']}{dated}), and {quantity}."
