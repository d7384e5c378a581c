"""Read the lines of a bill: those of the API's draft, and those that are written on the command line."""

from decimal import Decimal, InvalidOperation
from typing import Any

import typer

from cli.client.api_client import Api


def drafted_lines(client: Api, order_id: str) -> list[dict[str, Any]]:
    """Return all lines that are left to bill, as the API's draft has them."""
    draft = client.get(f"/v1/purchase-orders/{order_id}/bill-draft")
    return [
        {"order_line_id": line["order_line_id"], "quantity": line["quantity"], "price": line["price"]}
        for line in draft["lines"]
        if Decimal(line["quantity"]) > 0
    ]


def written_line(text: str) -> dict[str, Any]:
    """Return a line of a bill as it is written on the command line: LINE=QUANTITY or LINE=QUANTITY@PRICE.

    Raises:
        typer.BadParameter: it is neither.
    """
    number, _, rest = text.partition("=")
    quantity, _, price = rest.partition("@")
    try:
        line: dict[str, Any] = {"order_line_no": int(number), "quantity": str(Decimal(quantity))}
        if price:
            line["price"] = str(Decimal(price))
    except (ValueError, InvalidOperation) as error:
        raise typer.BadParameter(
            f"{text!r} is not LINE=QUANTITY or LINE=QUANTITY@PRICE", param_hint="--line"
        ) from error
    return line
