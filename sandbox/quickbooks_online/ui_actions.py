"""What people do in QuickBooks Online's screens: bill, pay, edit, close, delete, void, close the books."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.action_arguments import (
    KINDS,
    Given,
    amount,
    found,
    keyed,
    naming,
    number,
    numbered,
    text,
)
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.company_settings import set_preference
from sandbox.quickbooks_online.entities import ENTITIES
from sandbox.quickbooks_online.errors import Refused
from sandbox.quickbooks_online.inspect import Shown, shown
from sandbox.quickbooks_online.received import follow_status, received
from sandbox.quickbooks_online.records import Line, Record
from sandbox.quickbooks_online.values import Json, cents
from sandbox.quickbooks_online.wire_out import record_json
from sandbox.quickbooks_online.writing import create, delete, update, void


def act(company: Company, name: str, given: Given) -> Shown:
    """Do one action; the answer is the record afterwards. Raises Refused or ValueError."""
    return ACTIONS[name](company, given)


def _changed(company: Company, record: Record, body: Json) -> Shown:
    return shown(company, update(company, record.type, {**naming(record), "sparse": True, **body}))


def _dated(company: Company, given: Given) -> Json:
    return {"TxnDate": text(given, "date") or company.today().isoformat(), "PrivateNote": given.get("memo")}


# Orders


def _edit_order(company: Company, given: Given) -> Shown:
    """Saving alone moves the stamp; header fields, or one line: changed, added or taken away."""
    order = found(company, "PurchaseOrder", given)
    body: Json = {}
    for name, field in (
        ("memo", "PrivateNote"),
        ("due_date", "DueDate"),
        ("message", "Memo"),
        ("new_number", "DocNumber"),
    ):
        if name in given:
            body[field] = given[name]
    if "line" in given or "add_line" in given:
        body["Line"] = _edited_lines(company, order, given)
    return _changed(company, order, body)


def _edited_lines(company: Company, record: Record, given: Given) -> list[Json]:
    lines: list[Json] = [dict(line) for line in record_json(company, record)["Line"]]
    if "add_line" in given:
        row = given["add_line"]
        return [*lines, _new_line(company, row)]
    at = record.lines.index(numbered(record, given))
    if given.get("remove"):
        return [line for position, line in enumerate(lines) if position != at]
    line, held = lines[at], record.lines[at]
    detail = dict(line[line["DetailType"]])
    if "quantity" in given:
        detail["Qty"] = amount(given, "quantity")
    if "price" in given:
        detail["UnitPrice"] = amount(given, "price")
    line[line["DetailType"]] = detail
    if "description" in given:
        line["Description"] = given["description"]
    quantity = detail.get("Qty", held.quantity)
    price = detail.get("UnitPrice", held.detail.get("UnitPrice"))
    if "amount" in given:
        line["Amount"] = amount(given)
    elif quantity is not None and price is not None:
        line["Amount"] = cents(Decimal(str(quantity)) * Decimal(str(price)))
    return lines


def _new_line(company: Company, row: Given) -> Json:
    if row.get("item_id"):
        quantity, price = amount(row, "quantity"), amount(row, "price")
        detail: Json = {"ItemRef": keyed(company, "Item", str(row["item_id"])), "Qty": quantity, "UnitPrice": price}
        return {"Amount": cents(quantity * price), "ItemBasedExpenseLineDetail": detail}
    account = keyed(company, "Account", text(row, "account", "6000"))
    return {"Amount": amount(row), "AccountBasedExpenseLineDetail": {"AccountRef": account}}


def _set_closed(closed: bool) -> Callable[[Company, Given], Shown]:
    def close(company: Company, given: Given) -> Shown:
        """The order, or one of its lines."""
        order = found(company, "PurchaseOrder", given)
        if "line" not in given:
            return _changed(company, order, {"POStatus": "Closed" if closed else "Open"})
        numbered(order, given).closed = closed
        company.touch(order)
        if all(line.closed for line in order.lines):
            order.values["POStatus"] = "Closed"
        else:
            follow_status(company, order)
        return shown(company, order)

    return close


def _billed_lines(company: Company, order: Record, given: Given) -> list[Json]:
    """Lines that bill an order: what is left, or the lines named."""
    rows = {numbered(order, row).id: row for row in given.get("lines") or ()}
    lines = []
    for line in order.lines:
        left = line.measure - received(company, order, line)
        if (rows and line.id not in rows) or (not rows and (left <= 0 or line.closed)):
            continue
        lines.append(_billing(order, line, rows.get(line.id, {}), left, linked=given.get("link") is not False))
    if not lines:
        raise ValueError(f"nothing is left of {order['DocNumber']}")
    return lines


def _billing(order: Record, line: Line, row: Given, left: Decimal, *, linked: bool) -> Json:
    link = {"TxnId": order.id, "TxnType": "PurchaseOrder", "TxnLineId": line.id}
    body: Json = {"Description": line.description, "LinkedTxn": [link] if linked else []}
    if line.quantity is None:
        worth = number(row, "amount")
        detail: Json = {"AccountRef": {"value": line.detail["AccountRef"]}}
        return {**body, "Amount": left if worth is None else worth, "AccountBasedExpenseLineDetail": detail}
    quantity, price = number(row, "quantity"), number(row, "price")
    quantity = left if quantity is None else quantity
    price = price if price is not None else line.detail.get("UnitPrice") or Decimal(0)
    detail = {"ItemRef": {"value": line.detail["ItemRef"]}, "Qty": quantity, "UnitPrice": price}
    return {**body, "Amount": cents(quantity * price), "ItemBasedExpenseLineDetail": detail}


def _bill(company: Company, given: Given) -> Shown:
    """Bills an order: what is left, or the lines named. `link` false makes a bill without a link."""
    order = found(company, "PurchaseOrder", given)
    body = {
        **_dated(company, given),
        "VendorRef": {"value": order["VendorRef"]},
        "APAccountRef": {"value": order["APAccountRef"]},
        "DocNumber": given.get("invoice_number"),
        "DueDate": given.get("due_date"),
        "LinkedTxn": [] if given.get("link") is False else [{"TxnId": order.id, "TxnType": "PurchaseOrder"}],
        "Line": _billed_lines(company, order, given),
    }
    return shown(company, create(company, ENTITIES["Bill"], body))


def _expense(company: Company, given: Given) -> Shown:
    """Pays for an order's goods at once, by check, without a bill; it counts in what the order shows as received."""
    order = found(company, "PurchaseOrder", given)
    body = {
        **_dated(company, given),
        "EntityRef": {"value": order["VendorRef"]},
        "AccountRef": keyed(company, "Account", text(given, "bank_account", "BOA")),
        "PaymentType": "Check",
        "DocNumber": given.get("document_number"),
        "Line": _billed_lines(company, order, given),
    }
    return shown(company, create(company, ENTITIES["Purchase"], body))


