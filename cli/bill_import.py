"""Bills from a neutral CSV file, entered through the API in the order of the file.

A bill is all rows with the same vendor and invoice number that stand together. Rows that cannot be read are reported by
line; the bill they belong to is left out whole, all others go on. Importing the same file again makes no second bill.

A row that names no order, or no line of it, is placed by suggestion when that is sure; else its bill is reported with
the best guess and not sent.
"""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from cli.api_client import Api, ApiProblem
from cli.line_suggestion import Place, Unplaced, place_anywhere, place_on_order

COLUMNS = (
    "invoice_number",
    "vendor_id",
    "invoice_date",
    "due_date",
    "po_number",
    "po_line_no",
    "item_id",
    "description",
    "quantity",
    "unit",
    "price",
    "amount",
    "memo",
)
WAITING = {"awaiting_acknowledgement": "warned", "on_hold": "held"}
SEVERITIES = ("OK", "INFO", "WARN", "HOLD", "BLOCK")
REQUIRED = ("invoice_number", "vendor_id", "invoice_date", "quantity")


class UnreadableFile(Exception):
    """Not a CSV file of bills at all; the message names what is missing."""


@dataclass(frozen=True)
class UnreadableRow:
    line: int
    """As an editor counts; the header is line 1."""
    column: str
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.problem}"


@dataclass(frozen=True)
class FileLine:
    po_number: str
    po_line_no: int | None
    item_id: str
    description: str
    quantity: Decimal
    unit: str
    price: Decimal | None
    amount: Decimal | None


@dataclass
class FileBill:
    """One bill of the file with the lines it stands on."""

    number: str
    vendor_id: str
    bill_date: date
    due_date: date | None
    po_number: str
    """Of its first row; empty: the invoice names no order."""
    memo: str
    lines: list[FileLine] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    key: str = ""
    """Idempotency key: content, and how often the same content came before in this file."""


@dataclass(frozen=True)
class Imported:
    """What became of one bill."""

    bill: FileBill
    outcome: str
    """accepted | warned | held | blocked | no_purchase_order | unsure | refused. A warned bill is saved and waits for
    its acknowledgement, a held one for its release."""
    code: str = ""
    detail: str = ""
    bill_id: str | None = None
    findings: tuple[str, ...] = ()
    """The codes of all that its match found; `code` is that of the worst."""

    def as_json(self) -> dict[str, Any]:
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


