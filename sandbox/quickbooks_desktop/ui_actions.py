"""What people do in QuickBooks' own screens: receive, bill, pay, edit, close, delete, close the books."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_desktop import converting, writing
from sandbox.quickbooks_desktop.action_arguments import (
    KINDS,
    Given,
    amount,
    day,
    entry,
    keyed,
    number,
    numbered,
    text,
    txn,
)
from sandbox.quickbooks_desktop.built import built, named
from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.deleting import delete_entry, delete_txn, move_references, void_txn
from sandbox.quickbooks_desktop.errors import Refused
from sandbox.quickbooks_desktop.inspect import Shown, shown, shown_entry
from sandbox.quickbooks_desktop.lists import check_name
from sandbox.quickbooks_desktop.payments import pay
from sandbox.quickbooks_desktop.receiving import left_to_bill, left_to_receive
from sandbox.quickbooks_desktop.records import PAYMENTS, ZERO, Txn


def act(company: Company, name: str, given: Given) -> Shown:
    """Do one action; the answer is the record afterwards. Raises Refused or ValueError."""
    return ACTIONS[name](company, given)


# Orders


def _edit_order(company: Company, given: Given) -> Shown:
    """Saving alone moves the time; header fields, or one line: changed, added or taken away."""
    order = txn(company, given, "PurchaseOrder")
    names = (("memo", "Memo"), ("due_date", "DueDate"), ("expected_date", "ExpectedDate"), ("message", "VendorMsg"))
    parts: dict[str, Any] = {field: text(given, name) for name, field in names if name in given}
    if "new_number" in given:
        parts["RefNumber"] = text(given, "new_number")
    body: list[tuple[str, Any]] = [("TxnID", order.txn_id), ("EditSequence", order.edit_sequence), *parts.items()]
    body += [("PurchaseOrderLineMod", line) for line in _edited_lines(company, order, given, "Rate")]
    return shown(company, writing.modify(company, "PurchaseOrder", built("PurchaseOrderMod", body)).txn)


def _edited_lines(company: Company, record: Txn, given: Given, price: str) -> list[dict[str, Any]]:
    """All lines of a Mod where a line is changed, added or taken away; none otherwise."""
    if "line" not in given and "add_line" not in given:
        return []
    lines: list[dict[str, Any]] = [{"TxnLineID": line.id} for line in record.lines if line.kind == "item"]
    if "add_line" in given:
        row = given["add_line"]
        item = named(keyed(company, "Item", text(row, "item_id")).list_id)
        return [
            *lines,
            {"TxnLineID": "-1", "ItemRef": item, "Quantity": amount(row, "quantity"), price: amount(row, "price")},
        ]
    line = numbered(record, given)
    if given.get("remove"):
        return [one for one in lines if one["TxnLineID"] != line.id]
    changes = {"Desc": given.get("description"), "Quantity": number(given, "quantity"), price: number(given, "price")}
    return [{**one, **changes} if one["TxnLineID"] == line.id else one for one in lines]


def _set_closed(closed: bool) -> Callable[[Company, Given], Shown]:
    def close(company: Company, given: Given) -> Shown:
        """The order, or one of its lines."""
        order = txn(company, given, "PurchaseOrder")
        if "line" in given:
            numbered(order, given).closed = closed
        else:
            order.values["IsManuallyClosed"] = closed
        company.touch(order)
        return shown(company, order)

    return close


def _taking_lines(company: Company, order: Txn, given: Given, left: Callable[..., Decimal]) -> list[dict[str, Any]]:
    """Lines of a receipt or bill from an order: what is left, or the lines named."""
    rows = {numbered(order, row).id: row for row in given.get("lines") or ()}
    lines = []
    for line in order.lines:
        if (rows and line.id not in rows) or (not rows and (line.closed or left(company, order, line) <= 0)):
            continue
        row = rows.get(line.id, {})
        quantity = number(row, "quantity")
        part: dict[str, Any] = {"Quantity": left(company, order, line) if quantity is None else quantity}
        part["Cost"] = number(row, "price") if number(row, "price") is not None else line.price
        if given.get("link") is False:
            part["ItemRef"] = named(line.values.get("ItemRef"))
        else:
            part["LinkToTxn"] = {"TxnID": order.txn_id, "TxnLineID": line.id}
        lines.append(part)
    if not lines:
        raise ValueError(f"nothing is left of {order.ref_number}")
    return lines


def _receive(company: Company, given: Given) -> Shown:
    """An item receipt for what is left of an order, or the lines named, and of the orders in `also`. `link` false: it
    names no order."""
    order = txn(company, given, "PurchaseOrder")
    lines = _taking_lines(company, order, given, left_to_receive)
    for other in given.get("also") or ():
        lines += _taking_lines(company, txn(company, other, "PurchaseOrder"), other, left_to_receive)
    parts = {
        "VendorRef": named(order.entity),
        "TxnDate": day(given, "date", company.today()),
        "RefNumber": given.get("receipt_number"),
        "Memo": given.get("memo"),
        "ItemLineAdd": lines,
    }
    return shown(company, writing.add(company, "ItemReceipt", built("ItemReceiptAdd", parts)).txn)


def _bill(company: Company, given: Given) -> Shown:
    """Bills an order: what is left, or the lines named. `link` false makes a bill without a link."""
    order = txn(company, given, "PurchaseOrder")
    left = left_to_bill if company.enhanced else left_to_receive
    parts = {
        "VendorRef": named(order.entity),
        "TxnDate": day(given, "date", company.today()),
        "DueDate": given.get("due_date"),
        "RefNumber": given.get("invoice_number"),
        "Memo": given.get("memo"),
        "ItemLineAdd": _taking_lines(company, order, given, left),
    }
    return shown(company, writing.add(company, "Bill", built("BillAdd", parts)).txn)


def _expense(company: Company, given: Given) -> Shown:
    """Pays for an order's goods at once, by check, without a bill; what came counts as received."""
    order = txn(company, given, "PurchaseOrder")
    parts = {
        "VendorRef": named(order.entity),
        "TxnDate": day(given, "date", company.today()),
        "RefNumber": given.get("document_number"),
        "Memo": given.get("memo"),
        "ItemLineAdd": _taking_lines(company, order, given, left_to_receive),
    }
    return shown(company, writing.add(company, "Check", built("CheckAdd", parts)).txn)


