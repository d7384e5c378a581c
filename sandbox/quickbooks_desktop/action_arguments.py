"""What an action of a person says: numbers, days, which record and which of its lines."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.records import FAMILIES, PAYMENTS, Entry, Line, Txn

Given = Mapping[str, Any]
KINDS: Mapping[str, tuple[str, ...]] = {
    "purchase_order": ("PurchaseOrder",),
    "receipt": ("ItemReceipt",),
    "bill": ("Bill",),
    "credit": ("VendorCredit",),
    "payment": PAYMENTS,
    "expense": ("Check",),
    "vendor": FAMILIES["Vendor"],
    "item": FAMILIES["Item"],
    "account": FAMILIES["Account"],
    "class": FAMILIES["Class"],
    "term": FAMILIES["Terms"],
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


def day(given: Given, name: str, default: date) -> date:
    """A day. Raises ValueError."""
    return date.fromisoformat(str(given[name])) if given.get(name) else default


def txn(company: Company, given: Given, *kinds: str) -> Txn:
    """The newest transaction of that number, or the one of that id. Raises ValueError."""
    wanted, identifier = text(given, "number"), text(given, "record_no")
    found = [one for kind in kinds for one in company.txns[kind].values()]
    for one in sorted(found, key=lambda record: -record.number):
        if (identifier and one.txn_id == identifier) or (wanted and one.ref_number == wanted):
            return one
    raise ValueError(f"there is no such {' or '.join(kinds)}")


def entry(company: Company, family: str, given: Given) -> Entry:
    """An entry by its key, name or ListID. Raises ValueError."""
    wanted = text(given, "number") or text(given, "key") or text(given, "record_no")
    return keyed(company, family, wanted)


def keyed(company: Company, family: str, key: str) -> Entry:
    """An entry by the neutral format's key, its full name or its ListID. Raises ValueError."""
    found = company.keyed(family, key) or company.named(family, key) or company.entry(family, key)
    if found is None:
        raise ValueError(f"there is no {family} {key!r}")
    return found


def numbered(record: Txn, given: Given) -> Line:
    """A document's line, counted from 1 as people do. Raises ValueError."""
    at = int(given.get("line", 0))
    if not 1 <= at <= len(record.lines):
        raise ValueError(f"{record.ref_number} has lines 1 to {len(record.lines)}")
    return record.lines[at - 1]