def read_bills(path: Path) -> tuple[list[FileBill], list[UnreadableRow]]:
    """Read the file. Raises UnreadableFile when it is no such file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text)
            missing = [column for column in REQUIRED if column not in (reader.fieldnames or ())]
            if missing:
                raise UnreadableFile(f"{path}: the first line must name the columns {', '.join(missing)}")
            return _bills(reader)
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path}: not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise UnreadableFile(f"{path}: not CSV ({error})") from error


class _Row(NamedTuple):
    line: int
    values: dict[str, str]
    problems: list[UnreadableRow]

    @property
    def invoice(self) -> tuple[str, str]:
        return self.values["vendor_id"], self.values["invoice_number"]

    @property
    def order_line(self) -> tuple[str, str]:
        return self.values["po_number"], self.values["po_line_no"]


def _bills(reader: "csv.DictReader[str]") -> tuple[list[FileBill], list[UnreadableRow]]:
    groups: list[list[_Row]] = []
    for cells in reader:
        values = {name: (cells.get(name) or "").strip() for name in COLUMNS}
        if not any(values.values()):
            continue
        row = _Row(reader.line_num, values, _problems(values, reader.line_num, surplus=None in cells))
        if not groups or not _continues(groups[-1], row):
            groups.append([])
        groups[-1].append(row)
    unreadable = [problem for group in groups for row in group for problem in row.problems]
    bills = [_bill(group) for group in groups if not any(row.problems for row in group)]
    _name(bills)
    return bills, unreadable


def _continues(group: list[_Row], row: _Row) -> bool:
    """The same invoice twice in a row is two bills: then a line of the order comes a second time."""
    if group[-1].invoice != row.invoice:
        return False
    if not row.values["po_line_no"]:
        return True
    return row.order_line not in [earlier.order_line for earlier in group]


def _problems(values: dict[str, str], line: int, *, surplus: bool) -> list[UnreadableRow]:
    found = [UnreadableRow(line, column, "is empty") for column in REQUIRED if not values[column]]
    if surplus:
        found.append(UnreadableRow(line, "the row", "has more fields than the header has columns"))
    for column in ("invoice_date", "due_date"):
        if values[column] and not _is_date(values[column]):
            found.append(UnreadableRow(line, column, f"{values[column]!r} is not a date like 2026-11-30"))
    for column in ("quantity", "price", "amount"):
        if values[column] and _number(values[column]) is None:
            found.append(UnreadableRow(line, column, f"{values[column]!r} is not a number like 1250.00"))
    if values["po_line_no"] and not values["po_line_no"].isdecimal():
        found.append(UnreadableRow(line, "po_line_no", f"{values['po_line_no']!r} is not a line number"))
    return found


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _bill(group: list[_Row]) -> FileBill:
    first = group[0].values
    return FileBill(
        number=first["invoice_number"],
        vendor_id=first["vendor_id"],
        bill_date=date.fromisoformat(first["invoice_date"]),
        due_date=date.fromisoformat(first["due_date"]) if first["due_date"] else None,
        po_number=first["po_number"],
        memo=first["memo"],
        lines=[_line(row.values) for row in group],
        rows=[row.line for row in group],
    )


def _line(values: dict[str, str]) -> FileLine:
    return FileLine(
        po_number=values["po_number"],
        po_line_no=int(values["po_line_no"]) if values["po_line_no"] else None,
        item_id=values["item_id"],
        description=values["description"],
        quantity=Decimal(values["quantity"]),
        unit=values["unit"],
        price=_number(values["price"]),
        amount=_number(values["amount"]),
    )


def _name(bills: Sequence[FileBill]) -> None:
    seen: Counter[str] = Counter()
    for bill in bills:
        content = json.dumps({**asdict(bill), "rows": None}, default=str, sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:32]
        seen[digest] += 1
        bill.key = f"import-{digest}-{seen[digest]}"


def import_bills(
    client: Api, bills: Sequence[FileBill], *, connection: str | None = None, accept: str = "sure"
) -> Iterator[Imported]:
    """Enter the bills one after the other, in order; each is answered as soon as it is decided.

    Bills that name no order are looked for among the orders of `connection`, which may be left out where there is one
    only. `accept` is the lowest confidence a suggestion is taken with: sure or likely.
    """
    desk = _Desk(client, connection, accept)
    for bill in bills:
        yield _import(desk, bill)


def _import(desk: "_Desk", bill: FileBill) -> Imported:
    try:
        places = desk.place(bill)
        home = places[0].order_id
        body = {
            "number": bill.number,
            "bill_date": bill.bill_date.isoformat(),
            "due_date": bill.due_date.isoformat() if bill.due_date else None,
            "memo": bill.memo,
            "lines": [_for_api(line, place, home) for line, place in zip(bill.lines, places, strict=True)],
        }
        answer = desk.client.post(f"/v1/purchase-orders/{home}/bills", body, key=_key(bill, places))
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


@dataclass
class _Desk:
    """What one import has looked up so far."""

    client: Api
    connection: str | None
    accept: str
    orders: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)

    def place(self, bill: FileBill) -> list[Place]:
        """The order line of every row: named in the file, else the one line with the row's item, else suggested.

        Raises Unplaced.
        """
        places: dict[int, Place] = {}
        open_rows: dict[str, list[int]] = {}
        for row, line in enumerate(bill.lines):
            number = line.po_number or bill.po_number
            order = self._order(bill, number) if number else None
            line_no = None if order is None else line.po_line_no or _only_line_of(order, line.item_id)
            if order is None or line_no is None:
                open_rows.setdefault(number, []).append(row)
            else:
                places[row] = Place(order["id"], line_no)
        named = set(places.values())
        for number, rows in open_rows.items():
            asked = {bill.rows[row]: _as_invoice_line(bill.lines[row]) for row in rows}
            if number:
                order = self._order(bill, number)
                found = place_on_order(self.client, order["id"], asked, bill.memo, self.accept)
            else:
                found = place_anywhere(self.client, self._connection(), bill.vendor_id, asked, bill.memo, self.accept)
            for row, place in zip(rows, found, strict=True):
                given = bill.lines[row].po_line_no
                if place in named or given not in (None, place.order_line_no):
                    detail = f"line {bill.rows[row]} fits line {place.order_line_no}, which the file contradicts"
                    raise Unplaced("unsure", "LINE_UNSURE", detail)
                places[row] = place
        return [places[row] for row in range(len(bill.lines))]

    def _order(self, bill: FileBill, number: str) -> dict[str, Any]:
        wanted = (bill.vendor_id, number)
        if wanted not in self.orders:
            self.orders[wanted] = _find_order(self.client, *wanted)
        order = self.orders[wanted]
        if order is None:
            detail = f"vendor {bill.vendor_id} has no purchase order {number}"
            raise Unplaced("no_purchase_order", "UNKNOWN_PO", detail)
        return order

    def _connection(self) -> str:
        if self.connection is None:
            known = [connection["id"] for connection in self.client.pages("/v1/connections")]
            if len(known) != 1:
                detail = "the invoice names no purchase order; say in which connection to look for one (--connection)"
                raise Unplaced("no_purchase_order", "NO_PO_NUMBER", detail)
            self.connection = known[0]
        return self.connection


def _find_order(client: Api, vendor_id: str, number: str) -> dict[str, Any] | None:
    found = [
        order for order in client.pages("/v1/purchase-orders", q=number, vendor=vendor_id) if order["number"] == number
    ]
    return dict(client.get(f"/v1/purchase-orders/{found[0]['id']}")) if len(found) == 1 else None


def _only_line_of(order: dict[str, Any], item_id: str) -> int | None:
    lines = [line["line_no"] for line in order["lines"] if item_id and line["item_id"] == item_id]
    return lines[0] if len(lines) == 1 else None


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
    body: dict[str, Any] = {"order_line_no": place.order_line_no, "quantity": str(line.quantity)}
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
    """The same rows on the same order lines are the same write; placed otherwise the API sees the repeated number."""
    if all(line.po_line_no is not None for line in bill.lines):
        return bill.key
    digest = hashlib.sha256(json.dumps(places).encode()).hexdigest()[:16]
    return f"{bill.key}-{digest}"


def _codes(match: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(finding["code"]) for finding in (match or {}).get("findings") or []))


def _worst_finding(match: Any) -> dict[str, Any]:
    """What decided; of nothing found, empty words."""
    findings = (match or {}).get("findings") or [{"code": "", "message": "", "severity": "OK"}]
    return dict(max(findings, key=lambda finding: SEVERITIES.index(finding["severity"])))
