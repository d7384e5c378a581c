"""Fills the account from the neutral format and reports bad rows by line while the good ones go on."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sandbox.netsuite import bootstrap, own_fields
from sandbox.netsuite.company import Company
from sandbox.netsuite.documents import cents, rate_text
from sandbox.netsuite.errors import BadRow, Refused
from sandbox.netsuite.loading_lists import LISTS, put
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.orders import ZERO, item_lines, order_line, recompute
from sandbox.netsuite.purchasing import APPROVED
from sandbox.netsuite.records import Record
from sandbox.netsuite.ui_actions import close_periods
from sandbox.netsuite.values import Fields, Lines, Ref
from sandbox.netsuite.writing import add
from sandbox.neutral import BadInput, Problem, Row, check_rows

_APPROVALS = {
    "Pending Supervisor Approval": Ref("1", name="Pending Approval"),
    "Rejected by Supervisor": Ref("3", name="Rejected"),
}
_KEY_COLUMNS = {
    "vendors": "vendor_id",
    "items": "item_id",
    "accounts": "account_no",
    "departments": "department_id",
    "locations": "location_id",
    "classes": "class_id",
    "terms": "term",
}
_OPEN_WORDS = frozenset(["", "Pending", "Pending Receipt", "Approved"])
"""Statuses of rows that say no more than that the order is open; the quantities give the real one."""


def load(company: Company, content: Mapping[str, Any], *, create_missing: bool = False) -> dict[str, Any]:
    """Load every kind in `content`; the report has `loaded` counts by kind and `errors` by line.

    Raises:
        BadInput: a kind is unknown, or is no list of rows.
    """
    loader = _Loader(company, create_missing)
    unknown = [kind for kind in content if kind not in loader.kinds]
    if unknown:
        raise BadInput(f"unknown kind {unknown[0]!r}; kinds are {', '.join(loader.kinds)}")
    for kind, load_rows in loader.kinds.items():
        given = content.get(kind, [])
        if not isinstance(given, list):
            raise BadInput(f"{kind} is a list of rows")
        rows, problems = check_rows(kind, given)
        loader.errors += problems
        if rows:
            loader.loaded[kind] = load_rows(rows)
    return {"loaded": loader.loaded, "errors": loader.errors}


def order_by_number(company: Company, number: str) -> Record | None:
    """The purchase order of that number."""
    return company.keyed("transaction", f"PO:{number}")


class _Loader:
    def __init__(self, company: Company, create_missing: bool) -> None:
        self._company = company
        self._create_missing = create_missing
        self.loaded: dict[str, int] = {}
        self.errors: list[Problem] = []
        self.kinds: dict[str, Callable[[list[Row]], int]] = {
            **{kind: partial(self._lists, kind) for kind in LISTS},
            "dimension_values": self._dimension_values,
            "purchase_orders": partial(self._documents, "purchase_orders", self._order, ("po_number",)),
            "receipts": partial(self._documents, "receipts", self._receipt, ("receipt_number",)),
            "bills": partial(self._documents, "bills", self._bill, ("invoice_number", "vendor_id")),
            "closed_periods": self._closed_periods,
        }

    def _refuse(self, kind: str, row: Row, message: str) -> None:
        self.errors.append({"kind": kind, "line": int(row["_line"]), "message": message})

    def _lists(self, kind: str, rows: list[Row]) -> int:
        count = 0
        for row in rows:
            try:
                put(self._company, kind, row)
            except BadRow as error:
                self._refuse(kind, row, str(error))
            else:
                count += 1
        return count

    def _documents(
        self, kind: str, load_one: Callable[[list[Row]], None], key: tuple[str, ...], rows: list[Row]
    ) -> int:
        count = 0
        for group in _grouped(rows, *key):
            try:
                load_one(group)
            except (Refused, BadRow) as error:
                for row in group:
                    self._refuse(kind, row, error.message if isinstance(error, Refused) else str(error))
            else:
                count += 1
        return count

    def _dimension_values(self, rows: list[Row]) -> int:
        for row in rows:
            own_fields.put_value(self._company, row)
        return len(rows)

    def _closed_periods(self, rows: list[Row]) -> int:
        """Periods are closed for the whole account, whatever entity a row names."""
        for row in rows:
            close_periods(self._company, date.fromisoformat(row["closed_through"]))
        return len(rows)

    def _named(self, kind: str, group: str, key: str, row: Row | None = None) -> Ref:
        """What a row names, made on the way where that is wished. Raises BadRow."""
        found = self._company.keyed(group, key)
        if found is None:
            if not self._create_missing:
                raise BadRow(f"{kind[:-1]} {key!r} does not exist; load it first or use create_missing")
            found = put(self._company, kind, row if row is not None else {_KEY_COLUMNS[kind]: key})
        return self._company.ref(found)

    def _subsidiary(self, row: Row) -> Ref:
        key = row.get("entity", "")
        return self._company.ref(bootstrap.subsidiary(self._company, key))

    def _coding(self, row: Row) -> dict[str, Ref]:
        coded = {}
        for column, kind, group in (
            ("location", "locations", "location"),
            ("department", "departments", "department"),
            ("class", "classes", "classification"),
        ):
            key = row.get(column, "")
            if key:
                coded[column] = self._named(kind, group, key)
        if project := row.get("project"):
            # NetSuite names a line's project in its field for customers. The neutral format's key has a prefix here.
            coded["customer"] = self._named("projects", "entity", f"job:{project}", {"project_id": project})
        return coded

    # Documents

    def _order(self, rows: list[Row]) -> None:
        company, first = self._company, rows[0]
        number, status = first["po_number"], first.get("status", "")
        if order_by_number(company, number) is not None:
            raise BadRow(f"purchase order {number} exists already")
        if any(row["vendor_id"] != first["vendor_id"] for row in rows):
            raise BadRow(f"the rows of {number} name several vendors")
        known = (*sorted(_APPROVALS), "Closed", "Planned")
        if status not in _OPEN_WORDS and status not in known:
            raise BadRow(f"status {status!r} is not {', '.join(known)}; the others follow from quantities")
        named = {"name": first.get("vendor_name", ""), "entity": first.get("entity", "")}
        vendor_ref = self._named("vendors", "entity", first["vendor_id"], {"vendor_id": first["vendor_id"], **named})
        vendor = company.pointed("entity", vendor_ref)
        in_order = sorted(rows, key=lambda row: int(row.get("line_no") or 0))
        lines = [self._order_line(row, closed=status == "Closed") for row in in_order]
        items = Lines(line for line in lines if line.shape == "PurchaseOrderItem")
        expenses = Lines(line for line in lines if line.shape == "PurchaseOrderExpense")
        total = sum((line["amount"] for line in lines), ZERO)
        day = date.fromisoformat(first["po_date"])
        moment = _moment(company, first.get("modified_at"), day)
        money = bootstrap.currency(company, first.get("currency") or bootstrap.BASE_CURRENCY)
        term = self._named("terms", "term", first["term"]) if first.get("term") else vendor["terms"]
        values = {
            "createdDate": min(moment, company.moment_of(day)),
            "lastModifiedDate": moment,
            "entity": vendor_ref,
            "tranDate": day,
            "tranId": number,
            "terms": term,
            "dueDate": date.fromisoformat(first["due_date"]) if first.get("due_date") else None,
            "otherRefNum": first.get("reference") or None,
            "memo": first.get("memo") or None,
            "approvalStatus": _APPROVALS.get(status, APPROVED),
            "exchangeRate": money["exchangeRate"],
            "currencyName": money["name"],
            "currency": company.ref(money),
            "subTotal": total,
            "total": total,
            "subsidiary": self._subsidiary(first),
            "status": "Planned" if status == "Planned" else "Pending Receipt",
            "itemList": items or None,
            "expenseList": expenses or None,
        }
        order = company.insert("purchaseOrder", values, key=f"PO:{number}")
        for line in lines:
            line["line"] = order.next_line()
        recompute(company, order, at_once=True)
        order.values["lastModifiedDate"] = moment

    def _order_line(self, row: Row, *, closed: bool) -> Fields:
        quantity, price = Decimal(row["quantity"]), Decimal(row["price"])
        values: dict[str, Any] = self._coding(row) | own_fields.of_row(self._company, row)
        values |= {"amount": cents(quantity * price), "isClosed": closed or row.get("closed", "").lower() == "true"}
        if not row.get("item_id"):
            account = self._named("accounts", "account", row["account"], {"account_no": row["account"]})
            memo = row.get("line_memo") or row.get("description") or None
            return Fields("PurchaseOrderExpense", {**values, "account": account, "memo": memo})
        given = {"item_id": row["item_id"], "name": row.get("description", ""), "unit": row.get("unit", "")}
        item = self._named("items", "item", row["item_id"], given)
        bought = self._company.pointed("item", item)
        more = {
            "quantityReceived": ZERO,
            "quantityBilled": ZERO,
            "quantity": quantity,
            "units": bootstrap.unit(self._company, row.get("unit") or "Each", bought["unitsType"]),
            "description": row.get("line_memo") or row.get("description") or None,
            "rate": rate_text(price),
            "matchBillToReceipt": False,
        }
        return Fields("PurchaseOrderItem", {**values, "item": item, **more})

    def _linked_line(self, row: Row) -> tuple[Record, Fields]:
        """The order and its line that a row names by number and position."""
        order = order_by_number(self._company, row["po_number"])
        if order is None:
            raise BadRow(f"purchase order {row['po_number']} does not exist")
        line = order_line(order, 3 * int(row["po_line_no"]) - 2)
        if line is None:
            raise BadRow(f"line {row['po_line_no']} of purchase order {row['po_number']} does not exist")
        return order, line

    def _receipt(self, rows: list[Row]) -> None:
        company, first = self._company, rows[0]
        lines = Lines()
        for row in rows:
            order, line = self._linked_line(row)
            if row["po_number"] != first["po_number"]:
                raise BadRow("a receipt is of one order")
            entry = {"itemReceive": True, "orderLine": line["line"], "quantity": Decimal(row["quantity"])}
            location = line.get("location") or bootstrap.default_location(company)
            lines.append(Fields("ItemReceiptItem", {**entry, "location": location}))
        day = date.fromisoformat(first["receipt_date"])
        values = {"createdFrom": company.ref(order), "tranDate": company.moment_of(day), "itemList": lines}
        values |= {"tranId": first["receipt_number"], "memo": first.get("memo") or None}
        overage = company.switches.flag("allow_overage")
        # What was received before the sandbox began may be more than was ordered, whatever the preference is now.
        company.switches.set("allow_overage", True)
        try:
            with company.stamped(company.moment_of(day)):
                add(Writing(company), Fields("ItemReceipt", values), key=f"IR:{first['receipt_number']}")
        finally:
            company.switches.set("allow_overage", overage)

    def _bill(self, rows: list[Row]) -> None:
        company, first = self._company, rows[0]
        items, expenses = Lines(), Lines()
        for row in rows:
            line = self._bill_line(row)
            (expenses if line.shape == "VendorBillExpense" else items).append(line)
        day = date.fromisoformat(first["invoice_date"])
        values: dict[str, Any] = {
            "entity": self._named("vendors", "entity", first["vendor_id"]),
            "tranDate": company.moment_of(day),
            "tranId": first["invoice_number"],
            "memo": first.get("memo") or None,
        }
        if first.get("due_date"):
            values["dueDate"] = company.moment_of(date.fromisoformat(first["due_date"]))
        if first.get("currency"):
            values["currency"] = company.ref(bootstrap.currency(company, first["currency"]))
        if first.get("entity"):
            values["subsidiary"] = self._subsidiary(first)
        if items:
            values["itemList"] = items
        if expenses:
            values["expenseList"] = expenses
        with company.stamped(company.moment_of(day)):
            add(
                Writing(company),
                Fields("VendorBill", values),
                key=f"BILL:{first['vendor_id']}:{first['invoice_number']}",
            )

    def _bill_line(self, row: Row) -> Fields:
        """A line linked to the order's where `po_line_no` is given; else an item's, else an account's."""
        values: dict[str, Any] = self._coding(row)
        quantity = Decimal(row["quantity"]) if row.get("quantity") else None
        price = Decimal(row["price"]) if row.get("price") else None
        amount = Decimal(row["amount"]) if row.get("amount") else None
        if amount is None and (quantity is None or price is None) and not row.get("po_line_no"):
            raise BadRow("amount, or quantity and price, is missing")
        if row.get("po_line_no") and row.get("po_number"):
            order, target = self._linked_line(row)
            values |= {"orderDoc": int(order.internal_id), "orderLine": target["line"]}
            if target.shape == "PurchaseOrderExpense":
                worth = amount if amount is not None else (quantity or Decimal(1)) * (price or target["amount"])
                return Fields("VendorBillExpense", {**values, "account": target["account"], "amount": worth})
            values["item"] = target["item"]
        elif row.get("item_id"):
            values["item"] = self._named("items", "item", row["item_id"])
        else:
            key = row.get("account") or "6000"
            worth = amount if amount is not None else (quantity or ZERO) * (price or ZERO)
            values |= {"account": self._named("accounts", "account", key), "amount": worth}
            return Fields("VendorBillExpense", {**values, "memo": row.get("memo") or None})
        values |= {"quantity": quantity or Decimal(1), "amount": amount}
        values["rate"] = rate_text(price) if price is not None else None
        return Fields("VendorBillItem", {name: value for name, value in values.items() if value is not None})


def position(order: Record, line: Fields) -> int:
    """An order's line as people count it, from 1."""
    return [*item_lines(order), *(order["expenseList"] or ())].index(line) + 1


def _moment(company: Company, given: str | None, day: date) -> datetime:
    if not given:
        return company.moment_of(day)
    moment = datetime.fromisoformat(given)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=company.zone)


def _grouped(rows: Iterable[Row], *columns: str) -> Iterable[list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups.values()
