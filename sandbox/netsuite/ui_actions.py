"""What people do in NetSuite's screens: receive, bill, pay, edit, close, approve, close periods."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sandbox.netsuite import bootstrap, ui_action_credits
from sandbox.netsuite.action_arguments import (
    Given,
    day_of,
    found,
    lines_in_order,
    number,
    numbered,
    reference,
    text,
    wanted_lines,
)
from sandbox.netsuite.billing import approve
from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused
from sandbox.netsuite.initialising import initialised
from sandbox.netsuite.inspect import Shown, shown
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.orders import recompute
from sandbox.netsuite.payables import due, reapply
from sandbox.netsuite.records import BY_SHAPE, Record
from sandbox.netsuite.values import Fields, Lines, Ref
from sandbox.netsuite.writing import add, delete, update

_TYPES = {
    "purchase_order": "purchaseOrder",
    "receipt": "itemReceipt",
    "bill": "vendorBill",
    "credit": "vendorCredit",
    "return": "vendorReturnAuthorization",
    "fulfilment": "itemFulfillment",
    "payment": "vendorPayment",
    "vendor": "vendor",
    "item": "nonInventoryPurchaseItem",
    "account": "account",
    "department": "department",
    "class": "classification",
    "location": "location",
    "term": "term",
}


def act(company: Company, name: str, given: Given) -> Shown:
    """Do one action; the answer is the record afterwards. Raises Refused or ValueError."""
    return ACTIONS[name](company, given)


def _receive(company: Company, given: Given) -> Shown:
    order = found(company, "purchaseOrder", given)
    wanted = wanted_lines(order, given)
    lines = Lines()
    if wanted:
        for line in lines_in_order(order):
            row = wanted.get(line["line"])
            if row is None:
                continue
            location = line.get("location") or bootstrap.default_location(company)
            values = {"itemReceive": True, "orderLine": line["line"], "location": location}
            values["quantity"] = number(row, "quantity")
            lines.append(Fields("ItemReceiptItem", values))
    else:
        asked = Fields("InitializeRecord", {"type": "itemReceipt", "reference": reference(order)})
        for line in initialised(company, asked)["itemList"]:
            kept = {name: line[name] for name in ("itemReceive", "orderLine", "quantity")}
            location = line.get("location") or bootstrap.default_location(company)
            lines.append(Fields("ItemReceiptItem", {**kept, "location": location}))
    values = {"createdFrom": company.ref(order), "itemList": lines, "memo": given.get("memo")}
    values["tranDate"] = company.moment_of(day_of(company, given))
    if given.get("receipt_number"):
        values["tranId"] = str(given["receipt_number"])
    return shown(company, add(Writing(company), Fields("ItemReceipt", values)))


def _bill(company: Company, given: Given) -> Shown:
    """Bills an order: what is billable, or the lines named. `link` false makes a bill without a link."""
    order = found(company, "purchaseOrder", given)
    wanted = wanted_lines(order, given)
    items, expenses = Lines(), Lines()
    if wanted:
        for line in lines_in_order(order):
            row = wanted.get(line["line"])
            if row is not None:
                _put_bill_line(items, expenses, order, line, row)
    else:
        asked = Fields("InitializeRecord", {"type": "vendorBill", "reference": reference(order)})
        made = initialised(company, asked)
        items, expenses = made.get("itemList") or Lines(), made.get("expenseList") or Lines()
    if given.get("link") is False:
        for line in (*items, *expenses):
            line.pop("orderDoc", None)
            line.pop("orderLine", None)
    values: dict[str, Any] = {"entity": order["entity"], "subsidiary": order["subsidiary"]}
    values |= {"currency": order["currency"], "tranDate": company.moment_of(day_of(company, given))}
    values |= {"tranId": given.get("invoice_number"), "memo": given.get("memo")}
    if items:
        values["itemList"] = items
    if expenses:
        values["expenseList"] = expenses
    return shown(company, add(Writing(company), Fields("VendorBill", values)))


def _put_bill_line(items: Lines, expenses: Lines, order: Record, line: Fields, row: Given) -> None:
    link = {"orderDoc": int(order.internal_id), "orderLine": line["line"]}
    if line.shape == "PurchaseOrderExpense":
        amount = number(row, "amount") or line["amount"]
        expenses.append(Fields("VendorBillExpense", {**link, "account": line.get("account"), "amount": amount}))
        return
    values = {**link, "item": line["item"], "quantity": number(row, "quantity") or line["quantity"]}
    values["rate"] = text(row, "price", line["rate"])
    items.append(Fields("VendorBillItem", values))


def _add_bill(company: Company, given: Given) -> Shown:
    """A bill typed in by hand, without an order."""
    vendor = found(company, "vendor", {"number": given.get("vendor_id")})
    account = company.keyed("account", text(given, "account", "6000"))
    amount = number(given, "amount")
    if account is None or amount is None:
        raise ValueError("give amount, and an account that exists")
    lines = Lines([Fields("VendorBillExpense", {"account": company.ref(account), "amount": amount})])
    values: dict[str, Any] = {"entity": company.ref(vendor), "tranId": given.get("number"), "memo": given.get("memo")}
    values |= {"tranDate": company.moment_of(day_of(company, given)), "expenseList": lines}
    return shown(company, add(Writing(company), Fields("VendorBill", values)))


def _add_credit(company: Company, given: Given) -> Shown:
    """A vendor credit of an `amount`; `bill` names the bill it is applied to."""
    vendor = found(company, "vendor", {"number": given.get("vendor_id")})
    account = company.keyed("account", text(given, "account", "6000"))
    amount = number(given, "amount")
    if account is None or amount is None:
        raise ValueError("give amount, and an account that exists")
    lines = Lines([Fields("VendorCreditExpense", {"account": company.ref(account), "amount": amount})])
    values: dict[str, Any] = {"entity": company.ref(vendor), "tranId": given.get("number"), "expenseList": lines}
    values |= {"tranDate": company.moment_of(day_of(company, given)), "memo": given.get("memo")}
    if given.get("bill"):
        bill = found(company, "vendorBill", {"number": given["bill"]})
        applied = {"apply": True, "doc": int(bill.internal_id), "amount": min(amount, due(company, bill))}
        values["applyList"] = Lines([Fields("VendorCreditApply", applied)])
    return shown(company, add(Writing(company), Fields("VendorCredit", values)))


def _edit_bill(company: Company, given: Given) -> Shown:
    bill = found(company, "vendorBill", given)
    values: dict[str, Any] = {name: given[name] for name in ("memo",) if name in given}
    if "invoice_number" in given:
        values["tranId"] = given["invoice_number"]
    if "date" in given:
        values["tranDate"] = company.moment_of(day_of(company, given))
    if "line" in given:
        changed: dict[str, Any] = {"line": numbered(bill, given)["line"]}
        if "quantity" in given:
            changed["quantity"] = number(given, "quantity")
        if "price" in given:
            changed["rate"] = str(given["price"])
        values["itemList"] = Lines([Fields("VendorBillItem", changed)], replace_all=False)
    fields = Fields("VendorBill", values, {"internalId": bill.internal_id})
    return shown(company, update(Writing(company), fields))


def _pay(company: Company, given: Given) -> Shown:
    bill = found(company, "vendorBill", given)
    amount = number(given, "amount")
    line = {"apply": True, "doc": int(bill.internal_id), "amount": due(company, bill) if amount is None else amount}
    bank = company.keyed("account", text(given, "bank_account", "BOA"))
    if bank is None:
        raise ValueError(f"there is no bank account {given.get('bank_account')!r}")
    values: dict[str, Any] = {"entity": bill["entity"], "account": company.ref(bank), "apAcct": bill["account"]}
    values |= {"currency": bill["currency"], "tranDate": company.moment_of(day_of(company, given))}
    values |= {"applyList": Lines([Fields("VendorPaymentApply", line)])}
    if given.get("document_number"):
        values["tranId"] = str(given["document_number"])
    return shown(company, add(Writing(company), Fields("VendorPayment", values)))


def _void_payment(company: Company, given: Given) -> Shown:
    payment = found(company, "vendorPayment", {"number": given.get("document_number"), **given})
    payment.values["status"] = "Voided"
    company.touch(payment)
    reapply(company, payment, set())
    return shown(company, payment)


def _edit_order(company: Company, given: Given) -> Shown:
    """Saving alone moves the stamp; header fields, or one line's quantity, price or description; or it goes."""
    order = found(company, "purchaseOrder", given)
    values: dict[str, Any] = {}
    for name, field in (("memo", "memo"), ("reference", "otherRefNum")):
        if name in given:
            values[field] = given[name]
    if "due_date" in given:
        values["dueDate"] = company.moment_of(date.fromisoformat(str(given["due_date"])))
    if "currency" in given:
        values["currency"] = company.ref(bootstrap.currency(company, str(given["currency"])))
    if "line" in given:
        line = numbered(order, given)
        changed: dict[str, Any] = {"line": line["line"]}
        if "quantity" in given:
            changed["quantity"] = number(given, "quantity")
        if "price" in given:
            changed["rate"] = str(given["price"])
        if "description" in given:
            changed["description"] = given["description"]
        name = "expenseList" if line.shape == "PurchaseOrderExpense" else "itemList"
        if given.get("remove"):
            kept = [one for one in order.values[name] if one is not line]
            values[name] = Lines([Fields(one.shape, dict(one)) for one in kept])
        else:
            values[name] = Lines([Fields(line.shape, changed)], replace_all=False)
    fields = Fields("PurchaseOrder", values, {"internalId": order.internal_id})
    return shown(company, update(Writing(company, ignore_read_only=True), fields))


