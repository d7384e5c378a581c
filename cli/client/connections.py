"""Find the connection that a command is about: the one that is named, or the only one there is."""

from typing import Annotated

import typer

from cli.client.api_client import Api
from models.domain.connections import ConnectionState

ConnectionOption = Annotated[
    str | None, typer.Option("--connection", help="The connection's id; not needed if there is only one.")
]


def the_connection(client: Api, given: str | None) -> str:
    """Return the id of the connection.

    Raises:
        typer.BadParameter: none is named, and there is not exactly one.
    """
    if given is not None:
        return given
    ids = connections_in_use(client)
    if len(ids) != 1:
        known = f"say which one ({', '.join(ids)})" if ids else "there is none yet; make one with `posync connect`"
        raise typer.BadParameter(known, param_hint="connection")
    return ids[0]


def connections_in_use(client: Api) -> list[str]:
    """Return the ids of the organization's connections; of those that no ERP has let in yet only if there is no other:
    nothing is behind them."""
    known = list(client.pages("/v1/connections"))
    let_in = [one for one in known if one["state"] != ConnectionState.PENDING_AUTHORIZATION or one["company"]]
    return [str(one["id"]) for one in let_in or known]


def today_of(client: Api, connection_id: str) -> str:
    """Return which day it is for the connection, like 2026-11-30."""
    return str(client.get(f"/v1/connections/{connection_id}")["today"])
