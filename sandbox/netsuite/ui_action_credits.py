"""What people do about credits in NetSuite's screens: credit a bill, return goods, edit and void a credit."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.netsuite.action_arguments import Given, day_of, found, number, numbered, reference, text, wanted_lines
from sandbox.netsuite.company import Company
from sandbox.netsuite.crediting import void_credit
from sandbox.netsuite.documents import cents
from sandbox.netsuite.initialising import initialised
from sandbox.netsuite.inspect import Shown, shown
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.orders import ZERO, is_expense, item_lines, source_of
from sandbox.netsuite.payables import due
from sandbox.netsuite.records import Record
from sandbox.netsuite.values import Fields, Lines
from sandbox.netsuite.writing import add, update


def credit_of(source_type: str) -> Callable[[Company, Given], Shown]:
    def credit(company: Company, given: Given) -> Shown:
        """Credits a bill, or a return of one: all of it, or the lines named. It is applied to the bill as far as that
        is due, unless `apply` is false."""
        source = found(company, source_type, given)
        values = _made_from(company, "vendorCredit", source, given)
        bill = source if source_type == "vendorBill" else source_of(company, source)
        if bill is not None and given.get("apply") is not False:
            worth = sum((_worth(line) for name in ("itemList", "expenseList") for line in values.get(name, ())), ZERO)
            owed = min(worth, due(company, bill))
            if owed > 0:
                line = {"apply": True, "doc": int(bill.internal_id), "amount": owed}
                values["applyList"] = Lines([Fields("VendorCreditApply", line)])
        return shown(company, add(Writing(company), Fields("VendorCredit", values)))

    return credit


def _worth(line: Fields) -> Decimal:
    if line.get("amount") is not None:
        return cents(line["amount"])
    return cents(line["quantity"] * Decimal(line["rate"]))


def authorize_return(company: Company, given: Given) -> Shown:
    """A return of what a bill billed: all of it, or the lines named."""
    bill = found(company, "vendorBill", given)
    values = _made_from(company, "vendorReturnAuthorization", bill, given)
    return shown(company, add(Writing(company), Fields("VendorReturnAuthorization", values)))


def fulfil_return(company: Company, given: Given) -> Shown:
    """The goods of a return leave: all that is authorized, or the lines named. `ship_status` picked or packed: they are
    still in the house."""
    made = found(company, "vendorReturnAuthorization", given)
    rows = wanted_lines(made, given)
    lines = Lines()
    for line in item_lines(made):
        if rows and line["line"] not in rows:
            continue
        quantity = number(rows.get(line["line"], {}), "quantity")
        values = {"itemReceive": True, "orderLine": line["line"], "quantity": quantity}
        given_values = {name: value for name, value in values.items() if value is not None}
        lines.append(Fields("ItemFulfillmentItem", given_values))
    values = {"createdFrom": company.ref(made), "tranDate": company.moment_of(day_of(company, given))}
    values |= {"itemList": lines, "memo": given.get("memo"), "tranId": given.get("document_number")}
    values["shipStatus"] = f"_{text(given, 'ship_status', 'shipped')}"
    kept = {name: value for name, value in values.items() if value is not None}
    return shown(company, add(Writing(company), Fields("ItemFulfillment", kept)))


def _made_from(company: Company, wanted: str, source: Record, given: Given) -> dict[str, Any]:
    """What the screen proposes for a record made from another, with the lines and figures that were named."""
    asked = Fields("InitializeRecord", {"type": wanted, "reference": reference(source)})
    proposed = initialised(company, asked)
    rows = wanted_lines(source, given)
    values: dict[str, Any] = {"createdFrom": company.ref(source)}
    values |= {name: source[name] for name in ("entity", "subsidiary", "currency")}
    values |= {"tranDate": company.moment_of(day_of(company, given)), "tranId": given.get("document_number")}
    values["memo"] = given.get("memo")
    for name in ("itemList", "expenseList"):
        lines = Lines()
        for line in proposed.get(name) or ():
            if rows and line["orderLine"] not in rows:
                continue
            lines.append(_with_figures(line, rows.get(line["orderLine"], {})))
        if lines:
            values[name] = lines
    return values


def _with_figures(line: Fields, row: Given) -> Fields:
    """The line with another quantity, price or amount."""
    amount = number(row, "amount")
    if is_expense(line):
        return Fields(line.shape, line if amount is None else {**line, "amount": amount})
    quantity = number(row, "quantity")
    values = {**line, "quantity": line["quantity"] if quantity is None else quantity, "amount": amount}
    values["rate"] = None if amount is not None else text(row, "price", line["rate"])
    return Fields(line.shape, {name: value for name, value in values.items() if value is not None})


def edit_credit(company: Company, given: Given) -> Shown:
    credit = found(company, "vendorCredit", given)
    values: dict[str, Any] = {name: given[name] for name in ("memo",) if name in given}
    if given.get("apply") is False:
        values["applyList"] = Lines()
    if "line" in given:
        line = numbered(credit, given)
        changed = {"line": line["line"], "quantity": number(given, "quantity"), "amount": number(given, "amount")}
        changed["rate"] = str(given["price"]) if "price" in given else None
        fields = Fields(line.shape, {name: value for name, value in changed.items() if value is not None})
        name = "expenseList" if is_expense(line) else "itemList"
        values[name] = Lines([fields], replace_all=False)
    fields = Fields("VendorCredit", values, {"internalId": credit.internal_id})
    return shown(company, update(Writing(company), fields))


def void(company: Company, given: Given) -> Shown:
    credit = found(company, "vendorCredit", given)
    void_credit(Writing(company), credit)
    return shown(company, credit)
