"""Find a bill by the number that people know it by."""

from typing import Any

import typer

from cli.client.api_client import Api, ApiProblem


def find_bill(client: Api, number: str) -> dict[str, Any]:
    """Return a bill by the supplier's number, however it is written, or by its id.

    Raises:
        typer.BadParameter: there is none, or more than one.
    """
    if number.startswith("bill_"):
        try:
            return dict(client.get(f"/v1/bills/{number}"))
        except ApiProblem as problem:
            if problem.status != 404:
                raise
    listed = list(client.pages("/v1/bills", number=number))
    results = [bill for bill in listed if bill["status"] not in ("abandoned", "deleted")] or listed
    if not results:
        raise typer.BadParameter(f"there is no bill {number}; `posync bills list` shows all", param_hint="number")
    if len(results) > 1:
        ids = ", ".join(f"{bill['id']} ({bill['vendor_name']}, {bill['total']})" for bill in results)
        raise typer.BadParameter(f"there is more than one {number}; pass the id of yours: {ids}", param_hint="number")
    return dict(client.get(f"/v1/bills/{results[0]['id']}"))
