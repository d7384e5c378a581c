"""Orders, bills, credits and expenses: what a document needs, what is filled in, and what follows from a change."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import POSTING
from sandbox.quickbooks_online.errors import Refused, business, missing
from sandbox.quickbooks_online.lines import drop_untracked, read_links, total_of, track_class
from sandbox.quickbooks_online.records import Line, Link, Record

BILL_NUMBERS = ("Bill", "VendorCredit", "Purchase")


class Draft(NamedTuple):
    """A document as it will be: its values and lines, and the orders its own LinkedTxn names."""

    values: dict[str, Any]
    lines: list[Line]
    header_links: list[Link]


class Options(NamedTuple):
    """What the call says besides the document."""

    duplicate_number: bool = False
    """include=allowduplicatedocnum"""
    drop_links: bool = False
    """A fault: the document is accepted without its links."""


def complete(company: Company, kind: str, draft: Draft, before: Record | None, options: Options) -> None:
    """Fill in what follows and check the rules that all documents share. Raises Refused."""
    values = draft.values
    vendor_field = "EntityRef" if kind == "Purchase" else "VendorRef"
    if not values.get(vendor_field) and kind != "Purchase":
        raise missing(vendor_field)
    _money(company, values, values.get(vendor_field))
    values["TxnDate"] = values.get("TxnDate") or company.today().isoformat()
    _payable_account(company, kind, values)
    if values.get("DepartmentRef") and not company.preference("AccountingInfoPrefs", "TrackDepartments"):
        drop_untracked(company, values, "DepartmentRef", "Location tracking")
    track_class(company, values, per_line=False)
    check_books(company, kind, values, before)
    if kind == "PurchaseOrder":
        _order(company, values, before)
    if kind in ("PurchaseOrder", "Bill"):
        _due(company, kind, values)
    if kind != "BillPayment":
        total = total_of(draft.lines)
        if total < 0:
            raise Refused("2290", "Invalid Amount", "Transaction amount must be 0 or greater.", element="TotalAmt")
        values["TotalAmt"] = total
    number_document(company, kind, values, before, options)


def _money(company: Company, values: dict[str, Any], vendor: str | None) -> None:
    home = company.home_currency
    if not company.preference("CurrencyPrefs", "MultiCurrencyEnabled"):
        values["CurrencyRef"] = home
        values["ExchangeRate"] = None
        return
    if not values.get("CurrencyRef"):
        raise missing("CurrencyRef")
    known = company.get("Vendor", vendor or "")
    if known is not None and known["CurrencyRef"] != values["CurrencyRef"]:
        raise business("The currency of the transaction is not the one of the vendor.")
    values["ExchangeRate"] = values.get("ExchangeRate") or Decimal(1)


def payables(company: Company) -> Record:
    """The account that documents without one are posted to."""
    return next(one for one in company.all("Account") if one["AccountType"] == "Accounts Payable")


def _payable_account(company: Company, kind: str, values: dict[str, Any]) -> None:
    if kind == "Purchase":
        return
    if not values.get("APAccountRef"):
        values["APAccountRef"] = payables(company).id
    account = company.pointed("Account", values["APAccountRef"], "APAccountRef")
    if account["AccountType"] != "Accounts Payable":
        raise Refused(
            "6430",
            "Invalid account type",
            "Invalid account type: You need to select an accounts payable account for this transaction.",
            element="APAccountRef",
        )


def check_books(company: Company, kind: str, values: Mapping[str, Any], before: Record | None) -> None:
    """Closed books protect what is posted in them, before and after the change. Raises Refused."""
    closed = company.preference("AccountingInfoPrefs", "BookCloseDate")
    if not closed or kind not in POSTING or company.loading:
        return
    days = [values.get("TxnDate"), before["TxnDate"] if before is not None else None]
    if any(day and day <= closed for day in days):
        code = company.switches.word("closed_books_code")
        with_password = " You need the password to change it." if code == "6210" else ""
        raise Refused(
            code,
            "Account Period Closed, Cannot Update Through Services API",
            "The account period has closed and the account books cannot be updated through the QBO Services API."
            f"{with_password}",
        )


def _order(company: Company, values: dict[str, Any], before: Record | None) -> None:
    if not company.other_flag("VendorAndPurchasesPrefs.PurchaseOrderEnabled"):
        raise Refused(
            "5030",
            "Feature Not Supported Error",
            "Purchase orders are not enabled for this company.",
            fault="ValidationFault",
        )
    values["POStatus"] = values.get("POStatus") or (before["POStatus"] if before is not None else "Open")
    values["EmailStatus"] = values.get("EmailStatus") or "NotSet"


def _due(company: Company, kind: str, values: dict[str, Any]) -> None:
    vendor = company.get("Vendor", values["VendorRef"])
    if not values.get("SalesTermRef") and kind == "Bill" and vendor is not None:
        values["SalesTermRef"] = vendor["TermRef"]
    if values.get("DueDate"):
        return
    term = company.get("Term", values.get("SalesTermRef") or "")
    day = date.fromisoformat(values["TxnDate"])
    if term is not None:
        values["DueDate"] = due_by(term, day).isoformat()
    elif kind == "Bill":
        values["DueDate"] = day.isoformat()


def due_by(term: Record, day: date) -> date:
    """When a document of that day is due."""
    if term["Type"] == "DATE_DRIVEN":
        wanted = int(term["DayOfMonthDue"] or 1)
        ahead = int(term["DueNextMonthDays"] or 0)
        months = 1 if day.day > wanted - ahead else 0
        first = (day.replace(day=1) + timedelta(days=31 * months)).replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return first.replace(day=min(wanted, last.day))
    return day + timedelta(days=int(term["DueDays"] or 0))


def number_document(
    company: Company, kind: str, values: dict[str, Any], before: Record | None, options: Options
) -> None:
    """Number the document where the company does so by itself, and refuse a number in use. Raises Refused (6140)."""
    number = values.get("DocNumber")
    if not number:
        numbered = kind == "PurchaseOrder" and not company.other_flag("VendorAndPurchasesPrefs.UseCustomTxnNumbers")
        if numbered and before is None:
            values["DocNumber"] = _next_number(company, kind)
        return
    if options.duplicate_number or (before is not None and before["DocNumber"] == number):
        return
    holder = _holder(company, kind, number, values.get("VendorRef") or values.get("EntityRef"))
    if holder is not None:
        raise Refused(
            "6140",
            "Duplicate Document Number Error",
            "Duplicate Document Number Error : You must specify a different number. This number has already been used."
            f" DocNumber={number} is assigned to TxnType={holder.type.name} with TxnId={holder.id}",
        )


def _next_number(company: Company, kind: str) -> str:
    last = 1000
    for record in company.records[kind].values():
        number = record["DocNumber"] or ""
        if number.isascii() and number.isdigit():
            last = max(last, int(number))
    return str(last + 1)


def _holder(company: Company, kind: str, number: str, vendor: str | None) -> Record | None:
    """Who has that number already, as far as the company minds."""
    rule = company.switches.word("duplicate_numbers")
    if kind == "PurchaseOrder":
        kinds: tuple[str, ...] = ("PurchaseOrder",)
    elif kind not in BILL_NUMBERS:
        return None
    elif rule == "preference":
        if kind != "Bill" or not company.other_flag("WarnDuplicateBillNumber"):
            return None
        kinds = ("Bill",)
    else:
        kinds = BILL_NUMBERS if rule == "company" else ("Bill", "VendorCredit")
    for name in kinds:
        for record in company.numbered.get((name, number), {}).values():
            holder = record["VendorRef"] or record["EntityRef"]
            if kind == "PurchaseOrder" or rule == "company" or holder == vendor:
                return record
    return None


def header_orders(body: Mapping[str, Any]) -> list[Link]:
    """The orders that a document's own LinkedTxn names. Raises Refused."""
    return [link for link in read_links(body.get("LinkedTxn")) if link.txn_type == "PurchaseOrder"]