def _enter_bill(company: Company, given: Given) -> Shown:
    """Enter Bill for Received Items: the receipt disappears, a bill stands in its place."""
    receipt = txn(company, given, "ItemReceipt")
    bill = converting.bill_from_receipt(company, receipt, text(given, "invoice_number"), given.get("due_date"))
    return shown(company, bill)


# Bills, credits, payments


def _hand_lines(company: Company, given: Given) -> list[tuple[str, Any]]:
    parts: list[tuple[str, Any]] = []
    for row in given.get("lines") or [given]:
        if row.get("item_id"):
            item = named(keyed(company, "Item", text(row, "item_id")).list_id)
            line = {"ItemRef": item, "Quantity": amount(row, "quantity"), "Cost": amount(row, "price")}
            parts.append(("ItemLineAdd", line))
        else:
            account = named(keyed(company, "Account", text(row, "account", "6000")).list_id)
            parts.append(("ExpenseLineAdd", {"AccountRef": account, "Amount": amount(row)}))
    return parts


def _add_document(kind: str) -> Callable[[Company, Given], Shown]:
    def add(company: Company, given: Given) -> Shown:
        """A bill or credit typed in by hand, without an order."""
        head = {
            "VendorRef": named(keyed(company, "Vendor", text(given, "vendor_id")).list_id),
            "TxnDate": day(given, "date", company.today()),
            "DueDate": given.get("due_date") if kind == "Bill" else None,
            "RefNumber": given.get("number"),
            "Memo": given.get("memo"),
        }
        body = built(f"{kind}Add", [*head.items(), *_hand_lines(company, given)])
        return shown(company, writing.add(company, kind, body).txn)

    return add


