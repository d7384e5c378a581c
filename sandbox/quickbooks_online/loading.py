"""Fills the company from the neutral format and reports bad rows by line while the good ones go on."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sandbox.neutral import BadInput, Problem, Row, check_rows
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.company_settings import set_preference
from sandbox.quickbooks_online.entities import ENTITIES
from sandbox.quickbooks_online.errors import BadRow, Refused
from sandbox.quickbooks_online.loading_lists import LISTS, put
from sandbox.quickbooks_online.records import Line, Record
from sandbox.quickbooks_online.values import Json, cents
from sandbox.quickbooks_online.writing import create

_KEY_COLUMNS = {"Vendor": "vendor_id", "Item": "item_id", "Account": "account_no", "Class": "class_id", "Term": "term"}
_KINDS = {
    "Vendor": "vendors",
    "Item": "items",
    "Account": "accounts",
    "Class": "classes",
    "Term": "terms",
    "Department": "departments",
}
_OPEN_WORDS = frozenset(["", "Open", "Pending", "Pending Receipt", "Approved"])
"""Statuses of rows that say no more than that the order is open; what is billed gives the real one."""
_NOT_HERE = {
    "customers": "customers are no part of this company",
    "projects": "QuickBooks Online has no projects apart from customers",
    "employees": "employees are no part of this company",
    "entities": "QuickBooks Online has one company in a file",
    "units": "QuickBooks Online has no units",
    "receipts": "QuickBooks Online has no receipts: what is billed counts as received",
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
        loader.errors += [
            {"kind": kind, "line": at, "message": reason} for at, _ in enumerate(content.get(kind, []), 1)
        ]
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
        self.loaded: dict[str, int] = {}
        self.errors: list[Problem] = []
        self.kinds: dict[str, Callable[[list[Row]], int]] = {
            **{kind: partial(self._lists, kind) for kind in LISTS},
            "purchase_orders": partial(self._documents, "purchase_orders", self._order, ("po_number",)),
            "bills": partial(self._documents, "bills", self._bill, ("invoice_number", "vendor_id")),
            "closed_periods": self._closed_periods,
        }

    def _refuse(self, kind: str, row: Row, error: Exception) -> None:
        message = error.detail if isinstance(error, Refused) else str(error)
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
        last = max(row["closed_through"] for row in rows)
        set_preference(self._company.preferences.values, "BookCloseDate", last)
        return len(rows)

    def _named(self, kind: str, key: str, row: Row | None = None) -> Json:
        """A reference to what a row names, made on the way where that is wished. Raises BadRow."""
        found = self._company.keyed(kind, key)
        if found is None:
            if not self._create_missing:
                name = _KINDS[kind].removesuffix("es" if kind == "Class" else "s")
                raise BadRow(f"{name} {key!r} does not exist; load it first or use create_missing")
            fields = row if row is not None else {_KEY_COLUMNS.get(kind, "department_id"): key}
            found = put(self._company, _KINDS[kind], fields)
        return {"value": found.id}

    # Documents

    def _order(self, rows: list[Row]) -> None:
        company, first = self._company, rows[0]
        number, status = first["po_number"], first.get("status", "")
        if company.numbered.get(("PurchaseOrder", number)):
            raise BadRow(f"purchase order {number} exists already")
        if any(row["vendor_id"] != first["vendor_id"] for row in rows):
            raise BadRow(f"the rows of {number} name several vendors")
        if status not in _OPEN_WORDS and status != "Closed":
            raise BadRow(f"status {status!r} is not Open or Closed, the statuses that QuickBooks Online knows")
        vendor = {"vendor_id": first["vendor_id"], "name": first.get("vendor_name", "")}
        day = date.fromisoformat(first["po_date"])
        in_order = sorted(rows, key=lambda row: int(row.get("line_no") or 0))
        body: Json = {
            "DocNumber": number,
            "TxnDate": first["po_date"],
            "DueDate": first.get("due_date"),
            "VendorRef": self._named("Vendor", first["vendor_id"], vendor),
            "PrivateNote": first.get("memo"),
            "POStatus": "Closed" if status == "Closed" else "Open",
            "Line": [self._order_line(row) for row in in_order],
        }
        if company.preference("CurrencyPrefs", "MultiCurrencyEnabled"):
            body["CurrencyRef"] = {"value": first.get("currency") or company.home_currency}
        elif first.get("currency") and first["currency"] != company.home_currency:
            raise BadRow(f"currency {first['currency']!r} is not the company's, and it has no other")
        place = first.get("location") or first.get("department")
        if place:
            body["DepartmentRef"] = self._named("Department", place)
        if first.get("term"):
            body["SalesTermRef"] = self._named("Term", first["term"])
        moment = _moment(company, first.get("modified_at"), day)
        with company.stamped(moment):
            order = create(company, ENTITIES["PurchaseOrder"], body, key=f"PO:{number}")
        order.created = min(moment, company.moment_of(day))
        for line, row in zip(order.lines, in_order, strict=True):
            line.closed = row.get("closed", "").lower() == "true"

    def _order_line(self, row: Row) -> Json:
        quantity, price = Decimal(row["quantity"]), Decimal(row["price"])
        line: Json = {"Amount": cents(quantity * price), "Description": row.get("line_memo") or row.get("description")}
        tracked = {"ClassRef": self._named("Class", row["class"])} if row.get("class") else {}
        if not row.get("item_id"):
            account = self._named("Account", row["account"])
            return {**line, "AccountBasedExpenseLineDetail": {"AccountRef": account, **tracked}}
        made = {"item_id": row["item_id"], "name": row.get("description", "")}
        item = {"ItemRef": self._named("Item", row["item_id"], made), "Qty": quantity, "UnitPrice": price}
        return {**line, "ItemBasedExpenseLineDetail": {**item, **tracked}}

    def _linked_line(self, row: Row) -> tuple[Record, Line]:
        """The order and its line that a row names by number and position."""
        found = self._company.keyed("PurchaseOrder", f"PO:{row['po_number']}")
        at = int(row["po_line_no"]) - 1
        if found is None:
            raise BadRow(f"purchase order {row['po_number']} does not exist")
        if at >= len(found.lines):
            raise BadRow(f"line {row['po_line_no']} of purchase order {row['po_number']} does not exist")
        return found, found.lines[at]

    def _bill(self, rows: list[Row]) -> None:
        company, first = self._company, rows[0]
        if first.get("currency") and first["currency"] != company.home_currency:
            raise BadRow(f"currency {first['currency']!r} is not the company's")
        lines = [self._bill_line(row) for row in rows]
        orders = dict.fromkeys(link["TxnId"] for line in lines for link in line.get("LinkedTxn", ()))
        body: Json = {
            "VendorRef": self._named("Vendor", first["vendor_id"]),
            "DocNumber": first["invoice_number"],
            "TxnDate": first["invoice_date"],
            "DueDate": first.get("due_date"),
            "PrivateNote": first.get("memo"),
            "LinkedTxn": [{"TxnId": order, "TxnType": "PurchaseOrder"} for order in orders],
            "Line": lines,
        }
        if first.get("location"):
            body["DepartmentRef"] = self._named("Department", first["location"])
        key = f"BILL:{first['vendor_id']}:{first['invoice_number']}"
        with company.stamped(company.moment_of(date.fromisoformat(first["invoice_date"]))):
            create(company, ENTITIES["Bill"], body, key=key)

    def _bill_line(self, row: Row) -> Json:
        """A line linked to the order's where `po_line_no` is given; else an item's, else an account's."""
        quantity = Decimal(row["quantity"]) if row.get("quantity") else None
        price = Decimal(row["price"]) if row.get("price") else None
        amount = Decimal(row["amount"]) if row.get("amount") else None
        line: Json = {"Description": row.get("description")}
        item: Json | None = None
        if row.get("po_number") and row.get("po_line_no"):
            order, target = self._linked_line(row)
            line["LinkedTxn"] = [{"TxnId": order.id, "TxnType": "PurchaseOrder", "TxnLineId": target.id}]
            price = price if price is not None else target.detail.get("UnitPrice")
            if quantity is None and amount is None:
                quantity = target.quantity
            if target.quantity is not None:
                item = {"value": target.detail["ItemRef"]}
            account = {"value": target.detail.get("AccountRef")}
            worth = amount if amount is not None else target.amount
        else:
            if row.get("item_id"):
                item = self._named("Item", row["item_id"])
            account = {} if item else self._named("Account", row.get("account") or "6000")
            worth = amount
        if quantity is not None and price is not None:
            worth = amount if amount is not None else cents(quantity * price)
        if worth is None:
            raise BadRow("amount, or quantity and price, is missing")
        if item is None:
            return {**line, "Amount": worth, "AccountBasedExpenseLineDetail": {"AccountRef": account}}
        detail: Json = {"ItemRef": item, "Qty": quantity if quantity is not None else Decimal(1)}
        detail["UnitPrice"] = price if price is not None and amount is None else worth / (detail["Qty"] or Decimal(1))
        return {**line, "Amount": worth, "ItemBasedExpenseLineDetail": detail}


def _moment(company: Company, given: str | None, day: date) -> datetime:
    if not given:
        return company.moment_of(day)
    moment = datetime.fromisoformat(given)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=company.now().tzinfo)
