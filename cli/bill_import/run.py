"""Enter the bills of a file through the API, in the order of the file.

A bill is all consecutive rows with the same vendor and invoice number. Rows that cannot be read are reported by line.
The bill they belong to is left out whole, and all others go on. Importing the same file again creates no second bill.

A row with an account is on no order line; a bill of such rows alone is entered without an order. Any other row that
names no order, or no line of it, is placed by suggestion when that is sure. Otherwise its bill is reported
with the best guess and not sent.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cli.bill_import.csv_file import FileBill, FileLine
from cli.bill_import.placement import Place, Unplaced, place_anywhere, place_on_order
from cli.bill_import.vendors import UnknownOrder, find_order, vendor_id
from cli.client.api_client import Api, ApiProblem
from cli.client.connections import connections_in_use

WAITING = {"awaiting_acknowledgement": "warned", "on_hold": "held"}
SEVERITIES = ("OK", "INFO", "WARN", "HOLD", "BLOCK")


@dataclass(frozen=True)
class Imported:
    """The result of one bill."""

    bill: FileBill
    outcome: str
    """accepted | warned | held | blocked | no_purchase_order | unsure | refused. A warned bill is saved and waits for
    its acknowledgement, a held one for its release."""
    code: str = ""
    detail: str = ""
    bill_id: str | None = None
    findings: tuple[str, ...] = ()
    """The codes of all findings of its match; `code` is that of the worst."""

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON for programs: number, vendor_id, po_number, rows (line numbers of the file),
        outcome, code, detail, findings (codes) and bill_id."""
        return {
            "number": self.bill.number,
            "vendor_id": self.bill.vendor_id,
            "po_number": self.bill.po_number,
            "rows": self.bill.rows,
            "outcome": self.outcome,
            "code": self.code,
            "detail": self.detail,
            "findings": list(self.findings),
            "bill_id": self.bill_id,
        }


def import_bills(
    client: Api, bills: Sequence[FileBill], *, connection: str | None = None, accept: str = "sure"
) -> Iterator[Imported]:
    """Enter the bills one after the other, in order, and return each result as soon as it is decided.

    For bills that name no order, the orders of `connection` are searched; it may be left out if there is only one.
    `accept` is the lowest confidence at which a suggestion is used: sure or likely.
    """
    finder = OrderFinder(client, connection, accept)
    for bill in bills:
        yield _import(finder, bill)


def _import(finder: "OrderFinder", bill: FileBill) -> Imported:
    try:
        answer = _enter(finder, bill)
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        blocked = problem.code == "MATCH_BLOCKED"
        match = problem.problem.get("match")
        code = _worst_finding(match)["code"] if blocked else problem.code
        outcome = "blocked" if blocked else "refused"
        return Imported(bill, outcome, code or problem.code, problem.detail, findings=_codes(match))
    except Unplaced as unplaced:
        return Imported(bill, unplaced.outcome, unplaced.code, str(unplaced))
    outcome = WAITING.get(answer["bill"]["status"], "accepted")
    worst = _worst_finding(answer["match"])
    return Imported(bill, outcome, worst["code"], worst["message"], answer["bill"]["id"], _codes(answer["match"]))


def _enter(finder: "OrderFinder", bill: FileBill) -> dict[str, Any]:
    """Enter one bill, on its order or without one; return the API's answer.

    Raises:
        Unplaced: a row has no order line that is sure enough.
        ApiProblem: the API refuses it.
    """
    header = {
        "number": bill.number,
        "bill_date": bill.bill_date.isoformat(),
        "due_date": bill.due_date.isoformat() if bill.due_date else None,
        "memo": bill.memo,
    }
    rows = list(zip(bill.rows, bill.lines, strict=True))
    off_order = [_on_account(line) for _, line in rows if line.account]
    on_order = [(row, line) for row, line in rows if not line.account]
    if not on_order and not bill.po_number:
        connection = finder.the_connection()
        body = {**header, "connection_id": connection, "vendor_id": bill.vendor_id, "lines": off_order}
        return dict(finder.client.post("/v1/bills", body, key=bill.key))
    placed = replace(bill, rows=[row for row, _ in on_order], lines=[line for _, line in on_order])
    places = finder.place(placed)
    home = places[0].order_id if places else finder.order(bill, bill.po_number)["id"]
    lines = [_for_api(line, place, home) for line, place in zip(placed.lines, places, strict=True)]
    lines += [{**line, "off_order": True} for line in off_order]
    return dict(
        finder.client.post(f"/v1/purchase-orders/{home}/bills", {**header, "lines": lines}, key=_key(placed, places))
    )


