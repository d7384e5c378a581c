"""`posync connect`: connect an ERP. What each ERP needs is listed in its credentials spec."""

import inspect
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup
from typer.main import get_command

from cli.client.api_client import Api, ApiProblem
from cli.client.endpoints import running_stack
from cli.client.sandbox_control import ENDPOINTS, PretendErp, SandboxControl
from cli.client.terminal import DEFAULT_STATE_DIR, StateDir, api, console, errors
from models.domain.connections import ConnectionState, Erp
from models.domain.sync import how_often
from settings import CommandVariable

if TYPE_CHECKING:
    from erp.sign_in import CredentialsSpec, Question

Name = Annotated[str | None, typer.Option(help="The connection's name for people.")]
Existing = Annotated[
    str | None, typer.Option("--connection", help="Authorize this connection anew, instead of making one.")
]
Folder = Annotated[Path, typer.Option("--folder", help="Where the .qwc file is written.")]
OneWay = Annotated[bool, typer.Option("--one-way", help="Bills and payments only go out to the ERP. Permanent.")]
BaseCurrency = Annotated[
    str | None,
    typer.Option("--base-currency", help="Of the ERP's books, such as CAD; only if the ERP does not say it itself."),
]
PurchaseOrders = Annotated[
    bool | None,
    typer.Option(
        "--purchase-orders/--no-purchase-orders",
        help="Sync purchase orders, and match bills with them; an administrator's key is needed. Without it a person is"
        " asked, and they stay off where nobody answers.",
    ),
]
TimeZone = Annotated[
    str | None,
    typer.Option(
        "--time-zone", help="Where the company's days begin and end, like America/New_York; default: those of UTC."
    ),
]
Sandbox = Annotated[bool, typer.Option("--sandbox", help="Connect to the sandbox of the local stack.")]


NAMES = {Erp.QUICKBOOKS_ONLINE: "qbo", Erp.QUICKBOOKS_DESKTOP: "qbd"}
"""Commands with a shorter name than their ERP."""


