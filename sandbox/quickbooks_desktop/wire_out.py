"""Objects as answers show them: elements in the vendor's order (reference 3)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_desktop import pc_time
from sandbox.quickbooks_desktop.company import Company, family_of
from sandbox.quickbooks_desktop.elements import FAMILY_OF_REFERENCE
from sandbox.quickbooks_desktop.qbxml import branch, leaf, money, plain
from sandbox.quickbooks_desktop.receiving import fully_received, receivable, taken
from sandbox.quickbooks_desktop.records import PAYMENTS, ZERO, Entry, Line, Txn


def reference(company: Company, name: str, identifier: str | None) -> str:
    """A reference with both its parts."""
    entry = company.entry(FAMILY_OF_REFERENCE[name], identifier)
    if entry is None:
        return ""
    return branch(name, leaf("ListID", entry.list_id), leaf("FullName", entry.full_name))


def _address(name: str, values: Mapping[str, str] | None) -> str:
    order = ("Addr1", "Addr2", "Addr3", "Addr4", "Addr5", "City", "State", "PostalCode", "Country", "Note")
    return branch(name, *(leaf(one, (values or {}).get(one)) for one in order))


def _head(company: Company, record: Txn | Entry) -> str:
    identifier = leaf("ListID", record.list_id) if isinstance(record, Entry) else leaf("TxnID", record.txn_id)
    return (
        identifier
        + leaf("TimeCreated", pc_time.written(record.created, company.switches))
        + leaf("TimeModified", pc_time.written(record.modified, company.switches))
        + leaf("EditSequence", record.edit_sequence)
    )


# Transactions


def txn_text(company: Company, txn: Txn, *, lines: bool, linked: bool) -> str:
    """One `...Ret`. Bills' payments and orders' documents stand in `LinkedTxn` where `linked`."""
    state = (company.lists_changed, company.switches.changes)
    key = (lines, linked, *state)
    known = txn.rendered.get(key)
    if known is None:
        shape = _payment if txn.kind in PAYMENTS else _order if txn.kind == "PurchaseOrder" else _bill
        known = shape(company, txn, lines, linked)
        if any(one[2:] != state for one in txn.rendered):
            txn.rendered.clear()
        txn.rendered[key] = known
    return known


def _order(company: Company, txn: Txn, lines: bool, linked: bool) -> str:
    values = txn.values
    parts = [
        _head(company, txn),
        leaf("TxnNumber", txn.number),
        reference(company, "VendorRef", values.get("VendorRef")),
        reference(company, "ClassRef", values.get("ClassRef")),
        leaf("TxnDate", txn.day),
        leaf("RefNumber", values.get("RefNumber")),
        _address("VendorAddress", values.get("VendorAddress")),
        _address("ShipAddress", values.get("ShipAddress")),
        reference(company, "TermsRef", values.get("TermsRef")),
        leaf("DueDate", values.get("DueDate")),
        leaf("ExpectedDate", values.get("ExpectedDate")),
        leaf("FOB", values.get("FOB")),
        leaf("TotalAmount", money(txn.total)),
        leaf("IsManuallyClosed", bool(values.get("IsManuallyClosed"))),
        leaf("IsFullyReceived", fully_received(company, txn)),
        *(leaf(name, values.get(name)) for name in ("Memo", "VendorMsg")),
        leaf("IsToBePrinted", bool(values.get("IsToBePrinted"))),
        leaf("IsToBeEmailed", bool(values.get("IsToBeEmailed"))),
        *(leaf(name, values.get(name)) for name in ("Other1", "Other2", "ExternalGUID")),
        _order_links(company, txn) if linked else "",
        "".join(_order_line(company, txn, line) for line in txn.lines) if lines else "",
    ]
    return branch("PurchaseOrderRet", *parts)


def _order_line(company: Company, order: Txn, line: Line) -> str:
    values = line.values
    counted = ""
    if receivable(line) and line.quantity is not None:
        done = taken(company, order, line)
        counted = leaf("ReceivedQuantity", plain(done.received))
        if company.enhanced or company.switches.word("billed_fields") == "always":
            whole = line.quantity if company.switches.word("unbilled_quantity") == "of_ordered" else done.received
            counted += leaf("UnbilledQuantity", plain(max(whole - done.billed, ZERO)))
            counted += leaf("IsBilled", done.billed >= line.quantity)
        counted += leaf("IsManuallyClosed", line.closed)
    return branch(
        "PurchaseOrderLineRet",
        leaf("TxnLineID", line.id),
        reference(company, "ItemRef", values.get("ItemRef")),
        leaf("ManufacturerPartNumber", values.get("ManufacturerPartNumber")),
        leaf("Desc", values.get("Desc")),
        leaf("Quantity", plain(line.quantity)),
        leaf("UnitOfMeasure", values.get("UnitOfMeasure")),
        leaf("Rate", plain(line.price)),
        reference(company, "ClassRef", values.get("ClassRef")),
        leaf("Amount", money(line.amount)),
        counted,
        leaf("Other1", values.get("Other1")),
        leaf("Other2", values.get("Other2")),
    )


def _linked(txn: Txn, link_type: str, amount: str | None, kind: str = "") -> str:
    return branch(
        "LinkedTxn",
        leaf("TxnID", txn.txn_id),
        leaf("TxnType", kind or txn.kind),
        leaf("TxnDate", txn.day),
        leaf("RefNumber", txn.ref_number),
        leaf("LinkType", link_type),
        leaf("Amount", amount),
    )


def _order_links(company: Company, order: Txn) -> str:
    parts = []
    sign = -1 if company.switches.word("linked_amount_sign") == "negative" else 1
    for document in sorted(company.linked.get(order.txn_id, {}).values(), key=lambda one: one.number):
        parts.append(_linked(document, "QUANTYPE", money(sign * _taken_of(company, document, order.txn_id))))
    return "".join(parts)


def _taken_of(company: Company, document: Txn, order_id: str) -> Decimal:
    """What a document's lines take of an order: units, or their worth."""
    lines = [line for line in document.lines if line.link is not None and line.link.txn_id == order_id]
    if company.switches.word("linked_amount_unit") == "money":
        return sum((line.amount or ZERO for line in lines), ZERO)
    return sum((line.quantity or ZERO for line in lines), ZERO)


