"""`posync connect`: the link to an ERP. One command per ERP, because each asks for other things."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.addresses import running_stack
from cli.api_client import Api, ApiProblem
from cli.sandbox_control import ENDPOINTS
from cli.screen import DEFAULT_STATE_DIR, StateDir, api, console, errors

app = typer.Typer(no_args_is_help=True, help="Connect a company of an ERP.")

Name = Annotated[str | None, typer.Option(help="How people call this connection.")]
BankAccount = Annotated[str | None, typer.Option(help="The account bills are paid from.")]
OneWay = Annotated[bool, typer.Option("--one-way", help="Bills and payments only go out; permanent.")]
Sandbox = Annotated[bool, typer.Option("--sandbox", help="The sandbox of the local stack.")]


@app.command()
def intacct(
    company: Annotated[str, typer.Option(help="The company id.")],
    user: Annotated[str, typer.Option(help="The Web Services user.")],
    sender_id: Annotated[str, typer.Option(help="The sender id.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="POSYNC_INTACCT_PASSWORD")],
    sender_password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="POSYNC_SENDER_PASSWORD")],
    entity: Annotated[str | None, typer.Option(help="Bind the sync to this entity.")] = None,
    name: Name = None,
    po_template: Annotated[str, typer.Option(help="Transaction definition, exactly as spelt.")] = "Purchase Order",
    vendor_invoice_template: Annotated[str, typer.Option(help="The same, for vendor invoices.")] = "Vendor Invoice",
    receiver_template: Annotated[
        str | None, typer.Option(help="The same, for receivers; 3-way matching needs it.")
    ] = None,
    bank_account: BankAccount = None,
    one_way: OneWay = False,
    sandbox: Sandbox = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Connect a Sage Intacct company: the credentials are checked, the lists come in, the preferences are proven."""
    _connect(
        "intacct",
        name or f"{company} {entity or ''}".strip(),
        credentials={
            "sender_id": sender_id,
            "sender_password": sender_password,
            "company": company,
            "user": user,
            "password": password,
        },
        entity=entity,
        preferences={
            "po_template": po_template,
            "vendor_invoice_template": vendor_invoice_template,
            "receiver_template": receiver_template,
            "bank_account": bank_account,
        },
        one_way=one_way,
        endpoint=_sandbox_endpoint("intacct", state_dir) if sandbox else None,
        state_dir=state_dir,
    )


@app.command()
def netsuite(
    account: Annotated[str, typer.Option(help="The account id as NetSuite shows it, for example 1234567_SB1.")],
    consumer_key: Annotated[str, typer.Option(help="Of the integration record.")],
    token_id: Annotated[str, typer.Option(help="Of the access token.")],
    consumer_secret: Annotated[
        str, typer.Option(prompt=True, hide_input=True, envvar="POSYNC_NETSUITE_CONSUMER_SECRET")
    ],
    token_secret: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="POSYNC_NETSUITE_TOKEN_SECRET")],
    subsidiary: Annotated[str | None, typer.Option(help="Bind the sync to this one, by its internal id.")] = None,
    name: Name = None,
    bank_account: BankAccount = None,
    bill_in_advance: Annotated[
        bool | None,
        typer.Option(help="Whether the account bills in advance of receipt; without it NetSuite is asked."),
    ] = None,
    one_way: OneWay = False,
    sandbox: Sandbox = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Connect an Oracle NetSuite account: the token is checked, the lists come in, the preferences are proven."""
    _connect(
        "netsuite",
        name or f"{account} {subsidiary or ''}".strip(),
        credentials={
            "account": account,
            "consumer_key": consumer_key,
            "consumer_secret": consumer_secret,
            "token_id": token_id,
            "token_secret": token_secret,
        },
        entity=subsidiary,
        preferences={
            "bank_account": bank_account,
            "bill_in_advance": None if bill_in_advance is None else str(bill_in_advance).lower(),
        },
        one_way=one_way,
        endpoint=_sandbox_endpoint("netsuite", state_dir) if sandbox else None,
        state_dir=state_dir,
    )


def _sandbox_endpoint(erp: str, state_dir: Path) -> str:
    stack = running_stack(state_dir)
    if stack is None or stack.sandbox_url is None:
        raise typer.BadParameter(f"no sandbox runs from {state_dir}", param_hint="--sandbox")
    return stack.sandbox_url + ENDPOINTS[erp]


def _connect(
    erp: str,
    name: str,
    *,
    credentials: Mapping[str, str],
    entity: str | None,
    preferences: Mapping[str, str | None],
    one_way: bool,
    endpoint: str | None,
    state_dir: Path,
) -> None:
    """Connect and set the preferences that are given. Ends with 1 when they do not hold.

    What is connected already gets these credentials and preferences, so that the command repairs what it made.
    """
    new = {
        "erp": erp,
        "name": name,
        "credentials": dict(credentials),
        "entity": entity,
        "one_way": one_way,
        "endpoint": endpoint,
        "settings": {"allow_loopback": endpoint is not None},
    }
    with api(state_dir) as client:
        try:
            connection = client.post("/v1/connections", new)
            console.print(f"Connected: [bold]{connection['id']}[/] as {connection['user_name']}")
        except ApiProblem as refused:
            connection = _the_one_there_is(client, refused, credentials)
            console.print(f"Connected already: [bold]{connection['id']}[/]; it has these credentials now.")
        given = {preference: value for preference, value in preferences.items() if value}
        wanted: dict[str, Any] = {"preferences": {**connection["preferences"], **given}}
        if one_way:
            wanted["one_way"] = True
        answer = client.put(f"/v1/connections/{connection['id']}/preferences", wanted)
        for problem in answer["problems"]:
            errors.print(f"[red]{problem['preference']}[/]: {escape(problem['message'])}")
            for step in problem["fix"]:
                errors.print(f"  • {step}", markup=False)
        if not answer["complete"]:
            errors.print("Lists sync; transactions wait until the preferences hold. Correct them and connect again.")
            raise typer.Exit(1)
        console.print(f"Ready. Next: posync sync {connection['id']} --follow")


def _the_one_there_is(client: Api, problem: ApiProblem, credentials: Mapping[str, str]) -> dict[str, Any]:
    """The connection of ours that a new one would double, with these credentials. Raises the problem otherwise."""
    there = (problem.problem.get("evidence") or {}).get("connection_id")
    if problem.code != "CONNECTION_EXISTS" or there is None:
        raise problem
    return dict(client.put(f"/v1/connections/{there}/credentials", {"credentials": dict(credentials)}))
