"""Vendor bills and payments: what a save checks, works out and moves."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.netsuite.credited_payments import apply_credits, take_credits
from sandbox.netsuite.documents import (
    cents,
    check_subsidiary,
    fill_header,
    fill_terms,
    overridden_tax,
    post,
    price_lines,
    vendor_of,
)
from sandbox.netsuite.errors import Refused, bad_reference
from sandbox.netsuite.initialising import bill_lines
from sandbox.netsuite.normalising import Writing, number_lines
from sandbox.netsuite.orders import (
    ZERO,
    Progress,
    approved,
    billable,
    expense_lines,
    is_expense,
    item_lines,
    linked_orders,
    order_line,
    progress,
    relink,
    source_of,
)
from sandbox.netsuite.own_fields import check_line
from sandbox.netsuite.payables import applied_bills, due, paid, reapply, settle_bill, total_of
from sandbox.netsuite.records import Record, Values
from sandbox.netsuite.values import Fields, Lines, Ref

_NUMBER_LENGTH = 45
PENDING, APPROVED = Ref("1", name="Pending Approval"), Ref("2", name="Approved")


def written_lines(values: Values) -> list[Fields]:
    return [*(values.get("itemList") or ()), *(values.get("expenseList") or ())]


def payable_account(writing: Writing, values: Values, name: str) -> None:
    """The payable account of a document: the given one, else the first. Raises Refused."""
    company = writing.company
    if values.get(name) is None:
        accounts = [one for one in company.all("account") if one["acctType"] == "_accountsPayable"]
        usable = [one for one in accounts if not one["isInactive"]]
        if not usable:
            raise Refused("ACTIVE_AP_ACCT_REQD", "There is no active accounts payable account.")
        values[name] = company.ref(usable[0])
    elif company.pointed(name, values[name])["acctType"] != "_accountsPayable":
        raise bad_reference(name.lower(), values[name].internal_id)


def prepare_bill(writing: Writing, values: Values, old: Record | None) -> None:
    """A vendor bill as it will be stored. Raises Refused."""
    company = writing.company
    vendor = vendor_of(company, values)
    if old is None and not written_lines(values):
        _take_orders(writing, values)
    orders = _linked(writing, values, vendor)
    _rate_from_orders(writing, written_lines(values))
    if values.get("currency") is None and orders:
        values["currency"] = orders[0]["currency"]
    if values.get("subsidiary") is None and orders:
        values["subsidiary"] = orders[0]["subsidiary"]
    fill_header(writing, values, vendor)
    fill_terms(company, values, vendor)
    _check_orders(orders, values)
    payable_account(writing, values, "account")
    post(company, values, old)
    _check_number(writing, values, old)
    lines = written_lines(values)
    if not lines:
        raise Refused("VALID_LINE_ITEM_REQD", "You must have at least one valid line item for this transaction.")
    check_subsidiary(company, values, lines)
    for line in lines:
        check_line(writing, line)
    was = [*item_lines(old), *expense_lines(old)] if old is not None else []
    values["userTotal"] = cents(price_lines(company, lines, was) + overridden_tax(values))
    _check_billable(writing, lines, old)
    if "link_dropped" in writing.tampering:
        for line in lines:
            line.pop("orderDoc", None)
            line.pop("orderLine", None)
    if old is not None and values["userTotal"] < paid(company, old):
        raise Refused("USER_ERROR", "The bill cannot be for less than was already paid.")
    if values.get("approvalStatus") is None:
        values["approvalStatus"] = PENDING if company.switches.flag("bill_approval") else APPROVED
    if old is None:
        values["transactionNumber"] = company.next_number("vendorBill", "VENDBILL")
        values["status"] = "Open" if values["approvalStatus"].internal_id == "2" else "Pending Approval"


def _take_orders(writing: Writing, values: Values) -> None:
    """A new bill that names orders but no lines takes all that is billable of them (reference 5.3)."""
    items, expenses = Lines(), Lines()
    for ref in values.pop("purchaseOrderList", None) or ():
        order = writing.company.find("purchaseOrder", ref)
        if order is None:
            raise bad_reference("purchaseorder", ref.internal_id or ref.external_id)
        of_items, of_expenses = bill_lines(writing.company, order)
        items += of_items
        expenses += of_expenses
    if items:
        values["itemList"] = items
    if expenses:
        values["expenseList"] = expenses


def _linked(writing: Writing, values: Values, vendor: Record) -> list[Record]:
    """The orders the lines name, in order; a line without an order's line gets the one with its item."""
    company = writing.company
    orders: dict[str, Record] = {}
    for line in written_lines(values):
        if line.get("orderDoc") is None:
            continue
        order = company.get("purchaseOrder", str(line["orderDoc"]))
        usable = order is not None and order["entity"].internal_id == vendor.internal_id
        if order is None or not usable or not approved(order) or order["status"] == "Planned":
            raise bad_reference("orderdoc", line["orderDoc"])
        if line.get("orderLine") is None:
            same = [one for one in item_lines(order) if line.get("item") and one["item"] == line["item"]]
            if not same:
                raise bad_reference("orderline", "")
            line["orderLine"] = same[0]["line"]
        target = order_line(order, line["orderLine"])
        if target is None or is_expense(target) != is_expense(line):
            raise bad_reference("orderline", line["orderLine"])
        if not is_expense(line):
            if line.get("item") is None:
                line["item"] = target["item"]
            elif line["item"].internal_id != target["item"].internal_id:
                raise Refused("USER_ERROR", f"Line {line['orderLine']} of the order is for another item.")
        orders[order.internal_id] = order
    return list(orders.values())


