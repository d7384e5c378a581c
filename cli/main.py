"""The `posync` command."""

import sys

import typer
from rich.panel import Panel
from rich.text import Text

from cli import admin, bills, clients, connect, connections, demo, issues, purchase_orders, reports, sandbox, up
from cli.api_client import ApiProblem, ApiUnreachable
from cli.processes import ProcessFailed
from cli.sandbox_control import SandboxRefused
from cli.screen import errors, explain
from cli.stack import StackFailed

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Purchase orders, their bills and payments, kept in step between accounts payable and the ERP.",
)

app.command()(up.up)
app.command()(demo.demo)
app.add_typer(connect.app, name="connect")
app.command()(connections.sync)
app.add_typer(purchase_orders.app, name="po")
app.add_typer(bills.app, name="bills")
app.add_typer(issues.app, name="issues")
app.add_typer(reports.app, name="reports")
app.add_typer(clients.app, name="clients")
app.add_typer(sandbox.app, name="sandbox")

app.command()(admin.worker)
app.command()(admin.api)
app.command()(admin.migrate)
app.add_typer(admin.organizations, name="organization")
app.add_typer(admin.keys, name="key")
app.add_typer(admin.credentials, name="credentials")


def main() -> None:
    """Run the command. Our own errors are shown as what they are; anything else is a bug and keeps its traceback."""
    try:
        app()
    except ApiProblem as problem:
        errors.print(explain(problem))
    except (ApiUnreachable, ProcessFailed, SandboxRefused, StackFailed) as failure:
        errors.print(Panel(Text(str(failure)), border_style="red"))
    else:
        return
    sys.exit(1)