_TOTALS = {"Bill": "AmountDue", "ItemReceipt": "TotalAmount", "VendorCredit": "CreditAmount"}


def _bill(company: Company, txn: Txn, lines: bool, linked: bool) -> str:
    """A bill, an item receipt or a vendor credit. No line says which order line it came from."""
    values = txn.values
    bill = txn.kind == "Bill"
    # With enhanced receiving a receipt owes to the account for received items, not to accounts payable.
    account = "" if txn.kind == "ItemReceipt" and company.enhanced else values.get("APAccountRef")
    parts = [
        _head(company, txn),
        leaf("TxnNumber", txn.number),
        reference(company, "VendorRef", values.get("VendorRef")),
        _address("VendorAddress", values.get("VendorAddress")) if bill else "",
        reference(company, "APAccountRef", account),
        leaf("TxnDate", txn.day),
        leaf("DueDate", values.get("DueDate")) if bill else "",
        leaf(_TOTALS[txn.kind], money(ZERO if txn.voided else txn.total)),
        leaf("RefNumber", values.get("RefNumber")),
        reference(company, "TermsRef", values.get("TermsRef")) if bill else "",
        leaf("Memo", values.get("Memo")),
        leaf("IsPaid", company.open_amount(txn) == 0) if bill else "",
        leaf("ExternalGUID", values.get("ExternalGUID")),
        _bill_links(company, txn) if linked else "",
        "".join(_bill_line(company, txn, line) for line in _in_order(txn)) if lines else "",
        leaf("OpenAmount", money(company.open_amount(txn))) if txn.kind != "ItemReceipt" else "",
    ]
    return branch(f"{txn.kind}Ret", *parts)


def _in_order(txn: Txn) -> list[Line]:
    """Expense lines come before item lines."""
    return sorted(txn.lines, key=lambda line: line.kind == "item")