# Bills, credits, payments


def _add_document(kind: str) -> Callable[[Company, Given], Shown]:
    def add(company: Company, given: Given) -> Shown:
        """A bill or credit typed in by hand, without an order."""
        rows = given.get("lines") or [given]
        body = {
            **_dated(company, given),
            "VendorRef": keyed(company, "Vendor", text(given, "vendor_id")),
            "DocNumber": given.get("number"),
            "Line": [_new_line(company, row) for row in rows],
        }
        return shown(company, create(company, ENTITIES[kind], body))

    return add


def _edit_document(kind: str) -> Callable[[Company, Given], Shown]:
    def edit(company: Company, given: Given) -> Shown:
        record = found(company, kind, given)
        names = (("memo", "PrivateNote"), ("invoice_number", "DocNumber"), ("date", "TxnDate"), ("due_date", "DueDate"))
        body: Json = {field: given[name] for name, field in names if name in given}
        if "vendor_id" in given:
            body["VendorRef"] = keyed(company, "Vendor", text(given, "vendor_id"))
        if "line" in given or "add_line" in given:
            body["Line"] = _edited_lines(company, record, given)
        return _changed(company, record, body)

    return edit


def _payment(company: Company, given: Given, target: Record, lines: list[Json], total: Decimal) -> Shown:
    body = {
        **_dated(company, given),
        "VendorRef": {"value": target["VendorRef"]},
        "APAccountRef": {"value": target["APAccountRef"]},
        "DocNumber": given.get("document_number"),
        "TotalAmt": total,
        "Line": lines,
    }
    if text(given, "method", "Check") == "CreditCard":
        body |= {"PayType": "CreditCard"}
        body["CreditCardPayment"] = {"CCAccountRef": keyed(company, "Account", text(given, "bank_account", "2100"))}
    else:
        body |= {"PayType": "Check"}
        body["CheckPayment"] = {"BankAccountRef": keyed(company, "Account", text(given, "bank_account", "BOA"))}
    return shown(company, create(company, ENTITIES["BillPayment"], body))


