"""What the company holds now, as JSON for assertions: documents with their links, bills and payments."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.payments import applied
from sandbox.quickbooks_online.received import received
from sandbox.quickbooks_online.records import Line, Record
from sandbox.quickbooks_online.wire_out import record_json

Shown = dict[str, Any]


def text_of(value: Decimal | None) -> str | None:
    """A number as text without zeros behind it."""
    if value is None:
        return None
    plain = f"{value:f}"
    return (plain.rstrip("0").rstrip(".") or "0") if "." in plain else plain


def _common(company: Company, record: Record) -> Shown:
    vendor = record["VendorRef"] or record["EntityRef"]
    return {
        "record_no": record.id,
        "number": record["DocNumber"],
        "sync_token": record.sync_token,
        "vendor_id": company.key_of("Vendor", vendor),
        "date": record["TxnDate"],
        "due_date": record["DueDate"],
        "currency": record["CurrencyRef"],
        "memo": record["PrivateNote"],
        "location": company.key_of("Department", record["DepartmentRef"]),
        "total": text_of(record["TotalAmt"]),
        "created_at": record.created.isoformat(),
        "modified_at": record.updated.isoformat(),
    }


def _line(company: Company, line: Line) -> Shown:
    return {
        "line_no": line.number,
        "line": line.id,
        "item_id": company.key_of("Item", line.detail.get("ItemRef")),
        "account": company.key_of("Account", line.detail.get("AccountRef")),
        "description": line.description or None,
        "quantity": text_of(line.quantity),
        "price": text_of(line.detail.get("UnitPrice")),
        "amount": text_of(line.amount),
        "class": company.key_of("Class", line.detail.get("ClassRef")),
    }


def _order(company: Company, record: Record) -> Shown:
    lines = [
        {**_line(company, line), "received": text_of(received(company, record, line)), "closed": line.closed}
        for line in record.lines
    ]
    linked = [{"type": link.txn_type, "record_no": link.txn_id} for link in record.back_links]
    return {**_common(company, record), "state": record["POStatus"], "linked": linked, "lines": lines}


def _bill(company: Company, record: Record) -> Shown:
    lines = []
    for line in record.lines:
        link = line.links[0] if line.links else None
        order = company.get("PurchaseOrder", link.txn_id) if link is not None else None
        named = {"po_number": order["DocNumber"] if order is not None else None}
        named |= {"order_doc": link.txn_id if link is not None else None}
        named |= {"order_line": link.line_id if link is not None else None}
        lines.append({**_line(company, line), **named})
    shown = {**_common(company, record), "lines": lines}
    if record.type.name == "Purchase":
        return shown
    return {**shown, "paid": text_of(applied(company, record)), "due": text_of(record["Balance"])}


def _payment(company: Company, record: Record) -> Shown:
    details = []
    for line in record.lines:
        for link in line.links:
            target = company.get(link.txn_type, link.txn_id)
            number = target["DocNumber"] if target is not None else None
            named = {"type": link.txn_type, "bill": number, "bill_record_no": link.txn_id}
            details.append({**named, "amount": text_of(line.amount)})
    way = record["CheckPayment"] or record["CreditCardPayment"] or {}
    own = {"amount": text_of(record["TotalAmt"]), "method": record["PayType"], "state": record.status or None}
    own["bank_account"] = company.key_of("Account", way.get("account"))
    return {**_common(company, record), **own, "details": details}


def _plain(company: Company, record: Record) -> Shown:
    return {"record_no": record.id, "key": record.key or None, **record_json(company, record)}


_KINDS: Mapping[str, tuple[str, Callable[[Company, Record], Shown]]] = {
    "purchase_orders": ("PurchaseOrder", _order),
    "bills": ("Bill", _bill),
    "credits": ("VendorCredit", _bill),
    "payments": ("BillPayment", _payment),
    "expenses": ("Purchase", _bill),
    "vendors": ("Vendor", _plain),
    "items": ("Item", _plain),
    "accounts": ("Account", _plain),
    "departments": ("Department", _plain),
    "classes": ("Class", _plain),
    "terms": ("Term", _plain),
    "attachments": ("Attachable", _plain),
    "preferences": ("Preferences", _plain),
    "company_info": ("CompanyInfo", _plain),
}
KINDS = frozenset([*_KINDS, "deleted"])


def show(company: Company, kind: str) -> list[Shown]:
    """Every record of a kind, oldest first."""
    if kind == "deleted":
        return [{"type": one.kind, "record_no": one.id, "at": one.moment.isoformat()} for one in company.deleted]
    name, shape = _KINDS[kind]
    return [shape(company, record) for record in company.all(name)]


def shown(company: Company, record: Record) -> Shown:
    """One record."""
    for name, shape in _KINDS.values():
        if record.type.name == name:
            return shape(company, record)
    return _plain(company, record)
