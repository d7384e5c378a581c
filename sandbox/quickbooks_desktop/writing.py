"""Adds and changes purchase orders, item receipts, bills and vendor credits (reference 3.1, 3.2)."""

from datetime import date, timedelta
from typing import Any, NamedTuple

from lxml import etree

from sandbox.quickbooks_desktop import elements
from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import (
    Refused,
    bad_reference,
    bad_value,
    books_closed,
    feature_off,
    locked,
    missing_element,
    not_found,
    out_of_date,
)
from sandbox.quickbooks_desktop.links import LINK_IGNORED, Wish, closed_remark, link_lines, order_of, touch_orders
from sandbox.quickbooks_desktop.receiving import is_closed, receivable, taken
from sandbox.quickbooks_desktop.records import ZERO, Entry, Line, Link, Txn

_TEXTS = ("RefNumber", "Memo", "VendorMsg", "FOB", "Other1", "Other2", "ExternalGUID")
_DAYS = ("TxnDate", "DueDate", "ExpectedDate")
_FLAGS = ("IsManuallyClosed", "IsToBePrinted", "IsToBeEmailed")
_REFERENCES = ("VendorRef", "APAccountRef", "TermsRef", "ClassRef")
_ADDRESSES = ("VendorAddress", "ShipAddress")
_LINE_TEXTS = ("Desc", "Memo", "UnitOfMeasure", "ManufacturerPartNumber", "BillableStatus", "Other1", "Other2")
_LINE_REFERENCES = ("ItemRef", "AccountRef", "ClassRef")


class Written(NamedTuple):
    """A transaction that was written, with remarks (links that were left out)."""

    txn: Txn
    remarks: list[Refused]


class Options(NamedTuple):
    """What a fault on demand does to a write."""

    drop_links: bool = False


AS_ASKED = Options()


def add(company: Company, kind: str, body: etree._Element, options: Options = AS_ASKED) -> Written:
    """A new transaction from its `...Add` element. Raises Refused."""
    _check_feature(company, kind)
    values = _header(company, kind, body)
    values.setdefault("TxnDate", company.today())
    vendor = company.entry("Vendor", values.get("VendorRef"))
    if vendor is None and kind != "PurchaseOrder":
        raise missing_element("VendorRef")
    _complete(company, kind, values, vendor, body)
    check_open(company, kind, values["TxnDate"])
    lines, wishes = _new_lines(company, kind, body)
    header_wishes, remarks = _header_wishes(company, body, wishes)
    lines += [wish.line for wish in header_wishes]
    everything = [*wishes, *header_wishes]
    if kind == "VendorCredit" and everything:
        remarks = [LINK_IGNORED]
        everything = []
    if everything:
        if options.drop_links:
            remarks = [LINK_IGNORED, *remarks]
        linked = link_lines(company, kind, str(values["VendorRef"]), everything)
        remarks += linked
        if options.drop_links:
            for wish in everything:
                wish.line.link = None
    for line in lines:
        _check_line(kind, line)
    txn = company.add_txn(kind, values, lines, [])
    touch_orders(company, txn)
    return Written(txn, remarks)


def modify(company: Company, kind: str, body: etree._Element) -> Written:
    """A transaction changed by its `...Mod` element; what is not there stays. Raises Refused."""
    txn = writable(company, kind, elements.text(body, "TxnID") or "")
    sequence = elements.text(body, "EditSequence") or ""
    if sequence != txn.edit_sequence:
        raise out_of_date(sequence, txn)
    check_open(company, kind, txn.day)
    values = {**txn.values, **_header(company, kind, body)}
    if values.get("VendorRef") is None and kind != "PurchaseOrder":
        raise missing_element("VendorRef")
    if values.get("VendorRef") != txn.values.get("VendorRef") and txn.linked_to:
        raise bad_value("VendorRef", str(values.get("VendorRef")), "The vendor of a linked transaction stays.")
    check_open(company, kind, values["TxnDate"])
    lines = _changed_lines(company, kind, txn, body)
    for line in lines:
        _check_line(kind, line)
    before = txn.linked_to
    total = sum((line.amount or ZERO for line in lines), ZERO)
    if kind in ("Bill", "VendorCredit") and total < txn.total - company.open_amount(txn):
        raise bad_value("Amount", str(total), "The amount is less than what was paid already.")
    txn.values = {name: value for name, value in values.items() if value not in (None, "")}
    txn.lines = lines
    company.settle(txn)
    company.touch(txn)
    touch_orders(company, txn, before)
    return Written(txn, [])


def writable(company: Company, kind: str, txn_id: str) -> Txn:
    """The transaction to be changed or deleted, which nobody has open. Raises Refused."""
    txn = company.txns[kind].get(txn_id)
    if txn is None:
        raise not_found(txn_id)
    if txn_id in company.locks:
        raise locked(kind)
    return txn