def _edit_document(kind: str) -> Callable[[Company, Given], Shown]:
    def edit(company: Company, given: Given) -> Shown:
        record = txn(company, given, kind)
        names = (("memo", "Memo"), ("invoice_number", "RefNumber"), ("date", "TxnDate"), ("due_date", "DueDate"))
        parts: list[tuple[str, Any]] = [("TxnID", record.txn_id), ("EditSequence", record.edit_sequence)]
        parts += [(field, text(given, name)) for name, field in names if name in given]
        parts += [("ItemLineMod", line) for line in _edited_lines(company, record, given, "Cost")]
        return shown(company, writing.modify(company, kind, built(f"{kind}Mod", parts)).txn)

    return edit


def _payment(company: Company, given: Given, bill: Txn, applied: dict[str, Any]) -> Shown:
    card = text(given, "method", "Check") == "CreditCard"
    kind = "BillPaymentCreditCard" if card else "BillPaymentCheck"
    account = keyed(company, "Account", text(given, "bank_account", "2100" if card else "BOA"))
    parts = {
        "PayeeEntityRef": named(bill.entity),
        "APAccountRef": named(bill.values.get("APAccountRef")),
        "TxnDate": day(given, "date", company.today()),
        "CreditCardAccountRef" if card else "BankAccountRef": named(account.list_id),
        "RefNumber": given.get("document_number"),
        "Memo": given.get("memo"),
        "AppliedToTxnAdd": {"TxnID": bill.txn_id, **applied},
    }
    return shown(company, pay(company, kind, built(f"{kind}Add", parts)).txn)


def _pay(company: Company, given: Given) -> Shown:
    bill = txn(company, given, "Bill")
    asked = number(given, "amount")
    return _payment(company, given, bill, {"PaymentAmount": company.open_amount(bill) if asked is None else asked})


def _apply_credit(company: Company, given: Given) -> Shown:
    """A payment of nothing that sets a credit against a bill."""
    bill = txn(company, {"number": given.get("bill"), "record_no": given.get("bill_record_no")}, "Bill")
    credit = txn(company, given, "VendorCredit")
    asked = number(given, "amount")
    worth = min(company.open_amount(bill), company.open_amount(credit)) if asked is None else asked
    return _payment(
        company,
        given,
        bill,
        {"PaymentAmount": ZERO, "SetCredit": {"CreditTxnID": credit.txn_id, "AppliedAmount": worth}},
    )


def _void_payment(company: Company, given: Given) -> Shown:
    payment = txn(company, {"number": given.get("document_number"), **given}, *PAYMENTS)
    return shown(company, void_txn(company, payment.kind, payment.txn_id))


def _delete(company: Company, given: Given) -> Shown:
    """Documents and unused entries of lists are deleted."""
    kinds = KINDS.get(text(given, "kind"))
    if kinds is None:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    if kinds[0] in company.txns:
        record = txn(company, given, *kinds)
        answer = shown(company, record)
        delete_txn(company, record.kind, record.txn_id)
        return answer
    found = entry(company, _FAMILY[text(given, "kind")], given)
    answer = shown_entry(company, found)
    delete_entry(company, found.kind, found.list_id)
    return answer


_FAMILY = {"vendor": "Vendor", "item": "Item", "account": "Account", "class": "Class", "term": "Terms"}

# Lists and settings


def _edit_entry(family: str) -> Callable[[Company, Given], Shown]:
    def edit(company: Company, given: Given) -> Shown:
        found = entry(company, family, {**given, "number": given.get("number") or given.get("vendor_id")})
        if "name" in given:
            check_name(company, found.kind, text(given, "name"), but=found)
            found.values["Name"] = text(given, "name")
        if "status" in given:
            found.values["IsActive"] = given["status"] == "active"
        if "term" in given:
            found.values["TermsRef"] = keyed(company, "Terms", text(given, "term")).list_id
        company.touch_entry(found)
        return shown_entry(company, found)

    return edit