def _bill_line(company: Company, txn: Txn, line: Line) -> str:
    values = line.values
    if line.kind == "expense":
        return branch(
            "ExpenseLineRet",
            leaf("TxnLineID", line.id),
            reference(company, "AccountRef", values.get("AccountRef")),
            leaf("Amount", money(ZERO if txn.voided else line.amount)),
            leaf("Memo", values.get("Memo")),
            reference(company, "ClassRef", values.get("ClassRef")),
            leaf("BillableStatus", values.get("BillableStatus")),
        )
    return branch(
        "ItemLineRet",
        leaf("TxnLineID", line.id),
        reference(company, "ItemRef", values.get("ItemRef")),
        leaf("Desc", values.get("Desc")),
        leaf("Quantity", plain(line.quantity)),
        leaf("UnitOfMeasure", values.get("UnitOfMeasure")),
        leaf("Cost", plain(line.price)),
        leaf("Amount", money(ZERO if txn.voided else line.amount)),
        reference(company, "ClassRef", values.get("ClassRef")),
        leaf("BillableStatus", values.get("BillableStatus")),
    )


def _bill_links(company: Company, txn: Txn) -> str:
    parts = []
    for order_id in sorted(txn.linked_to):
        order = company.txns["PurchaseOrder"].get(order_id)
        if order is not None:
            parts.append(_linked(order, "QUANTYPE", money(_taken_of(company, txn, order_id))))
    for payment in sorted(company.payers.get(txn.txn_id, {}).values(), key=lambda one: one.number):
        parts.append(_linked(payment, "AMTTYPE", money(-_share(payment, txn))))
    return "".join(parts)


def _share(payment: Txn, txn: Txn) -> Decimal:
    """What of a bill one payment pays, or of a credit it uses."""
    found = sum((one.whole for one in payment.applied if one.txn_id == txn.txn_id), ZERO)
    used = (amount for one in payment.applied for credit, amount in one.credits if credit == txn.txn_id)
    return found + sum(used, ZERO)


def _payment(company: Company, txn: Txn, lines: bool, linked: bool) -> str:
    values = txn.values
    check = txn.kind == "BillPaymentCheck"
    account = "BankAccountRef" if check else "CreditCardAccountRef"
    parts = [
        _head(company, txn),
        leaf("TxnNumber", txn.number),
        reference(company, "PayeeEntityRef", values.get("PayeeEntityRef")),
        reference(company, "APAccountRef", values.get("APAccountRef")),
        leaf("TxnDate", txn.day),
        reference(company, account, values.get(account)),
        leaf("Amount", money(ZERO if txn.voided else txn.total)),
        leaf("RefNumber", values.get("RefNumber")),
        leaf("Memo", values.get("Memo")),
        leaf("IsToBePrinted", bool(values.get("IsToBePrinted"))) if check else "",
        leaf("ExternalGUID", values.get("ExternalGUID")),
        "".join(_applied(company, txn, one) for one in txn.applied) if lines and not txn.voided else "",
    ]
    return branch(f"{txn.kind}Ret", *parts)


def _applied(company: Company, payment: Txn, one: Any) -> str:
    bill = company.txns["Bill"].get(one.txn_id)
    if bill is None:
        return ""
    credits = []
    for credit_id, amount in one.credits:
        credit = company.txns["VendorCredit"].get(credit_id)
        if credit is not None:
            credits.append(_linked(credit, "AMTTYPE", money(amount)))
    return branch(
        "AppliedToTxnRet",
        leaf("TxnID", bill.txn_id),
        leaf("TxnType", bill.kind),
        leaf("TxnDate", bill.day),
        leaf("RefNumber", bill.ref_number),
        leaf("BalanceRemaining", money(company.open_amount(bill))),
        leaf("Amount", money(one.amount)),
        leaf("DiscountAmount", money(one.discount) if one.discount else None),
        reference(company, "DiscountAccountRef", one.discount_account),
        *credits,
    )


# Lists


def entry_text(company: Company, entry: Entry) -> str:
    """One `...Ret` of a list."""
    family = family_of(entry.kind)
    shape = {"Vendor": _vendor, "Account": _account, "Item": _item, "Class": _class, "Terms": _terms}
    return branch(f"{entry.kind}Ret", _head(company, entry), *shape.get(family, _units)(company, entry))


def _names(company: Company, entry: Entry) -> tuple[str, ...]:
    return leaf("Name", entry.name), leaf("FullName", entry.full_name)


