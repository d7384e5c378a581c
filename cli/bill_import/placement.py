"""Find the order and line of rows that do not name them: the API suggests them, and what is sure enough is used."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cli.client.api_client import Api

LEVELS = ("sure", "likely")


class Place(NamedTuple):
    order_id: str
    order_line_no: int
    order_line_id: str


class Unplaced(Exception):
    """A bill that is not sent because its order or order line is not known."""

    def __init__(self, outcome: str, code: str, detail: str) -> None:
        self.outcome = outcome
        self.code = code
        super().__init__(detail)


Rows = Mapping[int, Mapping[str, Any]]
"""What rows say, in the form of the API's invoice lines, by their line in the file."""


def place_anywhere(client: Api, connection_id: str, vendor_id: str, rows: Rows, text: str, accept: str) -> list[Place]:
    """Return an order line for each row, from all open orders of the vendor.

    Raises:
        Unplaced: a row has no order line that is sure enough.
    """
    body = {"connection_id": connection_id, "vendor_id": vendor_id, "text": text, "lines": list(rows.values())}
    result = client.post("/v1/line-suggestions", body)["items"]
    if not any(item["proposed"] for item in result):
        guesses = [guess for item in result for guess in item["others"][:1]]
        detail = "the invoice names no purchase order, and no open one of the vendor fits"
        nearest = f"; nearest is {_words(guesses[0])}" if guesses else ""
        raise Unplaced("no_purchase_order", "NO_PO_NUMBER", detail + nearest)
    return [_sure_enough(at, item, accept) for at, item in zip(rows, result, strict=True)]


def place_on_order(client: Api, order_id: str, rows: Rows, text: str, accept: str) -> list[Place]:
    """Return an order line for each row, from the lines of one order.

    Raises:
        Unplaced: a row has no order line that is sure enough.
    """
    body = {"lines": list(rows.values()), "text": text, "accept": accept}
    draft = client.post(f"/v1/purchase-orders/{order_id}/bill-draft", body)
    for item in draft["unassigned"]:
        _sure_enough(list(rows)[item["line_no"] - 1], item, accept)
    return [Place(order_id, line["order_line_no"], line["order_line_id"]) for line in draft["lines"]]


def _sure_enough(at: int, item: Mapping[str, Any], accept: str) -> Place:
    proposed = item["proposed"]
    if proposed is not None and item["confidence"] in LEVELS[: LEVELS.index(accept) + 1]:
        return Place(proposed["purchase_order_id"], proposed["order_line_no"], proposed["order_line_id"])
    guess = proposed or (item["others"][0] if item["others"] else None)
    if guess is None:
        raise Unplaced("unsure", "LINE_UNSURE", f"line {at} names no order line, and none fits it")
    detail = f"line {at} names no order line; best guess ({item['confidence']}): {_words(guess)}"
    raise Unplaced("unsure", "LINE_UNSURE", detail)


def _words(guess: Mapping[str, Any]) -> str:
    reasons = "; ".join(reason["text"] for reason in guess["reasons"][:3])
    return f"{guess['purchase_order_number']} line {guess['order_line_no']} ({reasons})"