class _Erps(TyperGroup):
    """One command per ERP, made when it is needed: only this command waits until the connectors are loaded."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [NAMES.get(erp, erp.value) for erp in Erp]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        from erp.registry import CREDENTIALS_SPECS

        erp = next(erp for erp in Erp if NAMES.get(erp, erp.value) == cmd_name)
        spec = CREDENTIALS_SPECS[erp]
        # Plain help: in a frame of 80 columns the names of the options are cut.
        command = typer.Typer(add_completion=False, rich_markup_mode=None)
        command.command(cmd_name, help=_help(spec))(_command(erp, spec))
        return get_command(command)


USUAL_MINUTES = 15
"""How often a new connection syncs."""

SyncEvery = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=1440,
        help="Minutes between two syncs; 0: only when asked. Without it a new connection syncs every 15 minutes.",
    ),
]


app = typer.Typer(cls=_Erps, no_args_is_help=True)


@app.callback()
def connect() -> None:
    """Connect a company of an ERP."""


def _help(spec: "CredentialsSpec") -> str:
    return f"Connect {spec.what}: check the credentials, sync the lists, check the preferences."


def _command(erp: Erp, spec: "CredentialsSpec") -> Callable[..., None]:
    """Return the command that asks for what this ERP needs, and connects with the answers."""

    def command(**given: Any) -> None:
        credentials = {name: given[name] for name in spec.names}
        entity = given[spec.entity.name] if spec.entity is not None else None
        company = credentials[spec.company] if spec.company else erp.value
        _connect(
            erp.value,
            given["name"] or f"{company} {entity or ''}".strip(),
            credentials=credentials,
            entity=entity,
            preferences={question.name: _as_text(given[question.name]) for question in spec.preferences},
            one_way=given["one_way"],
            sync_every=given["sync_every"],
            base_currency=given["base_currency"],
            time_zone=given["time_zone"],
            purchase_orders=given["purchase_orders"],
            endpoint=_sandbox_endpoint(erp.value, given["state_dir"]) if given["sandbox"] else None,
            state_dir=given["state_dir"],
            there=given.get("connection"),
            folder=given.get("folder", Path()),
        )

    options = [
        *(_option(question, required=True, variable=_variable(erp, question)) for question in spec.credentials),
        *([_option(spec.entity)] if spec.entity is not None else []),
        *([_shared("connection", Existing, None)] if spec.kind != "form" else []),
        *([_shared("folder", Folder, Path())] if spec.kind == "web_connector" else []),
        _shared("name", Name, None),
        *(_option(question) for question in spec.preferences),
        _shared("one_way", OneWay, False),
        _shared("sync_every", SyncEvery, None),
        _shared("base_currency", BaseCurrency, None),
        _shared("time_zone", TimeZone, None),
        _shared("purchase_orders", PurchaseOrders, None),
        _shared("sandbox", Sandbox, False),
        _shared("state_dir", StateDir, DEFAULT_STATE_DIR),
    ]
    # Typer reads the options of a command from its signature.
    command.__dict__["__signature__"] = inspect.Signature(options)
    return command


def _option(
    question: "Question", *, required: bool = False, variable: CommandVariable | None = None
) -> inspect.Parameter:
    option = typer.Option(
        help=question.label,
        prompt=question.secret,
        hide_input=question.secret,
        envvar=variable,
    )
    kind: Any = bool if question.yes_or_no else str
    annotation: Any = Annotated[kind if required or question.default else kind | None, option]
    return _shared(question.name, annotation, inspect.Parameter.empty if required else question.default)


def _shared(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _variable(erp: Erp, question: "Question") -> CommandVariable | None:
    """Return the environment variable that a secret may come from, if it has one: with the ERP's name in front, or
    without."""
    names: Iterable[str] = (f"{erp.name}_{question.name.upper()}", question.name.upper())
    return next((CommandVariable[name] for name in names if name in CommandVariable.__members__), None)


def _as_text(value: str | bool | None) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value


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
    sync_every: int | None,
    base_currency: str | None,
    time_zone: str | None,
    purchase_orders: bool | None,
    endpoint: str | None,
    state_dir: Path,
    there: str | None = None,
    folder: Path = Path(),
) -> None:
    """Connect, and set the preferences that are given. The command ends with exit code 1 if they have problems.

    A company that is connected already gets these credentials and preferences, so the command can repair what it made.
    A connection without a schedule gets one: nobody remembers to sync.
    """
    new: dict[str, Any] = {
        "erp": erp,
        "name": name,
        "credentials": dict(credentials),
        "entity": entity,
        "one_way": one_way,
        "endpoint": endpoint,
        "sync_every_minutes": USUAL_MINUTES if sync_every is None else sync_every or None,
        "settings": {"allow_loopback": endpoint is not None},
    }
    if base_currency is not None:
        new["base_currency"] = base_currency
    if time_zone is not None:
        new["time_zone"] = time_zone
    with api(state_dir) as client:
        begun = _begun(client, new) if there is None else client.get(f"/v1/connections/{there}")
        connection = _created_or_existing(client, new, credentials) if begun is None else dict(begun)
        pending = connection.get("state") == ConnectionState.PENDING_AUTHORIZATION
        if pending or there is not None:
            if _by_consent(erp):
                connection = _wait_for_consent(client, connection["id"])
                agreed = f"company {connection['company']}, as {escape(connection['user_name'])} agreed to"
                console.print(f"Connected: [bold]{connection['id']}[/] to {agreed}")
            elif erp == Erp.QUICKBOOKS_DESKTOP:
                connection = _wait_for_web_connector(client, connection["id"], sync_every, folder, endpoint)
            else:
                console.print("The ERP has not let it in yet. Set the preferences once it has.")
                return
        if begun is not None and not _first_time(begun):
            console.print(f"Authorized: [bold]{there}[/]")
            return
        # Before the preferences, with which the first whole sync begins: it reads what is switched on then.
        connection = _with_orders(client, connection, purchase_orders)
        given = {preference: value for preference, value in preferences.items() if value}
        wanted: dict[str, Any] = {"preferences": {**connection["preferences"], **given}}
        if one_way:
            wanted["one_way"] = True
        if base_currency:
            wanted["base_currency"] = base_currency
        if time_zone:
            wanted["time_zone"] = time_zone
        connection = _scheduled(client, _with_preferences(client, connection, wanted), sync_every)
        console.print(
            f"Its books are kept in {connection['base_currency']}; documents in other currencies are left out."
        )
        every = connection["sync_every_minutes"]
        runs = f"It syncs {how_often(every)}." if every else "It syncs only when you ask."
        console.print(f"Ready. {runs} Next: posync sync {connection['id']} --follow")


def _begun(client: Api, new: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the connection that an earlier run of this command made and nobody has let in, so that no second one
    waits beside it."""
    for connection in client.pages("/v1/connections"):
        same = all(connection[field] == new[field] for field in ("erp", "name"))
        if same and _first_time(connection) and (new["endpoint"] in (None, connection["endpoint"])):
            console.print(f"Going on with [bold]{connection['id']}[/], which nobody has let in yet.")
            return dict(connection)
    return None