def _parent(entry: Entry) -> tuple[str, str]:
    parent = entry.parent
    named = branch("ParentRef", leaf("ListID", parent.list_id), leaf("FullName", parent.full_name)) if parent else ""
    return named, leaf("Sublevel", entry.level)


def _vendor(company: Company, entry: Entry) -> tuple[str, ...]:
    values = entry.values
    return (
        leaf("Name", entry.name),
        leaf("IsActive", entry.active),
        leaf("CompanyName", values.get("CompanyName")),
        _address("VendorAddress", values.get("VendorAddress")),
        *(leaf(name, values.get(name)) for name in ("Phone", "Email", "NameOnCheck", "AccountNumber", "Notes")),
        reference(company, "TermsRef", values.get("TermsRef")),
        leaf("VendorTaxIdent", values.get("VendorTaxIdent")),
        leaf("IsVendorEligibleFor1099", bool(values.get("IsVendorEligibleFor1099"))),
        leaf("Balance", money(company.books.of("payable", entry.list_id))),
        leaf("ExternalGUID", values.get("ExternalGUID")),
    )


def _account(company: Company, entry: Entry) -> tuple[str, ...]:
    values = entry.values
    return (
        *_names(company, entry),
        leaf("IsActive", entry.active),
        *_parent(entry),
        leaf("AccountType", values["AccountType"]),
        leaf("AccountNumber", values.get("AccountNumber")),
        leaf("Desc", values.get("Desc")),
    )


def _item(company: Company, entry: Entry) -> tuple[str, ...]:
    values = entry.values
    head = (*_names(company, entry), leaf("IsActive", entry.active), *_parent(entry))
    units = company.entry("UnitOfMeasureSet", values.get("UnitOfMeasureSetRef"))
    measured = (
        branch("UnitOfMeasureSetRef", leaf("ListID", units.list_id), leaf("FullName", units.name)) if units else ""
    )
    cost, description = leaf("PurchaseCost", plain(values.get("PurchaseCost"))), values.get("PurchaseDesc")
    if entry.kind == "ItemInventory":
        return (
            *head,
            leaf("ManufacturerPartNumber", values.get("ManufacturerPartNumber")),
            measured,
            _named_account(company, "IncomeAccountRef", values.get("IncomeAccountRef")),
            leaf("PurchaseDesc", description),
            cost,
            _named_account(company, "COGSAccountRef", values.get("COGSAccountRef")),
            _named_account(company, "AssetAccountRef", values.get("AssetAccountRef")),
            leaf("QuantityOnHand", plain(company.books.of("stock", entry.list_id))),
        )
    if entry.kind == "ItemOtherCharge":
        measured = ""
    account = _named_account(company, "AccountRef", values.get("ExpenseAccountRef"))
    price = leaf("Price", plain(values.get("PurchaseCost")))
    return *head, measured, branch("SalesOrPurchase", leaf("Desc", description), price, account)


def _named_account(company: Company, name: str, identifier: str | None) -> str:
    account = company.entry("Account", identifier)
    return branch(name, leaf("ListID", account.list_id), leaf("FullName", account.full_name)) if account else ""


def _class(company: Company, entry: Entry) -> tuple[str, ...]:
    return *_names(company, entry), leaf("IsActive", entry.active), *_parent(entry)


def _terms(company: Company, entry: Entry) -> tuple[str, ...]:
    values = entry.values
    fields = (
        ("StdDueDays", "StdDiscountDays") if entry.kind == "StandardTerms" else ("DayOfMonthDue", "DueNextMonthDays")
    )
    return leaf("Name", entry.name), leaf("IsActive", entry.active), *(leaf(name, values.get(name)) for name in fields)


def _units(company: Company, entry: Entry) -> tuple[str, ...]:
    values = entry.values
    related = (
        branch(
            "RelatedUnit", leaf("Name", name), leaf("Abbreviation", name[:31]), leaf("ConversionRatio", plain(ratio))
        )
        for name, ratio in values.get("units", {}).items()
        if name != values["BaseUnit"]
    )
    base = branch("BaseUnit", leaf("Name", values["BaseUnit"]), leaf("Abbreviation", values["BaseUnit"]))
    return leaf("Name", entry.name), leaf("IsActive", entry.active), leaf("UnitOfMeasureType", "Count"), base, *related
