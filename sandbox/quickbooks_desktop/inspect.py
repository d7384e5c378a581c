"""What the company file holds now, as JSON for assertions: documents with their links, payments, the ledger."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.qbxml import plain
from sandbox.quickbooks_desktop.receiving import fully_received, is_closed, taken
from sandbox.quickbooks_desktop.records import FAMILIES, PAYMENTS, ZERO, Entry, Line, Txn

Shown = dict[str, Any]


def _common(company: Company, record: Txn) -> Shown:
    due = record.values.get("DueDate")
    return {
        "record_no": record.txn_id,
        "txn_number": record.number,
        "type": record.kind,
        "number": record.ref_number or None,
        "edit_sequence": record.edit_sequence,
        "vendor_id": company.key_of("Vendor", record.entity),
        "date": record.day.isoformat(),
        "due_date": due.isoformat() if due else None,
        "memo": record.values.get("Memo"),
        "total": plain(ZERO if record.voided else record.total),
        "voided": record.voided,
        "created_at": record.created.isoformat(),
        "modified_at": record.modified.isoformat(),
    }


def _line(company: Company, number: int, line: Line) -> Shown:
    return {
        "line_no": number,
        "line": line.id,
        "item_id": company.key_of("Item", line.values.get("ItemRef")),
        "account": company.key_of("Account", line.values.get("AccountRef")),
        "description": line.values.get("Desc") or line.values.get("Memo"),
        "quantity": plain(line.quantity),
        "unit": line.values.get("UnitOfMeasure"),
        "price": plain(line.price),
        "amount": plain(line.amount),
        "class": company.key_of("Class", line.values.get("ClassRef")),
    }


def _order(company: Company, record: Txn) -> Shown:
    lines = []
    for number, line in enumerate(record.lines, 1):
        done = taken(company, record, line)
        counted = {"received": plain(done.received), "billed": plain(done.billed), "closed": line.closed}
        lines.append({**_line(company, number, line), **counted})
    linked = [{"type": one.kind, "record_no": one.txn_id} for one in company.linked.get(record.txn_id, {}).values()]
    state = {
        "state": _state(company, record),
        "manually_closed": bool(record.values.get("IsManuallyClosed")),
        "fully_received": fully_received(company, record),
        "open": not is_closed(company, record),
    }
    return {**_common(company, record), **state, "linked": linked, "lines": lines}


def _state(company: Company, record: Txn) -> str:
    """The state of an order in words."""
    if record.values.get("IsManuallyClosed"):
        return "Closed"
    receipts = any(one.kind == "ItemReceipt" for one in company.linked.get(record.txn_id, {}).values())
    if fully_received(company, record):
        return "Received in full, on item receipts" if receipts and not company.enhanced else "Received in full"
    received = any(taken(company, record, line).received for line in record.lines)
    return "Open, partly received" if received else "Open"


def _bill(company: Company, record: Txn) -> Shown:
    lines = []
    for number, line in enumerate(record.lines, 1):
        order = company.txns["PurchaseOrder"].get(line.link.txn_id) if line.link is not None else None
        named = {
            "po_number": order.ref_number if order is not None else None,
            "order_doc": line.link.txn_id if line.link is not None else None,
            "order_line": line.link.line_id if line.link is not None else None,
        }
        lines.append({**_line(company, number, line), **named})
    shown = {**_common(company, record), "lines": lines}
    if record.kind in ("ItemReceipt", "Check"):
        return shown
    due = company.open_amount(record)
    whole = ZERO if record.voided else record.total
    return {**shown, "paid": plain(whole - due), "due": plain(due)}


def _payment(company: Company, record: Txn) -> Shown:
    details = []
    for one in record.applied:
        bill = company.txns["Bill"].get(one.txn_id)
        number = bill.ref_number if bill is not None else None
        credits = [{"record_no": credit, "amount": plain(amount)} for credit, amount in one.credits]
        details.append({"bill": number, "bill_record_no": one.txn_id, "amount": plain(one.amount), "credits": credits})
    account = record.values.get("BankAccountRef") or record.values.get("CreditCardAccountRef")
    own = {"amount": plain(ZERO if record.voided else record.total), "bank_account": company.key_of("Account", account)}
    return {**_common(company, record), **own, "details": details}


def shown_entry(company: Company, record: Entry) -> Shown:
    """One entry of a list."""
    values = {name: plain(one) if isinstance(one, Decimal) else one for name, one in record.values.items()}
    return {
        "record_no": record.list_id,
        "type": record.kind,
        "key": record.key or None,
        "name": record.name,
        "full_name": record.full_name,
        "active": record.active,
        "edit_sequence": record.edit_sequence,
        "modified_at": record.modified.isoformat(),
        "values": {name: value for name, value in values.items() if name not in ("Name", "units")},
    }


def ledger(company: Company) -> list[Shown]:
    """Payable by vendor, stock by item, what was received and not billed by vendor: what is not zero."""
    rows = []
    families = {"payable": "Vendor", "stock": "Item", "offset": "Vendor"}
    for (book, identifier), amount in sorted(company.books.sums.items()):
        if amount:
            rows.append({"book": book, "key": company.key_of(families[book], identifier), "amount": plain(amount)})
    return rows


_TXN_KINDS: Mapping[str, tuple[tuple[str, ...], Callable[[Company, Txn], Shown]]] = {
    "purchase_orders": (("PurchaseOrder",), _order),
    "receipts": (("ItemReceipt",), _bill),
    "bills": (("Bill",), _bill),
    "credits": (("VendorCredit",), _bill),
    "payments": (PAYMENTS, _payment),
    "expenses": (("Check",), _bill),
}
_LIST_KINDS = {
    "vendors": "Vendor",
    "items": "Item",
    "accounts": "Account",
    "classes": "Class",
    "terms": "Terms",
    "units": "UnitOfMeasureSet",
}
KINDS = frozenset([*_TXN_KINDS, *_LIST_KINDS, "deleted", "ledger", "message_sets", "preferences"])


def show(company: Company, kind: str) -> list[Shown]:
    """Every record of a kind, oldest first."""
    if kind == "deleted":
        gone = [*company.deleted_txns, *company.deleted_entries]
        return [{"type": one.kind, "record_no": one.id, "at": one.moment.isoformat()} for one in gone]
    if kind == "ledger":
        return ledger(company)
    if kind == "message_sets":
        sets = company.message_sets.items()
        return [{"application": name, "id": identifier} for name, stored in sets for identifier in stored]
    if kind == "preferences":
        closed = company.closing_date
        return [{**company.preferences, "ClosingDate": closed.isoformat() if closed else None, "path": company.path}]
    if kind in _LIST_KINDS:
        kinds = FAMILIES[_LIST_KINDS[kind]]
        return [shown_entry(company, entry) for one in kinds for entry in company.entries[one].values()]
    names, shape = _TXN_KINDS[kind]
    records = [record for name in names for record in company.txns[name].values()]
    return [shape(company, record) for record in sorted(records, key=lambda one: one.number)]


def shown(company: Company, record: Txn) -> Shown:
    """One transaction."""
    shape = next(shape for names, shape in _TXN_KINDS.values() if record.kind in names)
    return shape(company, record)
