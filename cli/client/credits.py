"""Find a credit by the number that people know it by."""

from typing import Any

import typer

from cli.client.api_client import Api, ApiProblem


def find_credit(client: Api, number: str) -> dict[str, Any]:
    """Return a credit by the vendor's number, however it is written, or by its id.

    Raises:
        typer.BadParameter: there is none, or more than one.
    """
    if number.startswith("bill_"):
        try:
            return dict(client.get(f"/v1/credits/{number}"))
        except ApiProblem as problem:
            if problem.status != 404:
                raise
    listed = list(client.pages("/v1/credits", number=number))
    results = [credit for credit in listed if credit["status"] not in ("abandoned", "deleted")] or listed
    if not results:
        raise typer.BadParameter(f"there is no credit {number}; `posync credits list` shows all", param_hint="number")
    if len(results) > 1:
        ids = ", ".join(f"{credit['id']} ({credit['vendor_name']}, {credit['total']})" for credit in results)
        raise typer.BadParameter(f"there is more than one {number}; pass the id of yours: {ids}", param_hint="number")
    return dict(client.get(f"/v1/credits/{results[0]['id']}"))
