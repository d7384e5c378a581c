"""Find a bill, a credit or a payment by the number that people know it by."""

from typing import Any, Literal

import typer

from cli.client.api_client import Api, ApiProblem


def find_bill(client: Api, number: str) -> dict[str, Any]:
    """Return a bill by the supplier's number, however it is written, or by its id.

    Raises:
        typer.BadParameter: there is none, or more than one.
    """
    return _find(client, "bill", number, "`posync bills list` shows all")


def find_credit(client: Api, number: str) -> dict[str, Any]:
    """Return a credit by the vendor's number, however it is written, or by its id.

    Raises:
        typer.BadParameter: there is none, or more than one.
    """
    return _find(client, "credit", number, "`posync credits list` shows all")


def find_payment(client: Api, named: str) -> dict[str, Any]:
    """Return a payment by its number for people, by its id in one's own system, by the number of a bill that it alone
    pays, or by its id.

    Raises:
        typer.BadParameter: there is none, or more than one.
    """
    if named.startswith("pay_"):
        try:
            return dict(client.get(f"/v1/payments/{named}"))
        except ApiProblem as problem:
            if problem.status != 404:
                raise
    results = _live(list(client.pages("/v1/payments", reference=named)))
    if not results and (bills := _live(list(client.pages("/v1/bills", number=named)))):
        results = _live([payment for bill in bills for payment in client.pages("/v1/payments", bill=bill["id"])])
    if not results:
        raise typer.BadParameter(f"there is no payment {named}; `posync payments list` shows all")
    if len(results) > 1:
        ids = ", ".join(f"{one['id']} ({one['amount']} on {one['pay_on']})" for one in results)
        raise typer.BadParameter(f"there is more than one payment {named}; pass the id of yours: {ids}")
    return dict(client.get(f"/v1/payments/{results[0]['id']}"))


def _live(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those that count still; all, if none does."""
    return [one for one in listed if one["status"] not in ("abandoned", "deleted", "voided")] or listed


def find_issue(client: Api, of: str) -> str:
    """Return the id of the one open issue of a bill, order or payment, by its number; an issue's id is taken as it is.

    Raises:
        typer.BadParameter: there is none, or more than one.
    """
    if of.startswith("issue_"):
        return of
    listed = client.pages("/v1/sync-issues", state="open")
    results = [issue for issue in listed if issue["subject_name"].casefold() == of.strip().casefold()]
    if not results:
        raise typer.BadParameter(f"{of} has no open issue; `posync issues list` shows all", param_hint="ID")
    if len(results) > 1:
        ids = ", ".join(f"{one['id']} ({one['code']}, {one['connection_id']})" for one in results)
        raise typer.BadParameter(f"{of} has more than one; pass the id of yours: {ids}", param_hint="ID")
    return str(results[0]["id"])


def _find(client: Api, what: Literal["bill", "credit"], number: str, all_of_them: str) -> dict[str, Any]:
    path = f"/v1/{what}s"
    if number.startswith("bill_"):  # a credit's id begins so too
        try:
            return dict(client.get(f"{path}/{number}"))
        except ApiProblem as problem:
            if problem.status != 404:
                raise
    listed = list(client.pages(path, number=number))
    results = _live(listed)
    if not results:
        raise typer.BadParameter(f"there is no {what} {number}; {all_of_them}", param_hint="number")
    if len(results) > 1:
        ids = ", ".join(f"{one['id']} ({one['vendor_name']}, {one['total']})" for one in results)
        raise typer.BadParameter(f"there is more than one {number}; pass the id of yours: {ids}", param_hint="number")
    return dict(client.get(f"{path}/{results[0]['id']}"))