def check_open(company: Company, kind: str, day: date, *, deleting: bool = False) -> None:
    """Raises Refused for a day of closed books; orders post nothing, so theirs are always open."""
    if company.closing_date is not None and day <= company.closing_date and kind != "PurchaseOrder":
        raise books_closed(kind, deleting=deleting)


def _check_feature(company: Company, kind: str) -> None:
    if kind in ("PurchaseOrder", "ItemReceipt") and not company.preferences["IsUsingInventory"]:
        raise feature_off()


def _header(company: Company, kind: str, body: etree._Element) -> dict[str, Any]:
    """The header fields that are there; an empty one clears."""
    values: dict[str, Any] = {}
    for name in _TEXTS:
        if body.find(name) is not None:
            values[name] = elements.text(body, name) or None
    for name in _DAYS:
        if body.find(name) is not None:
            values[name] = elements.day(body, name)
    for name in _FLAGS:
        if body.find(name) is not None:
            values[name] = bool(elements.flag(body, name))
    for name in _REFERENCES:
        if body.find(name) is not None:
            entry = elements.reference(company, body, name, kind)
            values[name] = _class(company, entry) if name == "ClassRef" else entry.list_id if entry else None
    for name in _ADDRESSES:
        if body.find(name) is not None:
            values[name] = elements.address(body, name)
    if values.get("TxnDate", "") is None:
        del values["TxnDate"]
    account = company.entry("Account", str(values.get("APAccountRef") or ""))
    if account is not None and account.values["AccountType"] != "AccountsPayable":
        raise bad_reference("Account", account.full_name, kind)
    return values


def _class(company: Company, entry: Entry | None) -> str | None:
    if entry is None or company.preferences["IsUsingClassTracking"]:
        return entry.list_id if entry is not None else None
    if company.switches.word("untracked_class") == "refused":
        raise feature_off()
    return None


def _complete(company: Company, kind: str, values: dict[str, Any], vendor: Entry | None, body: etree._Element) -> None:
    """What QuickBooks fills in by itself."""
    if vendor is not None and vendor.list_id in company.locks:
        raise Refused(3176, "There was an error because a related object is in use by another user.")
    if kind != "PurchaseOrder" and not values.get("APAccountRef"):
        payable = next(
            (one for one in company.entries["Account"].values() if one.values["AccountType"] == "AccountsPayable"), None
        )
        if payable is None:
            raise Refused(3270, "Missing posting account. ")
        values["APAccountRef"] = payable.list_id
    if kind in ("PurchaseOrder", "Bill"):
        if body.find("TermsRef") is None and vendor is not None and vendor.values.get("TermsRef"):
            values["TermsRef"] = vendor.values["TermsRef"]
        terms = company.entry("Terms", str(values.get("TermsRef") or ""))
        if values.get("DueDate") is None and isinstance(values["TxnDate"], date):
            days = int(terms.values.get("StdDueDays") or 0) if terms is not None else 10
            values["DueDate"] = values["TxnDate"] + timedelta(days=days)
    if kind == "PurchaseOrder":
        values.setdefault("IsManuallyClosed", False)
        if not values.get("RefNumber"):
            values["RefNumber"] = str(len(company.txns["PurchaseOrder"]) + 1)
        if vendor is not None and values.get("VendorAddress") is None:
            values["VendorAddress"] = {"Addr1": vendor.name[:41]}


# Lines


def _new_lines(company: Company, kind: str, body: etree._Element) -> tuple[list[Line], list[Wish]]:
    lines: list[Line] = []
    wishes: list[Wish] = []
    if body.find("PurchaseOrderLineGroupAdd") is not None or body.find("ItemGroupLineAdd") is not None:
        raise Refused(3250, "Item groups are not kept in this company file. ")
    for element in body.iterchildren("ExpenseLineAdd", "ItemLineAdd", "PurchaseOrderLineAdd"):
        line = _line(company, kind, element, Line("", "item" if element.tag != "ExpenseLineAdd" else "expense", {}))
        wanted = element.find("LinkToTxn")
        if wanted is not None:
            if element.find("ItemRef") is not None:
                raise bad_value("ItemRef", "", "An item line that is linked to a purchase order takes its item.")
            link = Link(elements.text(wanted, "TxnID") or "", elements.text(wanted, "TxnLineID") or "")
            wishes.append(Wish(line, link))
        else:
            line.settle()
        lines.append(line)
    return lines, wishes