def _pay(company: Company, given: Given) -> Shown:
    bill = found(company, "Bill", given)
    asked = number(given, "amount")
    worth = bill["Balance"] if asked is None else asked
    line = {"Amount": worth, "LinkedTxn": [{"TxnId": bill.id, "TxnType": "Bill"}]}
    return _payment(company, given, bill, [line], worth)


def _apply_credit(company: Company, given: Given) -> Shown:
    """A payment of nothing that sets a credit against a bill."""
    bill = found(company, "Bill", {"number": given.get("bill"), "record_no": given.get("bill_record_no")})
    credit = found(company, "VendorCredit", given)
    asked = number(given, "amount")
    worth = min(bill["Balance"], credit["Balance"]) if asked is None else asked
    lines = [{"Amount": worth, "LinkedTxn": [{"TxnId": one.id, "TxnType": one.type.name}]} for one in (bill, credit)]
    return _payment(company, given, bill, lines, Decimal(0))


def _void_payment(company: Company, given: Given) -> Shown:
    payment = found(company, "BillPayment", {"number": given.get("document_number"), **given})
    return shown(company, void(company, payment.type, naming(payment)))


def _delete(company: Company, given: Given) -> Shown:
    """Documents are deleted; records of lists are made inactive."""
    kind = KINDS.get(text(given, "kind"))
    if kind is None:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    record = found(company, kind, given)
    if record.type.is_list:
        return _changed(company, record, {"Active": False})
    answer = shown(company, record)
    delete(company, record.type, naming(record))
    return answer


# Lists and settings


def _edit_list_record(kind: str, field: str) -> Callable[[Company, Given], Shown]:
    def edit(company: Company, given: Given) -> Shown:
        record = found(company, kind, given)
        body: Json = {field: given["name"]} if "name" in given else {}
        if "status" in given:
            body["Active"] = given["status"] == "active"
        return _changed(company, record, body)

    return edit


def _set_preferences(company: Company, given: Given) -> Shown:
    """Preferences by their bare names."""
    if not given:
        raise ValueError("give preferences by their names")
    for name, value in given.items():
        set_preference(company.preferences.values, name, value)
    company.touch(company.preferences)
    return shown(company, company.preferences)


def _close_period(company: Company, given: Given) -> Shown:
    if not given.get("through"):
        raise ValueError("through is the last closed day")
    _set_preferences(company, {"BookCloseDate": str(given["through"])})
    return {"closed_through": str(given["through"])}


def _open_period(company: Company, given: Given) -> Shown:
    """The books are open again, all of them."""
    _set_preferences(company, {"BookCloseDate": ""})
    return {"closed_through": None}


ACTIONS: Mapping[str, Callable[[Company, Given], Shown]] = {
    "edit_purchase_order": _edit_order,
    "close": _set_closed(True),
    "reopen": _set_closed(False),
    "bill": _bill,
    "expense": _expense,
    "add_bill": _add_document("Bill"),
    "edit_bill": _edit_document("Bill"),
    "add_credit": _add_document("VendorCredit"),
    "edit_credit": _edit_document("VendorCredit"),
    "apply_credit": _apply_credit,
    "pay_bill": _pay,
    "void_payment": _void_payment,
    "delete": _delete,
    "edit_vendor": _edit_list_record("Vendor", "DisplayName"),
    "edit_item": _edit_list_record("Item", "Name"),
    "edit_account": _edit_list_record("Account", "Name"),
    "edit_class": _edit_list_record("Class", "Name"),
    "edit_department": _edit_list_record("Department", "Name"),
    "edit_term": _edit_list_record("Term", "Name"),
    "set_preferences": _set_preferences,
    "close_period": _close_period,
    "open_period": _open_period,
}


def refused(error: Refused) -> dict[str, Any]:
    """A refusal as the control room answers it."""
    return {"error": error.detail, "errors": [{"errorno": error.code, "message": error.detail}]}