def _first_time(connection: Mapping[str, Any]) -> bool:
    """Whether the ERP has never let it in: nobody knows yet which company it is of."""
    return connection["state"] == ConnectionState.PENDING_AUTHORIZATION and not connection["company"]


def _created_or_existing(client: Api, new: dict[str, Any], credentials: Mapping[str, str]) -> dict[str, Any]:
    """Return the new connection, or the company's own with the new credentials where it is connected already."""
    try:
        connection = dict(client.post("/v1/connections", new))
    except ApiProblem as refused:
        connection = _the_one_there_is(client, refused, credentials)
        console.print(f"Connected already: [bold]{connection['id']}[/]; it has these credentials now.")
    else:
        if connection.get("state") != ConnectionState.PENDING_AUTHORIZATION:
            console.print(f"Connected: [bold]{connection['id']}[/] as {connection['user_name']}")
    return connection


def _with_preferences(client: Api, connection: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the connection with its preferences.

    Raises:
        typer.Exit: The ERP has problems with them, which are printed.
    """
    answer = client.put(f"/v1/connections/{connection['id']}/preferences", wanted)
    for problem in answer["problems"]:
        errors.print(f"[red]{problem['preference']}[/]: {escape(problem['message'])}")
        for step in problem["fix"]:
            errors.print(f"  • {step}", markup=False)
    if not answer["complete"]:
        errors.print("Lists sync; transactions wait until the preferences are right. Correct them and connect again.")
        raise typer.Exit(1)
    return dict(answer["connection"])


def _with_orders(client: Api, connection: dict[str, Any], wanted: bool | None) -> dict[str, Any]:
    """Return the connection with purchase orders switched as asked; off, unless somebody said otherwise."""
    on = bool(connection.get("purchase_orders_enabled"))
    if wanted is None and not on and sys.stdin.isatty():
        wanted = typer.confirm("Sync its purchase orders, and match bills with them?", default=True)
    if wanted is not None and wanted != on:
        body = {"enabled": wanted}
        connection = dict(client.put(f"/v1/connections/{connection['id']}/purchase-orders", body))
        on = wanted
    if on:
        console.print("Purchase orders are on; matching is 2-way until you set it to 3-way.")
    else:
        console.print(f"Purchase orders are off. Switch them on: posync purchase-orders on {connection['id']}")
    return connection


def _scheduled(client: Api, connection: dict[str, Any], every: int | None) -> dict[str, Any]:
    """Return the connection with the schedule that was asked for; without one, it keeps its own or gets the usual."""
    wanted = every if every is not None else connection["sync_every_minutes"] or USUAL_MINUTES
    if (wanted or None) == connection["sync_every_minutes"]:
        return connection
    body = {"every_minutes": wanted or None}
    return dict(client.put(f"/v1/connections/{connection['id']}/schedule", body))


CONSENT_SECONDS = 600
LOOK_SECONDS = 2.0


def _by_consent(erp: str) -> bool:
    from erp.registry import CREDENTIALS_SPECS
    from erp.sign_in import SignInKind

    return CREDENTIALS_SPECS[Erp(erp)].kind is SignInKind.OAUTH


def _wait_for_consent(client: Api, connection_id: str) -> dict[str, Any]:
    """Send the person to the ERP's page and wait until the ERP has let the connection in."""
    before = client.get(f"/v1/connections/{connection_id}")
    consent = client.post(f"/v1/connections/{connection_id}/authorization")
    console.print("Open this address in a browser and agree there:")
    console.print(consent["url"], soft_wrap=True, markup=False, highlight=False)
    ends = time.monotonic() + CONSENT_SECONDS
    while time.monotonic() < ends:
        connection = dict(client.get(f"/v1/connections/{connection_id}"))
        if connection["version"] != before["version"]:
            return connection
        time.sleep(LOOK_SECONDS)
    errors.print("Nobody has agreed yet. Run the same command once more when somebody can: it goes on with this one.")
    raise typer.Exit(1)


SANDBOX_SECONDS = 1.0
"""How often the sandbox's Web Connector calls."""


def _wait_for_web_connector(
    client: Api, connection_id: str, every: int | None, folder: Path, sandbox: str | None
) -> dict[str, Any]:
    """Write the file and show the password that set the Web Connector up, and wait until it has called. That of the
    sandbox, at its address, is set up here."""
    login = client.post(f"/v1/connections/{connection_id}/web_connector", {"every_minutes": every or None})
    file = folder / f"{connection_id}.qwc"
    file.write_text("".join(client.text(f"/v1/connections/{connection_id}/qwc")), encoding="utf-8")
    before = client.get(f"/v1/connections/{connection_id}/web_connector")["recognized_at"]
    if sandbox is not None:
        computer = PretendErp(SandboxControl(sandbox), Erp.QUICKBOOKS_DESKTOP)
        computer.switch(run_every_seconds=SANDBOX_SECONDS)
        computer.act("add_application", qwc=file.read_text(encoding="utf-8"), password=login["password"])
        computer.act("start_auto_run")
    if sandbox is not None:
        console.print(
            f"Written: [bold]{escape(str(file))}[/]. The sandbox's Web Connector has it, and calls every second."
        )
    else:
        _say_how_to_set_up(file, login["password"])
    ends = time.monotonic() + CONSENT_SECONDS
    while time.monotonic() < ends:
        seen = client.get(f"/v1/connections/{connection_id}/web_connector")["recognized_at"]
        if seen is not None and seen != before:
            return dict(client.get(f"/v1/connections/{connection_id}"))
        time.sleep(LOOK_SECONDS)
    errors.print(
        "The Web Connector has not called yet. Run the same command once more when it can: it goes on with this one."
    )
    raise typer.Exit(1)


def _say_how_to_set_up(file: Path, password: str) -> None:
    console.print(f"Written: [bold]{escape(str(file))}[/]. On the computer with QuickBooks, as its admin:")
    console.print("  1. Open the company file in single-user mode, and the Web Connector beside it.")
    console.print(f"  2. Add an application: {escape(file.name)}. Allow it, also while QuickBooks is not running.")
    console.print("  3. Enter this password, which is shown only now:")
    console.print(f"     {password}", markup=False, highlight=False, soft_wrap=True)
    console.print("  4. Tick Auto-Run, and press Update Selected.")
    console.print("Waiting for its first call; Ctrl-C does no harm.")


def _the_one_there_is(client: Api, problem: ApiProblem, credentials: Mapping[str, str]) -> dict[str, Any]:
    """Return our connection that a new one would repeat, after it got these credentials.

    Raises:
        ApiProblem: the given one, if it is about anything else.
    """
    there = (problem.problem.get("evidence") or {}).get("connection_id")
    if problem.code != "CONNECTION_EXISTS" or there is None:
        raise problem
    return dict(client.put(f"/v1/connections/{there}/credentials", {"credentials": dict(credentials)}))
