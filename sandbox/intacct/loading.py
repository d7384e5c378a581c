"""Fills the company from the neutral format, quickly, and reports bad rows by line while the good ones go on."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sandbox.intacct.company import Actor, Company
from sandbox.intacct.conversions import create_document
from sandbox.intacct.dimension_values import put_value
from sandbox.intacct.documents import Document, Line, base_units, check_unit, header_values, line_values, totals
from sandbox.intacct.errors import FunctionError, invalid
from sandbox.intacct.formats import TIME_KEYS, amount_text, number, plain, wire_time
from sandbox.intacct.loading_lists import LISTS, add_unit, put_master, put_units
from sandbox.intacct.object_types import PO_STATES
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.payables import Bill, BillLine, create_bill
from sandbox.intacct.tables import Record
from sandbox.neutral import BadInput, Problem, Row, check_rows

ORDER = "Purchase Order"
RECEIVER = "PO Receiver"
DEFAULT_ENTITY = "100"


def load(company: Company, content: Mapping[str, Any], *, create_missing: bool = False) -> dict[str, Any]:
    """Load every kind in `content`; the report has `loaded` counts by kind and `errors` by line.

    Raises:
        BadInput: a kind is unknown, or is no list of rows.
    """
    loader = _Loader(company, create_missing)
    unknown = [kind for kind in content if kind not in loader.kinds]
    if unknown:
        raise BadInput(f"unknown kind {unknown[0]!r}; kinds are {', '.join(loader.kinds)}")
    checked: dict[str, list[Row]] = {}
    for kind in loader.kinds:
        given = content.get(kind, [])
        if not isinstance(given, list):
            raise BadInput(f"{kind} is a list of rows")
        checked[kind], problems = check_rows(kind, given)
        loader.errors += problems
    loader.received = {row["po_number"] for row in checked["receipts"]}
    for kind, load_rows in loader.kinds.items():
        if checked[kind]:
            loader.loaded[kind] = load_rows(checked[kind])
    company.begin()
    return {"loaded": loader.loaded, "errors": loader.errors}


class _Loader:
    def __init__(self, company: Company, create_missing: bool) -> None:
        self._company = company
        self._create_missing = create_missing
        self.loaded: dict[str, int] = {}
        self.errors: list[Problem] = []
        self.received: set[str] = set()
        """Orders whose receipts come in the same load: these, not the given status, say what was converted."""
        self.kinds: dict[str, Callable[[list[Row]], int]] = {
            "entities": self._entities,
            "units": self._units,
            "dimension_values": self._dimension_values,
            **{kind: partial(self._masters, kind) for kind in LISTS},
            "purchase_orders": self._purchase_orders,
            "receipts": self._receipts,
            "bills": self._bills,
            "closed_periods": self._closed_periods,
        }

    def _refuse(self, kind: str, row: Row, message: str) -> None:
        self.errors.append({"kind": kind, "line": int(row["_line"]), "message": message})

    # Lists

    def _entities(self, rows: list[Row]) -> int:
        for row in rows:
            self._company.add_entity(
                row["entity_id"],
                row.get("name") or row["entity_id"],
                row.get("currency") or self._company.base_currency,
            )
        return len(rows)

    def _units(self, rows: list[Row]) -> int:
        count = 0
        for group, units in _grouped(rows, "unit_group"):
            try:
                put_units(self._company, group, units)
            except FunctionError as error:
                self._refuse("units", units[0], error.lines[0].description2)
            else:
                count += len(units)
        return count

    def _dimension_values(self, rows: list[Row]) -> int:
        for row in rows:
            put_value(self._company, row)
        return len(rows)

    def _closed_periods(self, rows: list[Row]) -> int:
        for row in rows:
            self._company.closed_through[row.get("entity", "")] = date.fromisoformat(row["closed_through"])
        return len(rows)

    def _masters(self, kind: str, rows: list[Row]) -> int:
        count = 0
        for row in rows:
            try:
                put_master(self._company, kind, row)
            except FunctionError as error:
                self._refuse(kind, row, error.lines[0].description2)
            else:
                count += 1
        return count

    # Documents

    def _named(self, kind: str, row: Row, what: str) -> Record:
        """The master that a document's row names, made on the way where that is wished."""
        object_name = LISTS[kind][0]
        key = row[f"{what}_id"]
        found = self._company[object_name].first(OBJECTS[object_name].key, key)
        if found is None:
            if not self._create_missing:
                raise invalid(f"{what} {key!r} does not exist; load it first or use create_missing")
            found = put_master(self._company, kind, row)
        return found

    def _line_item(self, row: Row) -> Record:
        fields = {"item_id": row["item_id"], "name": row.get("description", ""), "unit": row.get("unit", "")}
        item = self._named("items", fields, "item")
        unit = row.get("unit", "")
        group = self._company["UOM"].first("NAME", item["UOMGRP"])
        if unit and group is not None and unit != group["BASEUNIT"]:
            known = self._company["UOMDETAIL"].find("GRPKEY", group["RECORDNO"])
            if not any(detail["UNIT"] == unit for detail in known):
                if not self._create_missing:
                    raise invalid(f"unit {unit!r} is not a unit of item {row['item_id']}")
                add_unit(self._company, group, unit)
        return item

    def _dimensions(self, row: Row) -> None:
        company = self._company
        for column, object_name, key, name in (
            ("location", "LOCATION", "LOCATIONID", "NAME"),
            ("department", "DEPARTMENT", "DEPARTMENTID", "TITLE"),
            ("class", "CLASS", "CLASSID", "NAME"),
            ("project", "PROJECT", "PROJECTID", "NAME"),
            ("warehouse", "WAREHOUSE", "WAREHOUSEID", "NAME"),
        ):
            value = row.get(column)
            if value and not company[object_name].indexes[key].get(value):
                if not self._create_missing:
                    raise invalid(f"{column} {value!r} does not exist; load it first or use create_missing")
                company.add_master(object_name, {key: value, name: value})

    def _purchase_orders(self, rows: list[Row]) -> int:
        count = 0
        for number_given, group in _grouped(rows, "po_number"):
            try:
                count += self._purchase_order(number_given, group)
            except FunctionError as error:
                self._refuse("purchase_orders", group[0], error.lines[0].description2)
        return count

    def _purchase_order(self, po_number: str, rows: list[Row]) -> int:
        company, first = self._company, rows[0]
        definition = company["PODOCUMENTPARAMS"].first("DOCID", ORDER)
        status = first.get("status") or "Pending"
        if definition is None or status not in PO_STATES:
            raise invalid(f"status {status!r} is not one of {', '.join(PO_STATES)}")
        if po_number in self.received and "Converted" in status:
            status = "Pending"
        if company["PODOCUMENT"].first("DOCID", f"{ORDER}-{po_number}") is not None:
            raise invalid(f"purchase order {po_number} exists already")
        entity = first.get("entity", "")
        owner = company.entity_fields(entity)
        named = {"vendor_id": first["vendor_id"], "name": first.get("vendor_name", "")}
        vendor = self._named("vendors", named, "vendor")
        lines = []
        for row in rows:
            try:
                lines.append((row, self._order_line(row, first, entity, status), self._line_item(row)))
            except FunctionError as error:
                self._refuse("purchase_orders", row, error.lines[0].description2)
        if not lines:
            return 0
        document = Document(
            definition=ORDER,
            vendor=first["vendor_id"],
            day=date.fromisoformat(first["po_date"]),
            due=_day(first.get("due_date")),
            number=po_number,
            reference=first.get("reference", ""),
            term=first.get("term") or vendor["TERMNAME"],
            message=first.get("memo", ""),
            currency=first.get("currency") or company.base_currency,
            state=status,
            lines=[],
        )
        stamp = self._stamp(first.get("modified_at"), document.day)
        stamps = {"AUWHENCREATED": stamp, "WHENMODIFIED": stamp, "CREATEDBY": "1", "MODIFIEDBY": "1"}
        values = header_values(company, document, definition, vendor) | stamps | owner
        header = company["PODOCUMENT"].insert(values)
        entries = []
        more = {"DOCHDRNO": header["RECORDNO"]} | stamps | owner
        for at, (row, (line, converted), item) in enumerate(lines):
            line_no = int(row["line_no"]) - 1 if row.get("line_no") else at
            line.unit = check_unit(company, item, line.unit) or "Each"
            line.base_units = base_units(company, item, line.unit)
            written = line_values(values, line, item, line_no) | more
            if converted:
                written |= _converted(line, converted)
            entries.append(company["PODOCUMENTENTRY"].insert(written))
        company["PODOCUMENT"].change(header, totals(entries, []))
        company.note_number(ORDER, po_number)
        # A load can be tens of thousands of rows and is never undone as a whole.
        company.journal.clear()
        return 1

    def _order_line(self, row: Row, first: Row, entity: str, status: str) -> tuple[Line, Decimal]:
        if row["vendor_id"] != first["vendor_id"]:
            raise invalid(f"vendor {row['vendor_id']} differs from the order's {first['vendor_id']}")
        if not row["item_id"]:
            raise invalid("item_id is missing: an Intacct order has no expense lines")
        self._dimensions(row)
        quantity = Decimal(row["quantity"])
        line = Line(
            item=row["item_id"],
            quantity=quantity,
            price=Decimal(row["price"]),
            unit=row.get("unit", ""),
            description=row.get("description", ""),
            memo=row.get("line_memo") or row.get("description", ""),
            location=row.get("location") or entity or DEFAULT_ENTITY,
            department=row.get("department", ""),
            class_id=row.get("class", ""),
            project=row.get("project", ""),
            warehouse=row.get("warehouse", ""),
        )
        for name, value in row.items():
            if name.lower().startswith(("gldim", "custom.")) and value:
                field = name.upper().removeprefix("CUSTOM.")
                self._company.custom_fields.setdefault("PODOCUMENTENTRY", set()).add(field)
                line.more[field] = value
        given = row.get("converted_quantity")
        if status == "Partially Converted" and not given:
            raise invalid("status Partially Converted needs converted_quantity")
        converted = Decimal(given) if given else quantity if status == "Converted" else Decimal(0)
        return line, converted

    def _stamp(self, given: str | None, day: date) -> str:
        moment = datetime.fromisoformat(given or f"{day.isoformat()}T12:00:00Z")
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
        return wire_time(moment, int(self._company.switches.number("utc_offset_minutes")))

    def _receipts(self, rows: list[Row]) -> int:
        count = 0
        for receipt_number, group in _grouped(rows, "receipt_number"):
            try:
                with self._company.whole():
                    self._receipt(receipt_number, group)
            except FunctionError as error:
                for row in group:
                    self._refuse("receipts", row, error.lines[0].description2)
            else:
                count += 1
            self._company.journal.clear()
        return count

    def _receipt(self, receipt_number: str, rows: list[Row]) -> None:
        company, first = self._company, rows[0]
        order = company["PODOCUMENT"].first("DOCID", f"{ORDER}-{first['po_number']}")
        if order is None:
            raise invalid(f"purchase order {first['po_number']} does not exist")
        entries = company["PODOCUMENTENTRY"].find("DOCHDRNO", order["RECORDNO"])
        by_number = {int(entry["LINE_NO"]) + 1: entry for entry in entries}
        lines = []
        for row in rows:
            entry = by_number.get(int(row["po_line_no"]))
            if row["po_number"] != first["po_number"] or entry is None:
                raise invalid(f"line {row['po_line_no']} of purchase order {row['po_number']} does not exist")
            line = Line(item=entry["ITEMID"], quantity=Decimal(row["quantity"]), source_line=entry["RECORDNO"])
            lines.append(line)
        day = date.fromisoformat(first["receipt_date"])
        document = Document(
            definition=RECEIVER,
            vendor=order["CUSTVENDID"],
            day=day,
            due=day,
            number=receipt_number,
            reference=first["po_number"],
            message=first.get("memo", ""),
            created_from=order["DOCID"],
            currency=order["CURRENCY"],
            state=first.get("status", ""),
            lines=lines,
            may_exceed=True,
        )
        before = order["WHENMODIFIED"]
        with company.stamped(self._stamp(None, day)):
            create_document(company, document, Actor("1", order["MEGAENTITYID"], "system"))
        if TIME_KEYS[before] > TIME_KEYS[order["WHENMODIFIED"]]:
            company["PODOCUMENT"].change(order, {"WHENMODIFIED": before})

    def _bills(self, rows: list[Row]) -> int:
        count = 0
        for _, group in _grouped(rows, "invoice_number", "vendor_id"):
            try:
                with self._company.whole():
                    self._bill(group)
            except FunctionError as error:
                for row in group:
                    self._refuse("bills", row, error.lines[0].description2)
            else:
                count += 1
            self._company.journal.clear()
        return count

    def _bill(self, rows: list[Row]) -> None:
        company, first = self._company, rows[0]
        lines = []
        for row in rows:
            if not row.get("amount") and not (row.get("quantity") and row.get("price")):
                raise invalid("amount, or quantity and price, is missing")
            amount = Decimal(row["amount"]) if row.get("amount") else number(row["quantity"]) * number(row["price"])
            item = company["ITEM"].first("ITEMID", row["item_id"]) if row.get("item_id") else None
            account = row.get("account") or (item["GLGROUP"] if item else "") or "6000"
            location = row.get("location") or first.get("entity") or DEFAULT_ENTITY
            fields = {"LOCATIONID": location, "ITEMID": row.get("item_id", ""), "ENTRYDESCRIPTION": row.get("memo", "")}
            lines.append(BillLine(amount, account, fields))
        day = date.fromisoformat(first["invoice_date"])
        bill = Bill(
            vendor=first["vendor_id"],
            day=day,
            due=_day(first.get("due_date")),
            number=first["invoice_number"],
            currency=first.get("currency") or company.base_currency,
            lines=lines,
            fields={"DOCNUMBER": first.get("po_number", ""), "DESCRIPTION": first.get("memo", "")},
        )
        with company.stamped(self._stamp(None, day)):
            create_bill(company, bill, Actor("1", first.get("entity", ""), "system"))


def _grouped(rows: Iterable[Row], *columns: str) -> Iterable[tuple[str, list[Row]]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return ((key[0], group) for key, group in groups.items())


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _converted(line: Line, converted: Decimal) -> dict[str, str]:
    price = line.price or Decimal(0)
    return {
        "QTY_CONVERTED": plain(converted),
        "QTY_REMAINING": plain(line.quantity - converted),
        "TOTAL_AMOUNT_CONVERTED": amount_text(converted * price),
        "TOTAL_AMOUNT_REMAINING": amount_text((line.quantity - converted) * price),
    }
