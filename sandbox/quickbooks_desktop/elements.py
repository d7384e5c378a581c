"""Reads values out of checked request elements: references, numbers, days, flags."""

from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import bad_reference, inactive, missing_element
from sandbox.quickbooks_desktop.qbxml import windows
from sandbox.quickbooks_desktop.records import Entry

FAMILY_OF_REFERENCE = {
    "VendorRef": "Vendor",
    "PayeeEntityRef": "Vendor",
    "ItemRef": "Item",
    "ClassRef": "Class",
    "DiscountClassRef": "Class",
    "TermsRef": "Terms",
    **dict.fromkeys(
        (
            *("APAccountRef", "AccountRef", "BankAccountRef", "CreditCardAccountRef", "DiscountAccountRef"),
            *("OverrideItemAccountRef", "PrefillAccountRef"),
        ),
        "Account",
    ),
}


def text(element: etree._Element, name: str) -> str | None:
    """A text as QuickBooks stores it; None where the element is not there, empty where it clears."""
    child = element.find(name)
    return None if child is None else windows((child.text or "").strip())[0]


def texts(element: etree._Element, name: str) -> list[str]:
    """All values of a repeated element."""
    return [(child.text or "").strip() for child in element.findall(name)]


def number(element: etree._Element, name: str) -> Decimal | None:
    """A number; None where there is none."""
    found = text(element, name)
    return Decimal(found) if found else None


def day(element: etree._Element, name: str) -> date | None:
    """A day; None where there is none."""
    found = text(element, name)
    return date.fromisoformat(found) if found else None


def flag(element: etree._Element, name: str) -> bool | None:
    """True or false; None where neither is said."""
    found = text(element, name)
    return None if not found else found in ("true", "1")


def reference(company: Company, element: etree._Element, name: str, document: str) -> Entry | None:
    """The entry that a reference names: its ListID wins over its name. Raises Refused.

    None where the reference is not there or empty.
    """
    child = element.find(name)
    if child is None:
        return None
    family = FAMILY_OF_REFERENCE[name]
    list_id, full_name = text(child, "ListID"), text(child, "FullName")
    if not list_id and not full_name:
        return None
    entry = company.entry(family, list_id) if list_id else company.named(family, full_name or "")
    if entry is None:
        raise bad_reference(family, list_id or full_name or "", document)
    if not entry.active and company.switches.word("inactive_reference") == "refused":
        raise inactive(family, entry.full_name, document)
    return entry


def needed(company: Company, element: etree._Element, name: str, document: str) -> Entry:
    """An entry that must be named. Raises Refused."""
    entry = reference(company, element, name, document)
    if entry is None:
        raise missing_element(name)
    return entry


def address(element: etree._Element, name: str) -> dict[str, Any] | None:
    """An address by its elements."""
    child = element.find(name)
    if child is None:
        return None
    return {str(part.tag): windows((part.text or "").strip())[0] for part in child if (part.text or "").strip()}
