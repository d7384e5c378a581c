"""`posync web-connector`: show when the Web Connectors of QuickBooks Desktop called last, what waits, what is wrong."""

from typing import Annotated, Any

import typer

from cli.client.api_client import Api, ApiProblem
from cli.client.terminal import DEFAULT_STATE_DIR, AsJson, StateDir, api, console, table
from models.domain.connections import Erp


def web_connector(
    connection: Annotated[str | None, typer.Argument(help="The connection's id; without it, all of them.")] = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show when each Web Connector of QuickBooks Desktop called last, how many requests wait, and what is wrong."""
    with api(state_dir) as client:
        shown = [_of(client, connection)] if connection else _all(client)
    if as_json:
        console.print_json(data=shown)
        return
    rows = table("Web Connectors", "connection", "last contact (UTC)", "every", "waiting", "company file", "problem")
    for one in shown:
        last = (one["last_contact_at"] or "never")[:19].replace("T", " ")
        problem = (one["problem"] or {}).get("code", "-")
        file, waiting = one["company_file"] or "-", str(one["waiting"])
        rows.add_row(one["connection_id"], last, f"{one['every_minutes']} min", waiting, file, problem)
    console.print(rows)


def _of(client: Api, connection_id: str) -> dict[str, Any]:
    return {"connection_id": connection_id, **client.get(f"/v1/connections/{connection_id}/web_connector")}


def _all(client: Api) -> list[dict[str, Any]]:
    shown = []
    for connection in client.get("/v1/connections")["items"]:
        if connection["erp"] == Erp.QUICKBOOKS_DESKTOP:
            try:
                shown.append(_of(client, connection["id"]))
            except ApiProblem as problem:
                if problem.code != "NO_WEB_CONNECTOR":
                    raise
    return shown
