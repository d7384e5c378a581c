"""Put the `posync` command together and run it."""

import inspect
import sys

import typer
from rich.text import Text

from cli.client.api_client import ApiProblem, ApiUnreachable
from cli.client.endpoints import EndpointsUnreadable
from cli.client.sandbox_control import SandboxRefused
from cli.client.terminal import errors, explain
from cli.commands import (
    admin,
    backfill,
    bills,
    clients,
    connect,
    connection_lists,
    connections,
    credits,
    demo,
    deployments,
    exports,
    issues,
    list_changes,
    order_feature,
    order_money,
    payments,
    people,
    policies,
    purchase_orders,
    reports,
    retraction_ways,
    returns,
    sandbox,
    setup,
    source_orders,
    up,
    web_connector,
)
from cli.local.embedded import LocalServersMissing
from cli.local.processes import ProcessFailed
from cli.local.stack import StackFailed
from cli.local.worker_check import WorkerNotServing
from settings import InvalidSettings, TemporalUnreachable, check_variable_names

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Purchase orders, their bills and payments, kept in step between accounts payable and the ERP.",
)

app.command()(up.up)
app.command()(demo.demo)
app.add_typer(connect.app, name="connect")
app.command()(setup.setup)
app.command("purchase-orders")(order_feature.purchase_orders)
app.command()(connections.sync)
app.command()(backfill.backfill)
app.command("web-connector")(web_connector.web_connector)
app.add_typer(purchase_orders.app, name="po")
purchase_orders.app.command("money")(order_money.show_money)
app.add_typer(bills.app, name="bills")
app.add_typer(payments.app, name="payments")
app.add_typer(credits.app, name="credits")
app.add_typer(returns.app, name="returns")
app.add_typer(source_orders.app, name="source-orders")
app.add_typer(people.people, name="people")
app.add_typer(people.approvals, name="approvals")
app.add_typer(retraction_ways.app, name="retractions")
app.add_typer(issues.app, name="issues")
app.add_typer(connection_lists.app, name="connection")
app.add_typer(list_changes.app, name="lists")
app.add_typer(policies.policies, name="policies")
app.add_typer(policies.units, name="units")
app.add_typer(reports.app, name="reports")
app.command("export")(exports.export)
app.add_typer(clients.app, name="clients")
app.add_typer(sandbox.app, name="sandbox")

app.command()(admin.worker)
app.command()(admin.api)
app.command()(admin.migrate)
app.command()(admin.doctor)
app.add_typer(admin.organizations, name="organization")
app.add_typer(admin.keys, name="key")
app.add_typer(admin.credentials, name="credentials")
app.add_typer(deployments.app, name="deployment")


def _list_without_errors(listed: typer.Typer) -> None:
    """Leave out of the lists of commands what a docstring says to programmers after its form feed: the library leaves
    it out of a command's own help only."""
    for command in listed.registered_commands:
        said, programmers, _ = (inspect.getdoc(command.callback) or "").partition("\f")
        if programmers:
            command.short_help = " ".join(said.split())
    for group in listed.registered_groups:
        if group.typer_instance is not None:
            _list_without_errors(group.typer_instance)


_list_without_errors(app)


@app.callback()
def before_every_command() -> None:
    """Refuse environment variables that nothing reads: a misspelt one would be ignored without notice."""
    check_variable_names()


def main() -> None:
    """Run the command. A problem with its surroundings is reported in one line; a bug keeps its traceback."""
    try:
        app(prog_name="posync")
    except ApiProblem as problem:
        errors.print(explain(problem))
    except Exception as failure:
        if not isinstance(failure, explained_failures()):
            raise
        errors.print(Text(f"posync: {failure}", "red"), soft_wrap=True)
    else:
        return
    sys.exit(1)


def explained_failures() -> tuple[type[Exception], ...]:
    """Return the errors whose message tells a person what to do."""
    # Loads slowly, and is needed only once something has failed.
    from models.store.base.database import DatabaseUnreachable
    from models.store.connections.credentials import CredentialsUnreadable

    return (
        ApiUnreachable,
        CredentialsUnreadable,
        DatabaseUnreachable,
        EndpointsUnreadable,
        InvalidSettings,
        LocalServersMissing,
        ProcessFailed,
        SandboxRefused,
        StackFailed,
        TemporalUnreachable,
        WorkerNotServing,
    )
