"""Return authorizations and vendor credits: what a save checks, works out and moves (reference 3.4, 4)."""

from sandbox.netsuite.billing import after_applied, after_applied_goes, applied_lines, payable_account, written_lines
from sandbox.netsuite.documents import (
    cents,
    check_subsidiary,
    fill_header,
    overridden_tax,
    post,
    price_lines,
    vendor_of,
)
from sandbox.netsuite.errors import Refused, bad_reference
from sandbox.netsuite.fulfilling import show_state
from sandbox.netsuite.normalising import Writing, number_lines
from sandbox.netsuite.orders import ZERO, expense_lines, is_expense, item_lines, linked_orders, relink, source_of
from sandbox.netsuite.payables import reapply
from sandbox.netsuite.records import Record, Values

_MADE_FROM = {
    "vendorCredit": ("vendorBill", "vendorReturnAuthorization"),
    "vendorReturnAuthorization": ("vendorBill",),
}


def _take_from_source(writing: Writing, values: Values, vendor: Record) -> None:
    """A line that names one of the record it is made from takes what it does not say itself. Raises Refused."""
    company = writing.company
    lines = written_lines(values)
    ref = values.get("createdFrom")
    if ref is None:
        if any(line.get("orderLine") is not None for line in lines):
            raise bad_reference("orderline", next(line["orderLine"] for line in lines if line.get("orderLine")))
        return
    source = company.pointed("createdFrom", ref)
    usable = source.type.name in _MADE_FROM[writing.kind.name] and source["entity"].internal_id == vendor.internal_id
    if not usable:
        raise bad_reference("createdfrom", ref.internal_id)
    for name in ("currency", "subsidiary"):
        if values.get(name) is None:
            values[name] = source[name]
    known = {line["line"]: line for line in (*item_lines(source), *expense_lines(source))}
    for line in lines:
        if line.get("orderLine") is None:
            continue
        found = known.get(line["orderLine"])
        if found is None or is_expense(found) != is_expense(line):
            raise bad_reference("orderline", line["orderLine"])
        for name in ("account", "category") if is_expense(line) else ("item", "units"):
            if line.get(name) is None and found.get(name) is not None:
                line[name] = found[name]
        if is_expense(line):
            line.setdefault("amount", found["amount"])
            continue
        if line["item"].internal_id != found["item"].internal_id:
            raise Refused("USER_ERROR", f"Line {line['orderLine']} is for another item.")
        if line.get("rate") in (None, "") and line.get("amount") is None:
            line["rate"] = found["rate"]


def _sum_up(writing: Writing, values: Values, old: Record | None) -> None:
    """Lines with their amounts, and the total. Raises Refused."""
    lines = written_lines(values)
    if not lines:
        raise Refused("VALID_LINE_ITEM_REQD", "You must have at least one valid line item for this transaction.")
    check_subsidiary(writing.company, values, lines)
    was = [*item_lines(old), *expense_lines(old)] if old is not None else []
    values["userTotal"] = cents(price_lines(writing.company, lines, was) + overridden_tax(values))


def prepare_return(writing: Writing, values: Values, old: Record | None) -> None:
    """A return authorization as it will be stored; it is approved. Raises Refused."""
    company = writing.company
    vendor = vendor_of(company, values)
    _take_from_source(writing, values, vendor)
    fill_header(writing, values, vendor)
    _sum_up(writing, values, old)
    if values.get("tranId") is None:
        values["tranId"] = company.next_number("vendorReturnAuthorization", "VRA")
    if old is None:
        values.setdefault("orderStatus", "_pendingReturn")


def after_return(writing: Writing, made: Record, before: Record | None) -> None:
    """Line ids of new lines."""
    for name in ("itemList", "expenseList"):
        number_lines(before, made[name], made.next_line)


def before_return_goes(writing: Writing, made: Record) -> None:
    """A return whose goods left, or that was credited, cannot be deleted. Raises Refused."""
    made_of_it = writing.company.all("vendorCredit", "itemFulfillment")
    if any(source_of(writing.company, one) is made for one in made_of_it):
        raise Refused("CANT_DELETE_TRANS", "This transaction cannot be deleted because it is linked by others.")


def prepare_credit(writing: Writing, values: Values, old: Record | None) -> None:
    """A vendor credit as it will be stored. Raises Refused."""
    company = writing.company
    vendor = vendor_of(company, values)
    _take_from_source(writing, values, vendor)
    fill_header(writing, values, vendor)
    payable_account(writing, values, "account")
    post(company, values, old)
    _sum_up(writing, values, old)
    values["total"] = values["userTotal"]
    applied = applied_lines(writing, values, old, "VendorCreditApply")
    if applied > values["total"]:
        raise Refused("USER_ERROR", "More is applied than the credit is for.")
    values["applied"], values["unApplied"] = applied, values["total"] - applied
    if old is None:
        values["transactionNumber"] = company.next_number("vendorCredit", "VENDCRED")


def after_credit(writing: Writing, credit: Record, before: Record | None) -> None:
    """Bills are paid, or owed again; the orders behind move where the account counts credits."""
    company = writing.company
    after_applied(writing, credit, before)
    relink(company, credit, linked_orders(company, before) if before is not None else set())
    show_state(company, source_of(company, credit))


def after_credit_goes(writing: Writing, credit: Record) -> None:
    """Bills are owed again, and orders move back."""
    after_applied_goes(writing, credit)
    relink(writing.company, credit, linked_orders(writing.company, credit))
    show_state(writing.company, source_of(writing.company, credit))


def void_credit(writing: Writing, credit: Record) -> None:
    """A person voids a credit: its amounts become zero, and it is applied to nothing."""
    before = {str(line["doc"]) for line in credit["applyList"] or ()}
    for line in (*item_lines(credit), *expense_lines(credit)):
        line["amount"] = ZERO
    zero = dict.fromkeys(("total", "userTotal", "applied", "unApplied"), ZERO)
    credit.values |= {**zero, "applyList": None, "memo": "VOID"}
    writing.company.touch(credit)
    reapply(writing.company, credit, before)
    relink(writing.company, credit, set())
    show_state(writing.company, source_of(writing.company, credit))
