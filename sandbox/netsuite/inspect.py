"""What the account holds now, as JSON for assertions: documents with their links, bills and payments."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.netsuite import own_fields
from sandbox.netsuite.company import Company
from sandbox.netsuite.orders import expense_lines, is_expense, item_lines, settle_all, source_of
from sandbox.netsuite.payables import due, paid, total_of
from sandbox.netsuite.records import Record
from sandbox.netsuite.values import Fields, Ref

Shown = dict[str, Any]


def text_of(value: Any) -> Any:
    """A value as JSON: numbers, days and moments as text, references by name."""
    if isinstance(value, Decimal):
        plain = f"{value:f}"
        return (plain.rstrip("0").rstrip(".") or "0") if "." in plain else plain
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


def _key(company: Company, group: str, ref: Ref | None) -> str | None:
    """What the neutral format calls a record."""
    record = company.groups[group].get(ref.internal_id) if ref is not None else None
    return (record.key or company.title(record)) if record is not None else None


def _common(company: Company, record: Record) -> Shown:
    return {
        "record_no": record.internal_id,
        "external_id": record.external_id or None,
        "number": record["tranId"],
        "state": record["status"],
        "vendor_id": _key(company, "entity", record["entity"]),
        "entity": record["subsidiary"].internal_id if record["subsidiary"] else None,
        "date": text_of(record["tranDate"]),
        "currency": _key(company, "currency", record["currency"]),
        "memo": record["memo"],
        "created_at": text_of(record["createdDate"]),
        "modified_at": text_of(record["lastModifiedDate"]),
    }


def _line(company: Company, line_no: int, line: Fields) -> Shown:
    return {
        "line_no": line_no,
        "line": line["line"],
        "item_id": _key(company, "item", line.get("item")),
        "account": _key(company, "account", line.get("account")),
        "description": line.get("description") or line.get("memo"),
        "quantity": text_of(line.get("quantity")),
        "unit": line["units"].name if line.get("units") is not None else None,
        "price": line.get("rate"),
        "amount": text_of(line.get("amount")),
        "department": _key(company, "department", line.get("department")),
        "class": _key(company, "classification", line.get("class")),
        "location": _key(company, "location", line.get("location")),
        "custom_fields": own_fields.shown(line),
    }


def _counted(record: Record) -> list[tuple[int, Fields]]:
    """The lines as people count them, from 1: in order of their ids."""
    lines = (*item_lines(record), *expense_lines(record))
    return list(enumerate(sorted(lines, key=lambda line: int(line["line"])), 1))


def _order(company: Company, record: Record) -> Shown:
    lines = []
    for at, line in _counted(record):
        moved = {"received": text_of(line.get("quantityReceived")), "billed": text_of(line.get("quantityBilled"))}
        lines.append({**_line(company, at, line), **moved, "closed": bool(line.get("isClosed"))})
    head = {"total": text_of(record["total"]), "due_date": text_of(record["dueDate"])}
    head["reference"] = record["otherRefNum"]
    return {**_common(company, record), **head, "lines": lines}


def _receipt(company: Company, record: Record) -> Shown:
    order = company.get("purchaseOrder", record["createdFrom"].internal_id)
    lines = [{**_line(company, at, line), "order_line": line["orderLine"]} for at, line in _counted(record)]
    return {**_common(company, record), "po_number": order["tranId"] if order else None, "lines": lines}


def _bill(company: Company, record: Record) -> Shown:
    lines = []
    for at, line in _counted(record):
        order = company.get("purchaseOrder", str(line["orderDoc"])) if line.get("orderDoc") is not None else None
        link = {"po_number": order["tranId"] if order else None, "order_line": line.get("orderLine")}
        link["order_doc"] = order.internal_id if order else None
        lines.append({**_line(company, at, line), **link, "expense": is_expense(line)})
    numbers = {"total": total_of(record), "paid": paid(company, record), "due": due(company, record)}
    return {
        **_common(company, record),
        **{name: text_of(value) for name, value in numbers.items()},
        "due_date": text_of(record["dueDate"]),
        "period": company.name_of("postingPeriod", record["postingPeriod"]) if record["postingPeriod"] else None,
        "transaction_number": record["transactionNumber"],
        "lines": lines,
    }


def _applied(company: Company, record: Record) -> Shown:
    details = []
    for line in record["applyList"] or ():
        bill = company.get("vendorBill", str(line["doc"]))
        number = bill["tranId"] if bill is not None else None
        details.append({"bill": number, "bill_record_no": str(line["doc"]), "amount": text_of(line["amount"])})
    own = {"amount": text_of(record["total"]), "bank_account": _key(company, "account", record["account"])}
    return {**_common(company, record), **own, "details": details}


def _credit(company: Company, record: Record) -> Shown:
    source = source_of(company, record)
    lines = [{**_line(company, at, line), "order_line": line.get("orderLine")} for at, line in _counted(record)]
    made = {"created_from": source.internal_id if source is not None else None, "lines": lines}
    if record.type.name == "vendorCredit":
        return {**_applied(company, record), **made}
    return {**_common(company, record), "state": record["orderStatus"], "amount": text_of(total_of(record)), **made}


def _fulfilment(company: Company, record: Record) -> Shown:
    source = source_of(company, record)
    lines = [{"order_line": line["orderLine"], "quantity": text_of(line["quantity"])} for line in item_lines(record)]
    made = source.internal_id if source is not None else None
    return {**_common(company, record), "state": record["shipStatus"], "created_from": made, "lines": lines}


def _list_record(company: Company, record: Record) -> Shown:
    values = {name: text_of(value) for name, value in record.values.items() if not isinstance(value, (list, Ref, dict))}
    refs = {name: company.name_of(name, ref) for name, ref in record.values.items() if isinstance(ref, Ref)}
    ids = {"record_no": record.internal_id, "external_id": record.external_id or None, "key": record.key}
    return {**ids, "type": record.type.name, **values, **refs}


_DOCUMENTS: Mapping[str, tuple[str, Callable[[Company, Record], Shown]]] = {
    "purchase_orders": ("purchaseOrder", _order),
    "receipts": ("itemReceipt", _receipt),
    "bills": ("vendorBill", _bill),
    "credits": ("vendorCredit", _credit),
    "returns": ("vendorReturnAuthorization", _credit),
    "fulfilments": ("itemFulfillment", _fulfilment),
    "payments": ("vendorPayment", _applied),
}
_LISTS: Mapping[str, tuple[str, ...]] = {
    "vendors": ("vendor",),
    "items": ("inventoryItem", "nonInventoryPurchaseItem", "servicePurchaseItem"),
    "accounts": ("account",),
    "departments": ("department",),
    "classes": ("classification",),
    "projects": ("job",),
    "customers": ("customer",),
    "employees": ("employee",),
    "locations": ("location",),
    "entities": ("subsidiary",),
    "terms": ("term",),
    "currencies": ("currency",),
    "periods": ("accountingPeriod",),
}
KINDS = frozenset([*_DOCUMENTS, *_LISTS, "deleted"])


def show(company: Company, kind: str) -> list[Shown]:
    """Every record of a kind, oldest first."""
    settle_all(company)
    if kind in _DOCUMENTS:
        type_name, shape = _DOCUMENTS[kind]
        return [shape(company, record) for record in company.all(type_name)]
    if kind == "deleted":
        return [
            {"type": one.type.name, "record_no": one.internal_id, "name": one.name, "at": one.moment.isoformat()}
            for one in company.deleted
        ]
    return [_list_record(company, record) for record in company.all(*_LISTS[kind])]


def shown(company: Company, record: Record) -> Shown:
    """One record."""
    settle_all(company)
    for type_name, shape in _DOCUMENTS.values():
        if record.type.name == type_name:
            return shape(company, record)
    return _list_record(company, record)