def _check_orders(orders: list[Record], values: Values) -> None:
    for order in orders:
        if order["currency"].internal_id != values["currency"].internal_id:
            raise Refused("MISMATCHED_CURRENCY", "The currency differs from the purchase order's.")
        if order["subsidiary"].internal_id != values["subsidiary"].internal_id:
            raise Refused("INVALID_TRANS_SUB_ENTITY", "The subsidiary differs from the purchase order's.")


def _check_number(writing: Writing, values: Values, old: Record | None) -> None:
    number = values.get("tranId")
    if not number:
        return
    if len(number) > _NUMBER_LENGTH:
        raise Refused("EXCEEDED_MAX_FIELD_LENGTH", f"The field tranid contained more than {_NUMBER_LENGTH} characters.")
    company = writing.company
    word = company.switches.word("duplicate_bill_numbers")
    if word == "allow" or (old is not None and old["tranId"] == number):
        return
    if company.bill_numbers.get((values["entity"].internal_id, number)):
        text = f"The bill number {number} was already used for this vendor."
        if word == "refuse":
            raise Refused("DUP_TRANS", text)
        writing.warn(text)


def _rate_from_orders(writing: Writing, lines: list[Fields]) -> None:
    """A linked line without a price takes the order's."""
    for line in lines:
        if line.get("orderDoc") is None or is_expense(line):
            continue
        if line.get("rate") in (None, "") and line.get("amount") is None:
            order = writing.company.get("purchaseOrder", str(line["orderDoc"]))
            target = order_line(order, line["orderLine"]) if order is not None else None
            line["rate"] = target["rate"] if target is not None else None


def _check_billable(writing: Writing, lines: list[Fields], old: Record | None) -> None:
    """No more than is billable of any order's line (reference 5.2). Raises Refused (USER_ERROR)."""
    company = writing.company
    asked: dict[tuple[str, int], Decimal] = {}
    for line in lines:
        if line.get("orderDoc") is not None:
            key = (str(line["orderDoc"]), line["orderLine"])
            asked[key] = asked.get(key, ZERO) + (line["amount"] if is_expense(line) else line["quantity"])
    for (order_id, line_id), wanted in asked.items():
        order = company.get("purchaseOrder", order_id)
        target = order_line(order, line_id) if order is not None else None
        if order is None or target is None:
            continue
        if target.get("isClosed"):
            raise Refused("USER_ERROR", f"Line {line_id} of {company.title(order)} is closed.")
        done = progress(company, order, without=old).get(line_id, Progress())
        if wanted > billable(company, target, done) and company.switches.word("over_billing") == "refuse":
            received = "" if company.switches.flag("bill_in_advance") else " received and"
            raise Refused(
                "USER_ERROR",
                f"The quantity on line {line_id} of {company.title(order)} exceeds what was{received} not billed yet.",
            )


def after_bill(writing: Writing, bill: Record, before: Record | None) -> None:
    """Orders move; the bill's own status follows what is paid."""
    for name in ("itemList", "expenseList"):
        number_lines(before, bill[name], bill.next_line)
    if before is not None:
        _used(writing, before).discard(bill.internal_id)
    _used(writing, bill).add(bill.internal_id)
    settle_bill(writing.company, bill)
    relink(writing.company, bill, linked_orders(writing.company, before) if before is not None else set())


def _used(writing: Writing, bill: Record) -> set[str]:
    """The bills with this one's vendor and number."""
    key = (bill["entity"].internal_id, bill["tranId"] or "")
    return writing.company.bill_numbers.setdefault(key, set())


def before_bill_goes(writing: Writing, bill: Record) -> None:
    """A bill that something is applied to, or was made from, or of a closed period cannot be deleted. Raises
    Refused."""
    company = writing.company
    period = company.pointed("postingPeriod", bill["postingPeriod"])
    if period["closed"] or period["apLocked"] or period["allLocked"]:
        code = company.switches.word("closed_period_code")
        raise Refused(code, f"This transaction cannot be deleted: the period {period['periodName']} is closed.")
    if paid(company, bill):
        raise Refused("CANT_DELETE_TRANS", "This transaction cannot be deleted because payments are applied to it.")
    if company.switches.word("reconciled_bills") == "refuse":
        raise Refused("CANT_DELETE_TRANS", "This transaction cannot be deleted because it has been reconciled.")
    if any(source_of(company, one) is bill for one in company.all("vendorCredit", "vendorReturnAuthorization")):
        raise Refused("CANT_DELETE_TRANS", "This transaction cannot be deleted because it is linked by others.")