def _set_closed(closed: bool) -> Callable[[Company, Given], Shown]:
    def close(company: Company, given: Given) -> Shown:
        """The order, or one of its lines."""
        order = found(company, "purchaseOrder", given)
        lines = [numbered(order, given)] if "line" in given else lines_in_order(order)
        for line in lines:
            line["isClosed"] = closed
        company.touch(order)
        recompute(company, order, at_once=True)
        return shown(company, order)

    return close


def _decide_order(decision: Ref) -> Callable[[Company, Given], Shown]:
    def decide(company: Company, given: Given) -> Shown:
        order = found(company, "purchaseOrder", given)
        order.values["approvalStatus"] = decision
        company.touch(order)
        recompute(company, order, at_once=True)
        return shown(company, order)

    return decide


def _decide_bill(decision: Ref) -> Callable[[Company, Given], Shown]:
    def decide(company: Company, given: Given) -> Shown:
        bill = found(company, "vendorBill", given)
        approve(Writing(company), [bill], decision)
        return shown(company, bill)

    return decide


def _delete(company: Company, given: Given) -> Shown:
    kind = text(given, "kind")
    if kind not in _TYPES:
        raise ValueError(f"kind is one of {', '.join(_TYPES)}")
    type_names = [_TYPES[kind]] if kind != "item" else [one.name for one in BY_SHAPE.values() if one.group == "item"]
    for type_name in type_names:
        try:
            record = found(company, type_name, given)
        except ValueError:
            continue
        answer = shown(company, record)
        delete(Writing(company), reference(record))
        return answer
    raise ValueError(f"there is no such {kind}")


