"""`posync bills approve`, `deny`, `delegate`, `reassign`: people's decisions on the approval of a bill."""

from typing import Annotated, Any

import typer

from cli.client.api_client import Api
from cli.client.by_number import find_bill
from cli.client.terminal import DEFAULT_STATE_DIR, StateDir, api, console

BillNumber = Annotated[str, typer.Argument(help="The supplier's invoice number, or the bill's id.")]
ActingAs = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="EMAIL", help="The person who decides, if the key is a program's that may act for people."
    ),
]


def approve(
    number: BillNumber,
    acting_as: ActingAs = None,
    why: Annotated[str, typer.Option(help="A reason; it is stored with the bill.")] = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Approve the step of a bill whose turn it is."""
    _decide(state_dir, number, acting_as, "approve", {"reason": why})


def deny(
    number: BillNumber,
    why: Annotated[str, typer.Option(help="The reason; it is stored with the bill.", prompt="Why is it denied")],
    acting_as: ActingAs = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Deny a bill: it is not sent before its approvers are named anew."""
    _decide(state_dir, number, acting_as, "deny", {"reason": why})


def delegate(
    number: BillNumber,
    to: Annotated[str, typer.Option(help="The e-mail address of the person who approves instead.")],
    why: Annotated[str, typer.Option(help="The reason; it is stored with the bill.", prompt="Why is it delegated")],
    acting_as: ActingAs = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Give your turn to approve a bill to another approver."""
    with api(state_dir) as client:
        body = {"to": _person(client, to), "reason": why}
    _decide(state_dir, number, acting_as, "approval/delegate", body)


def reassign(
    number: BillNumber,
    approvers: Annotated[
        list[str],
        typer.Option("--step", help="E-mail addresses, with commas between them: one of them approves. Repeat it."),
    ],
    why: Annotated[str, typer.Option(help="The reason; it is stored with the bill.", prompt="Why")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Name who approves a bill, step by step. This needs an accountant's key."""
    with api(state_dir) as client:
        steps = [{"approvers": [_person(client, one) for one in step.split(",")]} for step in approvers]
    _decide(state_dir, number, None, "approval/reassign", {"steps": steps, "reason": why})


def _person(client: Api, email: str) -> str:
    """Return the id of a person.

    Raises:
        typer.BadParameter: there is nobody with this address.
    """
    for person in client.get("/v1/people")["items"]:
        if person["email"] == email.strip().lower():
            return str(person["id"])
    raise typer.BadParameter(f"there is no person {email}; `posync people list` shows all")


def _decide(state_dir: Any, number: str, acting_as: str | None, action: str, body: dict[str, Any]) -> None:
    with api(state_dir) as client:
        bill = find_bill(client, number)
        if acting_as is not None:
            client.act_for(acting_as)
        answer = client.post(f"/v1/bills/{bill['id']}/{action}", body)
    approval, status = (answer[name].replace("_", " ") for name in ("approval", "status"))
    console.print(f"{bill['number']}: approval {approval}, the bill is {status}", highlight=False)
