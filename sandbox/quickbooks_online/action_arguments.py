"""What an action of a person says: numbers, days, which record and which of its lines."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.records import Line, Record
from sandbox.quickbooks_online.values import Json

Given = Mapping[str, Any]
KINDS = {
    "purchase_order": "PurchaseOrder",
    "bill": "Bill",
    "credit": "VendorCredit",
    "payment": "BillPayment",
    "expense": "Purchase",
    "vendor": "Vendor",
    "item": "Item",
    "account": "Account",
    "class": "Class",
    "department": "Department",
    "term": "Term",
}


def text(given: Given, name: str, default: str = "") -> str:
    """A text; the default where none is given."""
    value = given.get(name)
    return default if value is None else str(value)


def number(given: Given, name: str) -> Decimal | None:
    """A number. Raises ValueError."""
    if given.get(name) is None:
        return None
    try:
        return Decimal(str(given[name]))
    except InvalidOperation:
        raise ValueError(f"{name} is a number") from None


def amount(given: Given, name: str = "amount") -> Decimal:
    """A number that must be given. Raises ValueError."""
    found = number(given, name)
    if found is None:
        raise ValueError(f"give {name}")
    return found


def found(company: Company, kind: str, given: Given) -> Record:
    """The newest record of that number or key, or the one of that id. Raises ValueError."""
    wanted = text(given, "number") or text(given, "key")
    for record in reversed(company.all(kind)):
        names = (record["DocNumber"], record["AcctNum"], record["Sku"], record.key, record.title)
        if given.get("record_no") and record.id == str(given["record_no"]):
            return record
        if wanted and wanted in names:
            return record
    raise ValueError(f"there is no such {kind}")


def keyed(company: Company, kind: str, key: str) -> Json:
    """A reference to a record by the neutral format's key. Raises ValueError."""
    record = company.keyed(kind, key)
    return {"value": (record or found(company, kind, {"number": key})).id}


def numbered(record: Record, given: Given) -> Line:
    """A document's line, counted from 1 as people do. Raises ValueError."""
    at = int(given.get("line", 0))
    if not 1 <= at <= len(record.lines):
        raise ValueError(f"{record['DocNumber']} has lines 1 to {len(record.lines)}")
    return record.lines[at - 1]


def naming(record: Record) -> Json:
    """Id and token of a record as it is now."""
    return {"Id": record.id, "SyncToken": str(record.sync_token)}