def _line(company: Company, kind: str, element: etree._Element, line: Line) -> Line:
    for name in _LINE_TEXTS:
        if element.find(name) is not None:
            line.values[name] = elements.text(element, name) or None
    for name in _LINE_REFERENCES:
        if element.find(name) is not None:
            entry = elements.reference(company, element, name, kind)
            line.values[name] = _class(company, entry) if name == "ClassRef" else entry.list_id if entry else None
    price = "Rate" if kind == "PurchaseOrder" else "Cost"
    given = {name for name in ("Quantity", price, "Amount") if element.find(name) is not None}
    if "Quantity" in given:
        line.quantity = elements.number(element, "Quantity")
    if price in given:
        line.price = elements.number(element, price)
    if "Amount" in given:
        line.amount, line.price = elements.number(element, "Amount"), None  # an amount wins over a price
    elif given:
        line.amount = None
    if element.find("IsManuallyClosed") is not None:
        line.closed = bool(elements.flag(element, "IsManuallyClosed"))
    item = company.entry("Item", line.values.get("ItemRef"))
    if item is not None and str(element.tag).endswith("Add"):
        line.values.setdefault("Desc", item.values.get("PurchaseDesc"))
        if line.price is None and line.amount is None:
            line.price = item.values.get("PurchaseCost")
    return line


def _check_line(kind: str, line: Line) -> None:
    if line.kind == "expense":
        if line.values.get("AccountRef") is None:
            raise missing_element("AccountRef")
        return
    if line.values.get("ItemRef") is None and (line.quantity is not None or line.amount):
        raise missing_element("ItemRef")
    if line.quantity is not None and line.quantity < 0 and kind == "PurchaseOrder":
        raise bad_value("Quantity", str(line.quantity))


def _header_wishes(company: Company, body: etree._Element, wishes: list[Wish]) -> tuple[list[Wish], list[Refused]]:
    """LinkToTxnID pulls in all that is open of an order; the remarks are of orders that are closed."""
    found: list[Wish] = []
    remarks: list[Refused] = []
    for txn_id in elements.texts(body, "LinkToTxnID"):
        order = order_of(company, txn_id)
        if any(wish.link.txn_id == txn_id for wish in wishes):
            raise bad_value("LinkToTxnID", txn_id, "The order is linked by its lines already.")
        if is_closed(company, order):
            remark = closed_remark(company, order)
            if remark.severity == "Error":
                raise remark
            remarks.append(remark)
            continue
        for target in order.lines:
            done = taken(company, order, target)
            so_far = done.billed if company.enhanced else done.received
            if not receivable(target) or target.closed or so_far >= (target.quantity or ZERO):
                continue
            found.append(Wish(Line("", "item", {}), Link(txn_id, target.id)))
    return found, remarks


def _changed_lines(company: Company, kind: str, txn: Txn, body: etree._Element) -> list[Line]:
    """The lines after a Mod: none given, none touched; one given, all others of its sort are gone."""
    if kind == "PurchaseOrder":
        return _kept(company, kind, txn, body, "PurchaseOrderLineMod", txn.lines, cleared=False)
    expenses = [line for line in txn.lines if line.kind == "expense"]
    items = [line for line in txn.lines if line.kind == "item"]
    clear_expenses = bool(elements.flag(body, "ClearExpenseLines"))
    clear_items = bool(elements.flag(body, "ClearItemLines"))
    return [
        *_kept(company, kind, txn, body, "ExpenseLineMod", expenses, cleared=clear_expenses),
        *_kept(company, kind, txn, body, "ItemLineMod", items, cleared=clear_items),
    ]


def _kept(
    company: Company, kind: str, txn: Txn, body: etree._Element, tag: str, before: list[Line], *, cleared: bool
) -> list[Line]:
    given = body.findall(tag)
    if not given:
        return [] if cleared else before
    known = {line.id: line for line in before}
    lines = []
    for element in given:
        identifier = elements.text(element, "TxnLineID") or ""
        if identifier == "-1":
            line = Line(company.new_line_id(), "expense" if tag == "ExpenseLineMod" else "item", {})
        elif identifier in known:
            old = known.pop(identifier)
            line = Line(old.id, old.kind, dict(old.values), old.quantity, old.price, old.amount, old.link, old.closed)
            if len(element) > 1 and line.link is not None and company.switches.word("edited_line_link") == "lost":
                line.link = None
        else:
            raise not_found(identifier)
        _line(company, kind, element, line)
        line.settle()
        if kind == "PurchaseOrder" and line.quantity is not None and receivable(line):
            done = taken(company, txn, line)
            if line.quantity < max(done.received, done.billed):
                raise bad_value("Quantity", str(line.quantity), "More than that was received already.")
        lines.append(line)
    if kind == "PurchaseOrder":
        for line in known.values():
            if any(taken(company, txn, line)):
                raise Refused(3170, f"There was an error when modifying a {kind}: a received line cannot be deleted.")
    return lines
