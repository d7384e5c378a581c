"""Bills from a neutral CSV file, entered through the API in the order of the file.

A bill is all rows with the same vendor and invoice number that stand together. Rows that cannot be read are reported by
line; the bill they belong to is left out whole, all others go on. Importing the same file again makes no second bill.
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

COLUMNS = (
    "invoice_number",
    "vendor_id",
    "invoice_date",
    "due_date",
    "po_number",
    "po_line_no",
    "item_id",
    "quantity",
    "unit",
    "price",
    "amount",
    "memo",
)
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
    po_line_no: int | None
    item_id: str
    quantity: Decimal
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
    """accepted | warned | held | blocked | no_purchase_order | refused."""
    code: str = ""
    detail: str = ""
    bill_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.bill.number,
            "vendor_id": self.bill.vendor_id,
            "po_number": self.bill.po_number,
            "rows": self.bill.rows,
            "outcome": self.outcome,
            "code": self.code,
            "detail": self.detail,
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
    line_no = row.values["po_line_no"]
    return not line_no or line_no not in [earlier.values["po_line_no"] for earlier in group]


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
        po_line_no=int(values["po_line_no"]) if values["po_line_no"] else None,
        item_id=values["item_id"],
        quantity=Decimal(values["quantity"]),
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


def import_bills(client: Api, bills: Sequence[FileBill]) -> Iterator[Imported]:
    """Enter the bills one after the other, in order; each is answered as soon as it is decided."""
    orders: dict[tuple[str, str], dict[str, Any] | None] = {}
    for bill in bills:
        yield _import(client, bill, orders)


def _import(client: Api, bill: FileBill, orders: dict[tuple[str, str], dict[str, Any] | None]) -> Imported:
    if not bill.po_number:
        return Imported(bill, "no_purchase_order", "NO_PO_NUMBER", "the invoice names no purchase order")
    wanted = (bill.vendor_id, bill.po_number)
    try:
        if wanted not in orders:
            orders[wanted] = _find_order(client, *wanted)
        order = orders[wanted]
        if order is None:
            detail = f"vendor {bill.vendor_id} has no purchase order {bill.po_number}"
            return Imported(bill, "no_purchase_order", "UNKNOWN_PO", detail)
        lines = [_for_api(line, order) for line in bill.lines]
        body = {
            "number": bill.number,
            "bill_date": bill.bill_date.isoformat(),
            "due_date": bill.due_date.isoformat() if bill.due_date else None,
            "memo": bill.memo,
            "lines": lines,
        }
        answer = client.post(f"/v1/purchase-orders/{order['id']}/bills", body, key=bill.key)
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        blocked = problem.code == "MATCH_BLOCKED"
        code = _first_finding(problem.problem.get("match")) if blocked else problem.code
        return Imported(bill, "blocked" if blocked else "refused", code or problem.code, problem.detail)
    except LineNotFound as missing:
        return Imported(bill, "refused", "NO_SUCH_LINE", str(missing))
    match = answer["match"]
    outcome = {"OK": "accepted", "WARN": "warned", "HOLD": "held"}[str(match["outcome"]).upper()]
    return Imported(bill, outcome, _first_finding(match), "", answer["bill"]["id"])


class LineNotFound(Exception):
    """The order has no line for a row of the file."""


def _find_order(client: Api, vendor_id: str, number: str) -> dict[str, Any] | None:
    found = [
        order for order in client.pages("/v1/purchase-orders", q=number, vendor=vendor_id) if order["number"] == number
    ]
    return dict(client.get(f"/v1/purchase-orders/{found[0]['id']}")) if len(found) == 1 else None


def _for_api(line: FileLine, order: dict[str, Any]) -> dict[str, Any]:
    number = line.po_line_no
    if number is None:
        matching = [candidate["line_no"] for candidate in order["lines"] if candidate["item_id"] == line.item_id]
        if len(matching) != 1:
            raise LineNotFound(
                f"{order['number']} has {len(matching)} lines with item {line.item_id!r}; give po_line_no in the file"
            )
        number = matching[0]
    body: dict[str, Any] = {"order_line_no": number, "quantity": str(line.quantity)}
    if line.amount is not None:
        body["amount"] = str(line.amount)
    elif line.price is not None:
        body["price"] = str(line.price)
    return body


def _first_finding(match: Any) -> str:
    findings = (match or {}).get("findings") or []
    return str(findings[0]["code"]) if findings else ""
