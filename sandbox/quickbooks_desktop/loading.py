"""Fills the company file from the neutral format and reports bad rows by line while the good ones go on."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sandbox.neutral import BadInput, Problem, Row, check_rows
from sandbox.quickbooks_desktop import pc_time, writing
from sandbox.quickbooks_desktop.built import built, named
from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import BadRow, Refused
from sandbox.quickbooks_desktop.loading_lists import LISTS, put
from sandbox.quickbooks_desktop.records import Line, Txn

_KEY_COLUMNS = {
    "Vendor": ("vendors", "vendor_id", "vendor"),
    "Item": ("items", "item_id", "item"),
    "Account": ("accounts", "account_no", "account"),
    "Class": ("classes", "class_id", "class"),
    "Terms": ("terms", "term", "term"),
}
_OPEN_WORDS = frozenset(["", "Open", "Unfilled", "Pending", "Pending Receipt", "Approved"])
"""Statuses of rows that say no more than that the order is open; what is received gives the real one."""
_NOT_HERE = {
    "customers": "customers are no part of this company",
    "projects": "QuickBooks Desktop has no projects apart from customers",
    "employees": "employees are no part of this company",
    "entities": "a company file is one entity",
    "departments": "QuickBooks Desktop has no departments, but classes",
    "locations": "QuickBooks Desktop has no locations on purchase orders of this company file",
}


def load(company: Company, content: Mapping[str, Any], *, create_missing: bool = False) -> dict[str, Any]:
    """Load every kind in `content`; the report has `loaded` counts by kind and `errors` by line.

    Raises:
        BadInput: a kind is unknown, or is no list of rows.
    """
    loader = _Loader(company, create_missing)
    known = [*loader.kinds, *_NOT_HERE]
    unknown = [kind for kind in content if kind not in known]
    if unknown:
        raise BadInput(f"unknown kind {unknown[0]!r}; kinds are {', '.join(known)}")
    for kind, reason in _NOT_HERE.items():
        rows = content.get(kind, [])
        loader.errors += [{"kind": kind, "line": at, "message": reason} for at, _ in enumerate(rows, 1)]
    with company.stamped(company.now()):
        for kind, load_rows in loader.kinds.items():
            given = content.get(kind, [])
            if not isinstance(given, list):
                raise BadInput(f"{kind} is a list of rows")
            rows, problems = check_rows(kind, given)
            loader.errors += problems
            if rows:
                loader.loaded[kind] = load_rows(rows)
    return {"loaded": loader.loaded, "errors": loader.errors}


class _Loader:
    def __init__(self, company: Company, create_missing: bool) -> None:
        self._company = company
        self._create_missing = create_missing
        self._numbers = {one.ref_number: one for one in company.txns["PurchaseOrder"].values()}
        self.loaded: dict[str, int] = {}
        self.errors: list[Problem] = []
        self.kinds: dict[str, Callable[[list[Row]], int]] = {
            **{kind: partial(self._lists, kind) for kind in LISTS},
            "purchase_orders": partial(self._documents, "purchase_orders", self._order, ("po_number",)),
            "receipts": partial(self._documents, "receipts", self._receipt, ("receipt_number", "po_number")),
            "bills": partial(self._documents, "bills", self._bill, ("invoice_number", "vendor_id")),
            "closed_periods": self._closed_periods,
        }

    def _refuse(self, kind: str, row: Row, error: Exception) -> None:
        message = error.message if isinstance(error, Refused) else str(error)
        self.errors.append({"kind": kind, "line": int(row["_line"]), "message": message})

    def _lists(self, kind: str, rows: list[Row]) -> int:
        count = 0
        for row in rows:
            try:
                put(self._company, kind, row)
            except (BadRow, Refused) as error:
                self._refuse(kind, row, error)
            else:
                count += 1
        return count

    def _documents(
        self, kind: str, load_one: Callable[[list[Row]], None], key: tuple[str, ...], rows: list[Row]
    ) -> int:
        count = 0
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(row[name] for name in key), []).append(row)
        for group in groups.values():
            try:
                load_one(group)
            except (Refused, BadRow) as error:
                for row in group:
                    self._refuse(kind, row, error)
            else:
                count += 1
        return count

    def _closed_periods(self, rows: list[Row]) -> int:
        """Books are closed for the whole company up to the last day named."""
        self._company.closing_date = date.fromisoformat(max(row["closed_through"] for row in rows))
        return len(rows)

    def _named(self, family: str, key: str, row: Row | None = None) -> dict[str, str] | None:
        """A reference to what a row names, made on the way where that is wished. Raises BadRow."""
        found = self._company.keyed(family, key)
        if found is None:
            kind, column, what = _KEY_COLUMNS[family]
            if not self._create_missing:
                raise BadRow(f"{what} {key!r} does not exist; load it first or use create_missing")
            found = put(self._company, kind, row if row is not None else {column: key})
        return named(found.list_id)

    # Documents

    def _order(self, rows: list[Row]) -> None:
        company, first = self._company, rows[0]
        number, status = first["po_number"], first.get("status", "")
        if number in self._numbers:
            raise BadRow(f"purchase order {number} exists already")
        if len(number) > 11:
            raise BadRow(
                f"{number!r} is longer than 11 characters, the most QuickBooks Desktop keeps of an order's number"
            )
        if any(row["vendor_id"] != first["vendor_id"] for row in rows):
            raise BadRow(f"the rows of {number} name several vendors")
        if status not in _OPEN_WORDS and status != "Closed":
            raise BadRow(f"status {status!r} is not Open or Closed: what was received says the rest")
        if any(not row.get("item_id") for row in rows):
            raise BadRow("QuickBooks Desktop has no expense lines on purchase orders")
        _check_currency(first)
        day = date.fromisoformat(first["po_date"])
        in_order = sorted(rows, key=lambda row: int(row.get("line_no") or 0))
        vendor = {"vendor_id": first["vendor_id"], "name": first.get("vendor_name", "")}
        parts: dict[str, Any] = {
            "VendorRef": self._named("Vendor", first["vendor_id"], vendor),
            "TxnDate": first["po_date"],
            "RefNumber": number,
            "TermsRef": self._named("Terms", first["term"]) if first.get("term") else None,
            "DueDate": first.get("due_date") or None,
            "ExpectedDate": first.get("due_date") or None,
            "Memo": first.get("memo") or None,
            "PurchaseOrderLineAdd": [self._order_line(row) for row in in_order],
        }
        moment = self._moment(first.get("modified_at"), day)
        with company.stamped(moment):
            order = writing.add(company, "PurchaseOrder", built("PurchaseOrderAdd", parts)).txn
        order.created = min(moment, company.moment_of(day))
        order.values["IsManuallyClosed"] = status == "Closed"
        for line, row in zip(order.lines, in_order, strict=True):
            line.closed = row.get("closed", "").lower() == "true"
        self._numbers[number] = order

    def _order_line(self, row: Row) -> dict[str, Any]:
        made = {"item_id": row["item_id"], "name": row.get("description", "")}
        return {
            "ItemRef": self._named("Item", row["item_id"], made),
            "Desc": row.get("line_memo") or row.get("description") or None,
            "Quantity": row["quantity"],
            "UnitOfMeasure": row.get("unit") or None,
            "Rate": row["price"],
            "ClassRef": self._named("Class", row["class"]) if row.get("class") else None,
        }

    def _linked_line(self, row: Row) -> tuple[Txn, Line]:
        """The order and its line that a row names by number and position."""
        found = self._numbers.get(row["po_number"])
        at = int(row["po_line_no"]) - 1
        if found is None:
            raise BadRow(f"purchase order {row['po_number']} does not exist")
        if at >= len(found.lines):
            raise BadRow(f"line {row['po_line_no']} of purchase order {row['po_number']} does not exist")
        return found, found.lines[at]

    def _receipt(self, rows: list[Row]) -> None:
        first = rows[0]
        order, _ = self._linked_line(first)
        in_order = sorted(rows, key=lambda row: int(row["po_line_no"]))
        lines = []
        for row in in_order:
            _, target = self._linked_line(row)
            link = {"TxnID": order.txn_id, "TxnLineID": target.id}
            lines.append({"Quantity": row["quantity"], "LinkToTxn": link})
        parts = {
            "VendorRef": named(order.entity),
            "TxnDate": first["receipt_date"],
            "RefNumber": first["receipt_number"],
            "Memo": first.get("memo") or None,
            "ItemLineAdd": lines,
        }
        self._add("ItemReceipt", parts, first["receipt_date"])

    def _bill(self, rows: list[Row]) -> None:
        first = rows[0]
        _check_currency(first)
        parts: list[tuple[str, Any]] = [
            ("VendorRef", self._named("Vendor", first["vendor_id"])),
            ("TxnDate", first["invoice_date"]),
            ("DueDate", first.get("due_date") or None),
            ("RefNumber", first["invoice_number"]),
            ("Memo", first.get("memo") or None),
        ]
        lines = [self._bill_line(row) for row in rows]
        parts += sorted(lines, key=lambda line: line[0] == "ItemLineAdd")
        self._add("Bill", parts, first["invoice_date"])

    def _add(self, kind: str, parts: Any, day: str) -> None:
        with self._company.stamped(self._company.moment_of(date.fromisoformat(day))):
            writing.add(self._company, kind, built(f"{kind}Add", parts))

    def _bill_line(self, row: Row) -> tuple[str, dict[str, Any]]:
        """A line linked to the order's where `po_line_no` is given; else an item's, else an account's."""
        quantity = Decimal(row["quantity"]) if row.get("quantity") else None
        price = Decimal(row["price"]) if row.get("price") else None
        amount = Decimal(row["amount"]) if row.get("amount") else None
        line: dict[str, Any] = {"Quantity": quantity, "Cost": price, "Amount": amount}
        if row.get("po_number") and row.get("po_line_no"):
            order, target = self._linked_line(row)
            return "ItemLineAdd", {**line, "LinkToTxn": {"TxnID": order.txn_id, "TxnLineID": target.id}}
        if amount is None and (quantity is None or price is None):
            raise BadRow("amount, or quantity and price, is missing")
        if row.get("item_id"):
            return "ItemLineAdd", {"ItemRef": self._named("Item", row["item_id"]), **line}
        worth = amount if amount is not None else (quantity or Decimal(0)) * (price or Decimal(0))
        account = self._named("Account", row.get("account") or "6000")
        return "ExpenseLineAdd", {"AccountRef": account, "Amount": worth, "Memo": row.get("description") or None}

    def _moment(self, given: str | None, day: date) -> datetime:
        if not given:
            return self._company.moment_of(day)
        moment = datetime.fromisoformat(given)
        return moment if moment.tzinfo is not None else pc_time.moment_of(moment, self._company.switches)


def _check_currency(row: Row) -> None:
    if row.get("currency") and row["currency"] != "USD":
        raise BadRow(f"currency {row['currency']!r} is not the company's, and it has no other")