def _merge(company: Company, given: Given) -> Shown:
    """A vendor, account, item, class or term becomes part of another one, and is gone itself (reference 3.6)."""
    family = _FAMILY.get(text(given, "kind"))
    if family is None:
        raise ValueError(f"kind is one of {', '.join(_FAMILY)}")
    gone, into = entry(company, family, given), keyed(company, family, text(given, "into"))
    if gone is into or gone.kind != into.kind:
        raise ValueError("into is another entry of the same kind")
    move_references(company, gone, into)
    return shown_entry(company, into)


def _set_preferences(company: Company, given: Given) -> Shown:
    """Preferences by their names; enhanced receiving has an action of its own."""
    known = ("IsUsingInventory", "IsUsingClassTracking")
    for name, value in given.items():
        if name not in known or not isinstance(value, bool):
            raise ValueError(f"give {' or '.join(known)}, true or false")
        company.preferences[name] = value
    return dict(company.preferences)


def _enable_enhanced(company: Company, given: Given) -> Shown:
    """Enhanced Inventory Receiving; it cannot be undone."""
    if company.switches.word("edition") != "Enterprise":
        raise ValueError("only Enterprise has Enhanced Inventory Receiving")
    return {"receipts_made": converting.enable_enhanced_receiving(company)}


def _close_period(company: Company, given: Given) -> Shown:
    if not given.get("through"):
        raise ValueError("through is the last closed day")
    company.closing_date = day(given, "through", company.today())
    return {"closed_through": company.closing_date.isoformat()}


def _open_period(company: Company, given: Given) -> Shown:
    company.closing_date = None
    return {"closed_through": None}


def _lock(locked: bool) -> Callable[[Company, Given], Shown]:
    def lock(company: Company, given: Given) -> Shown:
        """Another user has a document or a vendor open."""
        kinds = KINDS.get(text(given, "kind", "purchase_order"), ())
        if kinds and kinds[0] in company.txns:
            identifier = txn(company, given, *kinds).txn_id
        else:
            identifier = entry(company, _FAMILY[text(given, "kind")], given).list_id
        (company.locks.add if locked else company.locks.discard)(identifier)
        return {"locked": sorted(company.locks)}

    return lock


def _back_up(company: Company, given: Given) -> Shown:
    return {"backup": company.back_up()}


def _restore(company: Company, given: Given) -> Shown:
    """The newest backup, or the one named."""
    if not company.backups:
        raise ValueError("back_up first")
    at = int(given.get("backup", len(company.backups) - 1))
    if not 0 <= at < len(company.backups):
        raise ValueError(f"backup is from 0 to {len(company.backups) - 1}")
    company.restore(at)
    return {"backup": at}


ACTIONS: Mapping[str, Callable[[Company, Given], Shown]] = {
    "edit_purchase_order": _edit_order,
    "close": _set_closed(True),
    "reopen": _set_closed(False),
    "receive": _receive,
    "bill": _bill,
    "expense": _expense,
    "enter_bill_for_receipt": _enter_bill,
    "add_bill": _add_document("Bill"),
    "edit_bill": _edit_document("Bill"),
    "add_credit": _add_document("VendorCredit"),
    "edit_credit": _edit_document("VendorCredit"),
    "apply_credit": _apply_credit,
    "pay_bill": _pay,
    "void_payment": _void_payment,
    "delete": _delete,
    "edit_vendor": _edit_entry("Vendor"),
    "edit_item": _edit_entry("Item"),
    "edit_account": _edit_entry("Account"),
    "edit_class": _edit_entry("Class"),
    "edit_term": _edit_entry("Terms"),
    "merge": _merge,
    "set_preferences": _set_preferences,
    "enable_enhanced_receiving": _enable_enhanced,
    "close_period": _close_period,
    "open_period": _open_period,
    "lock": _lock(True),
    "unlock": _lock(False),
    "back_up": _back_up,
    "restore_backup": _restore,
}


def refused(error: Refused) -> dict[str, Any]:
    """A refusal as the control room answers it."""
    return {"error": error.message, "errors": [{"errorno": str(error.code), "message": error.message}]}