@dataclass
class OrderFinder:
    """Finds the order line of each row, and remembers what one import has looked up."""

    client: Api
    connection: str | None
    accept: str
    orders: dict[tuple[str, str], dict[str, Any] | str] = field(default_factory=dict)
    """By vendor and number as the file has them: the order, or why there is none."""

    def place(self, bill: FileBill) -> list[Place]:
        """Return the order line of every row: named in the file, else the only line with the row's item, else
        suggested.

        Raises:
            Unplaced: a row has no order line that is sure enough.
        """
        places: dict[int, Place] = {}
        open_rows: dict[str, list[int]] = {}
        for row, line in enumerate(bill.lines):
            number = line.po_number or bill.po_number
            order = self.order(bill, number) if number else None
            place = None if order is None else _place_on(order, line)
            if place is None:
                open_rows.setdefault(number, []).append(row)
            else:
                places[row] = place
        named = set(places.values())
        for number, rows in open_rows.items():
            asked = {bill.rows[row]: _as_invoice_line(bill.lines[row]) for row in rows}
            if number:
                order = self.order(bill, number)
                result = place_on_order(self.client, order["id"], asked, bill.memo, self.accept)
            else:
                connection = self.the_connection()
                vendor = vendor_id(self.client, connection, bill.vendor_id)
                result = place_anywhere(self.client, connection, vendor, asked, bill.memo, self.accept)
            for row, place in zip(rows, result, strict=True):
                given = bill.lines[row].po_line_no
                if place in named or given not in (None, place.order_line_no):
                    detail = f"line {bill.rows[row]} fits line {place.order_line_no}, which the file contradicts"
                    raise Unplaced("unsure", "LINE_UNSURE", detail)
                places[row] = place
        return [places[row] for row in range(len(bill.lines))]

    def order(self, bill: FileBill, number: str) -> dict[str, Any]:
        """Return the order of this number and the bill's vendor.

        Raises:
            Unplaced: there is none.
        """
        wanted = (bill.vendor_id, number)
        if wanted not in self.orders:
            try:
                self.orders[wanted] = find_order(self.client, *wanted)
            except UnknownOrder as unknown:
                self.orders[wanted] = str(unknown)
        order = self.orders[wanted]
        if isinstance(order, str):
            raise Unplaced("no_purchase_order", "UNKNOWN_PO", order)
        return order

    def the_connection(self) -> str:
        """Return the connection that bills without an order number belong to.

        Raises:
            Unplaced: there are several, and none was named.
        """
        if self.connection is None:
            known = connections_in_use(self.client)
            if len(known) != 1:
                detail = "the invoice names no purchase order; say which connection it belongs to (--connection)"
                raise Unplaced("no_purchase_order", "NO_PO_NUMBER", detail)
            self.connection = known[0]
        return self.connection


def _place_on(order: dict[str, Any], row: FileLine) -> Place | None:
    """Return the order's line that a row names by its number as it is now, or else by its item, if only one has it.

    A number that the order does not have is sent as it is, and answered by the match.
    """
    if row.po_line_no is not None:
        lines = [line for line in order["lines"] if line["line_no"] == row.po_line_no]
        return Place(order["id"], row.po_line_no, lines[0]["order_line_id"] if lines else "")
    lines = [line for line in order["lines"] if row.item_id and line["item_id"] == row.item_id]
    return Place(order["id"], lines[0]["line_no"], lines[0]["order_line_id"]) if len(lines) == 1 else None


def _on_account(line: FileLine) -> dict[str, Any]:
    return {"account": line.account, "amount": str(line.amount), "description": line.description}


def _as_invoice_line(line: FileLine) -> dict[str, Any]:
    return {
        "description": line.description,
        "item_code": line.item_id,
        "quantity": str(line.quantity),
        "unit": line.unit,
        "price": None if line.price is None else str(line.price),
        "amount": None if line.amount is None else str(line.amount),
    }


def _for_api(line: FileLine, place: Place, home: str) -> dict[str, Any]:
    body: dict[str, Any] = {"quantity": str(line.quantity)}
    if place.order_line_id:
        body["order_line_id"] = place.order_line_id
    else:
        body["order_line_no"] = place.order_line_no
    if place.order_id != home:
        body["purchase_order_id"] = place.order_id
    if line.unit:
        body["unit"] = line.unit
    if line.description:
        body["description"] = line.description
    if line.amount is not None:
        body["amount"] = str(line.amount)
    elif line.price is not None:
        body["price"] = str(line.price)
    return body


def _key(bill: FileBill, places: Sequence[Place]) -> str:
    """Return the Idempotency-Key. The same rows on the same order lines are the same write; on other order lines, the
    API sees a repeated invoice number."""
    if all(line.po_line_no is not None for line in bill.lines):
        return bill.key
    digest = hashlib.sha256(
        json.dumps([(place.order_id, place.order_line_id) for place in places]).encode()
    ).hexdigest()[:16]
    return f"{bill.key}-{digest}"


def _codes(match: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(finding["code"]) for finding in (match or {}).get("findings") or []))


def _worst_finding(match: Any) -> dict[str, Any]:
    """Return the finding that decided; without findings, one with empty texts."""
    findings = (match or {}).get("findings") or [{"code": "", "message": "", "severity": "OK"}]
    return dict(max(findings, key=lambda finding: SEVERITIES.index(finding["severity"])))
