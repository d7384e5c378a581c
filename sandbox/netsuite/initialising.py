"""initialize: an unsaved record filled from another (reference 3.4). Nothing is stored."""

from typing import Any

from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused
from sandbox.netsuite.orders import (
    ZERO,
    Progress,
    approved,
    billable,
    expense_lines,
    is_expense,
    item_lines,
    progress,
    receivable,
)
from sandbox.netsuite.own_fields import carried
from sandbox.netsuite.payables import due, total_of
from sandbox.netsuite.records import RECORD_TYPES, Record
from sandbox.netsuite.values import Fields, Lines, Ref

_COPIED = ("entity", "subsidiary", "currency", "currencyName", "exchangeRate", "department", "class", "location")


def initialised(company: Company, asked: Fields) -> Fields:
    """The record asked for. Raises Refused (INVALID_INITIALIZE_REF, VALID_LINE_ITEM_REQD)."""
    wanted, ref = asked["type"], asked.get("reference") or Ref()
    pair = (wanted, ref.type)
    makers = {
        ("vendorBill", "purchaseOrder"): _bill_from_order,
        ("itemReceipt", "purchaseOrder"): _receipt_from_order,
        ("vendorPayment", "vendorBill"): _payment_from_bill,
        ("vendorPayment", "vendor"): _payment_of_vendor,
        ("vendorCredit", "vendorBill"): _credit_from_bill,
        ("vendorCredit", "vendorReturnAuthorization"): _credit_from_return,
        ("vendorCredit", "vendor"): _credit_of_vendor,
        ("vendorReturnAuthorization", "vendorBill"): _return_from_bill,
        ("purchaseOrder", "vendor"): _order_of_vendor,
    }
    source = company.find(ref.type, ref) if ref.type in RECORD_TYPES else None
    if pair not in makers or source is None:
        raise invalid(wanted, ref)
    return makers[pair](company, source)


def invalid(wanted: str, ref: Ref) -> Refused:
    """The source is missing, or in the wrong state."""
    shown = ref.internal_id or ref.external_id
    return Refused("INVALID_INITIALIZE_REF", f"You can not initialize {wanted}: invalid reference {shown}.")


def _header(company: Company, source: Record) -> dict[str, Any]:
    values = {name: source[name] for name in _COPIED if source[name] is not None}
    return {**values, "tranDate": company.today()}


def _nothing_left() -> Refused:
    return Refused("VALID_LINE_ITEM_REQD", "You must have at least one valid line item for this transaction.")


def _checked_order(wanted: str, order: Record) -> None:
    if not approved(order) or order["status"] in ("Planned", "Closed", "Fully Billed"):
        raise invalid(wanted, Ref(order.internal_id))


def bill_lines(company: Company, order: Record) -> tuple[Lines, Lines]:
    """Item and expense lines of a bill for all that is billable of an order now."""
    done = progress(company, order)
    items, expenses = Lines(), Lines()
    for line in (*item_lines(order), *expense_lines(order)):
        left = billable(company, line, done.get(line["line"], Progress()))
        if left <= ZERO:
            continue
        link = {"orderDoc": int(order.internal_id), "orderLine": line["line"]}
        coded = {name: line[name] for name in ("department", "class", "location") if line.get(name) is not None}
        coded |= carried(line)
        if is_expense(line):
            own = {name: line[name] for name in ("account", "category", "memo") if line.get(name) is not None}
            expenses.append(Fields("VendorBillExpense", {**link, **own, **coded, "amount": left}))
        else:
            own = {name: line[name] for name in ("item", "units", "description", "rate") if line.get(name) is not None}
            items.append(Fields("VendorBillItem", {**link, **own, **coded, "quantity": left}))
    return items, expenses


def _bill_from_order(company: Company, order: Record) -> Fields:
    _checked_order("vendorBill", order)
    items, expenses = bill_lines(company, order)
    if not items and not expenses:
        if any(done.received for done in progress(company, order).values()):
            raise _nothing_left()
        raise invalid("vendorBill", Ref(order.internal_id))
    payable = next((one for one in company.all("account") if one["acctType"] == "_accountsPayable"), None)
    values = _header(company, order) | {"terms": order["terms"], "itemList": items, "expenseList": expenses}
    values["account"] = company.ref(payable) if payable is not None else None
    return Fields("VendorBill", {name: value for name, value in values.items() if value not in (None, [])})