def after_bill_goes(writing: Writing, bill: Record) -> None:
    """Orders move back."""
    _used(writing, bill).discard(bill.internal_id)
    relink(writing.company, bill, linked_orders(writing.company, bill))


# Payments, and what they have in common with credits


def prepare_payment(writing: Writing, values: Values, old: Record | None) -> None:
    """A vendor payment as it will be stored; its total is what it applies. Raises Refused."""
    company = writing.company
    vendor = vendor_of(company, values)
    bills = [company.get("vendorBill", str(line.get("doc"))) for line in values.get("applyList") or ()]
    first = next((bill for bill in bills if bill is not None), None)
    for name in ("currency", "subsidiary"):
        if values.get(name) is None and first is not None:
            values[name] = first[name]
    fill_header(writing, values, vendor)
    payable_account(writing, values, "apAcct")
    banks = ("_bank", "_creditCard")
    if values.get("account") is None:
        usable = [one for one in company.all("account") if one["acctType"] == "_bank" and not one["isInactive"]]
        if not usable:
            raise Refused("USER_ERROR", "Please enter value(s) for: Account")
        values["account"] = company.ref(usable[0])
    elif company.pointed("account", values["account"])["acctType"] not in banks:
        raise bad_reference("account", values["account"].internal_id)
    post(company, values, old)
    values["total"] = applied_lines(writing, values, old, "VendorPaymentApply")
    if not values["applyList"]:
        raise Refused("VALID_LINE_ITEM_REQD", "You must have at least one valid line item for this transaction.")
    take_credits(writing, values, old)
    if old is None:
        values["transactionNumber"] = company.next_number("vendorPayment", "VENDPYMT")
        values.setdefault("tranId", company.next_number("check", "1000"))
        values["status"] = "Approved"


def after_payment(writing: Writing, payment: Record, before: Record | None) -> None:
    """Bills are paid, or owed again, and credited by what went with the payment."""
    after_applied(writing, payment, before)
    apply_credits(writing)


def applied_lines(writing: Writing, values: Values, old: Record | None, shape: str) -> Decimal:
    """Replaces the apply list by the lines that apply something, and returns their sum. Raises Refused."""
    company = writing.company
    applied = Lines()
    total = ZERO
    seen: set[str] = set()
    for line in values.get("applyList") or ():
        if not line.get("apply"):
            continue
        bill = company.get("vendorBill", str(line.get("doc", "")))
        usable = bill is not None and bill["entity"].internal_id == values["entity"].internal_id
        if bill is None or not usable or bill["status"] not in ("Open", "Paid In Full") or bill.internal_id in seen:
            raise bad_reference("doc", line.get("doc"))
        if bill["currency"].internal_id != values["currency"].internal_id:
            raise Refused("MISMATCHED_CURRENCY", "The currency differs from the bill's.")
        seen.add(bill.internal_id)
        open_amount = due(company, bill, without=old)
        discount = line.get("disc") or ZERO
        amount = line["amount"] if line.get("amount") is not None else open_amount - discount
        if amount <= 0 or amount + discount > open_amount:
            raise Refused("USER_ERROR", f"{company.title(bill)} has {open_amount} due; {amount} cannot be applied.")
        total += amount
        shown = {"apply": True, "doc": int(bill.internal_id), "line": 0, "type": "Bill", "refNum": bill["tranId"]}
        worth = {"total": total_of(bill), "due": open_amount, "currency": bill["currencyName"], "amount": amount}
        applied.append(Fields(shape, {**line, **shown, **worth, "applyDate": bill["tranDate"]}))
    values["applyList"] = applied
    return total


def after_applied(writing: Writing, document: Record, before: Record | None) -> None:
    """Bills are paid, or owed again."""
    for name in ("itemList", "expenseList"):
        if document[name]:
            number_lines(before, document[name], document.next_line)
    reapply(writing.company, document, applied_bills(before) if before is not None else set())


def after_applied_goes(writing: Writing, document: Record) -> None:
    """Bills are owed again."""
    reapply(writing.company, document, applied_bills(document))


def approve(writing: Writing, bills: Iterable[Record], decision: Ref) -> None:
    """A person decides on bills that wait for approval."""
    for bill in bills:
        bill.values["approvalStatus"] = decision
        writing.company.touch(bill)
        settle_bill(writing.company, bill)
        relink(writing.company, bill, set())
