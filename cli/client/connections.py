"""Find the connection that a command is about: the one that is named, or the only one there is."""

from typing import Annotated

import typer

from cli.client.api_client import Api

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
    ids = [connection["id"] for connection in client.get("/v1/connections")["items"]]
    if len(ids) != 1:
        raise typer.BadParameter(f"name one with --connection: {', '.join(ids) or 'there is none yet'}")
    return str(ids[0])


def today_of(client: Api, connection_id: str) -> str:
    """Return which day it is for the connection, like 2026-11-30."""
    return str(client.get(f"/v1/connections/{connection_id}")["today"])