def _receipt_from_order(company: Company, order: Record) -> Fields:
    _checked_order("itemReceipt", order)
    done = progress(company, order)
    lines = Lines()
    for line in item_lines(order):
        left = line["quantity"] - done[line["line"]].received
        if left <= ZERO or line.get("isClosed") or not receivable(company, line):
            continue
        item = company.pointed("item", line["item"])
        shown = {"itemReceive": True, "item": line["item"], "orderLine": line["line"], "itemName": item["itemId"]}
        more = {"description": line.get("description"), "location": line.get("location")}
        worth = {"quantityRemaining": left, "quantity": left, "rate": line["rate"]}
        lines.append(Fields("ItemReceiptItem", {**shown, **more, **worth}))
    if not lines:
        raise _nothing_left()
    values = _header(company, order) | {"createdFrom": company.ref(order), "itemList": lines}
    names = ("exchangeRate", "entity", "currencyName", "subsidiary", "createdFrom", "tranDate", "currency", "itemList")
    return Fields("ItemReceipt", {name: values[name] for name in names})


def _apply_lines(company: Company, vendor_id: str, chosen: str, shape: str) -> Lines:
    lines = Lines()
    for bill in company.all("vendorBill"):
        if bill["entity"].internal_id != vendor_id or bill["status"] != "Open":
            continue
        owed = due(company, bill)
        applies = bill.internal_id == chosen
        shown = {"apply": applies, "doc": int(bill.internal_id), "line": 0, "applyDate": bill["tranDate"]}
        worth = {"type": "Bill", "refNum": bill["tranId"], "total": total_of(bill), "due": owed}
        amount = {"currency": bill["currencyName"], "amount": owed if applies else ZERO}
        lines.append(Fields(shape, {**shown, **worth, **amount}))
    return lines


def _payment_from_bill(company: Company, bill: Record) -> Fields:
    if bill["status"] != "Open":
        raise invalid("vendorPayment", Ref(bill.internal_id))
    lines = _apply_lines(company, bill["entity"].internal_id, bill.internal_id, "VendorPaymentApply")
    values = _header(company, bill) | {"apAcct": bill["account"], "total": due(company, bill), "applyList": lines}
    return Fields("VendorPayment", values)


def _payment_of_vendor(company: Company, vendor: Record) -> Fields:
    lines = _apply_lines(company, vendor.internal_id, "", "VendorPaymentApply")
    values = {"entity": company.ref(vendor), "subsidiary": vendor["subsidiary"], "currency": vendor["currency"]}
    return Fields("VendorPayment", {**values, "tranDate": company.today(), "total": ZERO, "applyList": lines})


def _lines_from(source: Record, shape: str) -> dict[str, Lines]:
    """Lines for all of a bill's or a return's, each naming the line it is made from."""
    items, expenses = Lines(), Lines()
    for line in (*item_lines(source), *expense_lines(source)):
        own = {name: value for name, value in line.items() if name not in ("line", "orderDoc")}
        kind, target = ("Expense", expenses) if is_expense(line) else ("Item", items)
        target.append(Fields(f"{shape}{kind}", {**own, "orderLine": line["line"]}))
    return {name: lines for name, lines in (("expenseList", expenses), ("itemList", items)) if lines}


def _credit_from_bill(company: Company, bill: Record) -> Fields:
    values = _header(company, bill) | {"account": bill["account"], "createdFrom": company.ref(bill)}
    lines = _apply_lines(company, bill["entity"].internal_id, bill.internal_id, "VendorCreditApply")
    return Fields("VendorCredit", {**values, **_lines_from(bill, "VendorCredit"), "applyList": lines or None})


def _credit_from_return(company: Company, made: Record) -> Fields:
    if made["orderStatus"] == "_credited":
        raise invalid("vendorCredit", Ref(made.internal_id))
    values = _header(company, made) | {"createdFrom": company.ref(made)}
    lines = _apply_lines(company, made["entity"].internal_id, "", "VendorCreditApply")
    return Fields("VendorCredit", {**values, **_lines_from(made, "VendorCredit"), "applyList": lines or None})


def _return_from_bill(company: Company, bill: Record) -> Fields:
    values = _header(company, bill) | {"createdFrom": company.ref(bill)}
    return Fields("VendorReturnAuthorization", {**values, **_lines_from(bill, "VendorReturnAuthorization")})


def _credit_of_vendor(company: Company, vendor: Record) -> Fields:
    values = {"entity": company.ref(vendor), "subsidiary": vendor["subsidiary"], "currency": vendor["currency"]}
    return Fields("VendorCredit", {**values, "tranDate": company.today()})


def _order_of_vendor(company: Company, vendor: Record) -> Fields:
    values = {"entity": company.ref(vendor), "subsidiary": vendor["subsidiary"], "currency": vendor["currency"]}
    return Fields("PurchaseOrder", {**values, "terms": vendor["terms"], "tranDate": company.today()})