def _edit_list_record(type_name: str, names: Mapping[str, str]) -> Callable[[Company, Given], Shown]:
    def edit(company: Company, given: Given) -> Shown:
        record = found(company, type_name, {"number": given.get("key"), **given})
        for name, field in names.items():
            if name in given:
                record.values[field] = given[name]
        if "status" in given:
            record.values["isInactive"] = given["status"] == "inactive"
        company.touch(record)
        return shown(company, record)

    return edit


def close_periods(company: Company, through: date) -> list[str]:
    """Closes every period that ends by a day; answers their names."""
    company.period_of(through)
    return [_lock(company, one, True) for one in company.all("accountingPeriod") if one["endDate"] <= through]


def _lock(company: Company, period: Record, closed: bool) -> str:
    period.values |= dict.fromkeys(("closed", "apLocked", "arLocked", "allLocked"), closed)
    company.touch(period)
    return str(period["periodName"])


def _close_period(company: Company, given: Given) -> Shown:
    if not given.get("through"):
        raise ValueError("through is the last closed day")
    return {"closed": close_periods(company, date.fromisoformat(str(given["through"])))}


def _open_period(company: Company, given: Given) -> Shown:
    """The period of a `date`; without one, all of them."""
    days = [date.fromisoformat(str(given["date"]))] if given.get("date") else None
    opened = [company.period_of(days[0])] if days else company.all("accountingPeriod")
    return {"opened": [_lock(company, period, False) for period in opened]}


_APPROVED, _REJECTED = Ref("2", name="Approved"), Ref("3", name="Rejected")
ACTIONS: Mapping[str, Callable[[Company, Given], Shown]] = {
    "edit_purchase_order": _edit_order,
    "receive": _receive,
    "bill": _bill,
    "add_bill": _add_bill,
    "add_credit": _add_credit,
    "credit_bill": ui_action_credits.credit_of("vendorBill"),
    "authorize_return": ui_action_credits.authorize_return,
    "fulfil_return": ui_action_credits.fulfil_return,
    "credit_return": ui_action_credits.credit_of("vendorReturnAuthorization"),
    "edit_credit": ui_action_credits.edit_credit,
    "void_credit": ui_action_credits.void,
    "edit_bill": _edit_bill,
    "pay_bill": _pay,
    "void_payment": _void_payment,
    "close": _set_closed(True),
    "reopen": _set_closed(False),
    "approve": _decide_order(_APPROVED),
    "reject": _decide_order(_REJECTED),
    "approve_bill": _decide_bill(_APPROVED),
    "reject_bill": _decide_bill(_REJECTED),
    "delete": _delete,
    "edit_vendor": _edit_list_record("vendor", {"name": "companyName", "email": "email", "phone": "phone"}),
    "close_period": _close_period,
    "open_period": _open_period,
}


def refused(error: Refused) -> dict[str, Any]:
    """A refusal as the control room answers it."""
    return {"error": error.message, "errors": [{"errorno": error.code, "message": error.message}]}
