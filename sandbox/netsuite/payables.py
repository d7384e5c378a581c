"""What is owed on a bill, and its status from what was paid and credited."""

from decimal import Decimal

from sandbox.netsuite.company import Company
from sandbox.netsuite.orders import ZERO
from sandbox.netsuite.records import Record

BILL_SEARCH = {
    "Open": ("_billOpen", "A"),
    "Paid In Full": ("_billPaidInFull", "B"),
    "Pending Approval": ("_billPendingApproval", "D"),
    "Rejected": ("_billRejected", "E"),
    "Cancelled": ("_billCancelled", "C"),
}
"""A bill's status as the search and SuiteQL spell it."""
PAYMENT_SEARCH = {"Approved": ("_billPaymentApproved", "F"), "Voided": ("_billPaymentVoided", "V")}


def total_of(document: Record) -> Decimal:
    """The document's amount in its currency. Bills and returns have no total but a userTotal (reference 4)."""
    only_user = document.type.name in ("vendorBill", "vendorReturnAuthorization")
    value = document["userTotal"] if only_user else document["total"]
    return value if isinstance(value, Decimal) else ZERO


def paid(company: Company, bill: Record, *, without: Record | None = None) -> Decimal:
    """What payments and credits took off the bill, discounts included."""
    amount = ZERO
    for document in company.applied.get(bill.internal_id, {}).values():
        if document is without or document["status"] == "Voided":
            continue
        for line in document["applyList"] or ():
            if str(line["doc"]) == bill.internal_id:
                amount += line["amount"] + (line.get("disc") or ZERO)
    return amount


def due(company: Company, bill: Record, *, without: Record | None = None) -> Decimal:
    """What is still owed."""
    return total_of(bill) - paid(company, bill, without=without)


def settle_bill(company: Company, bill: Record) -> None:
    """Open or paid in full, by what is due; approval comes first."""
    approval = bill["approvalStatus"]
    if approval is not None and approval.internal_id != "2":
        status = "Pending Approval" if approval.internal_id == "1" else "Rejected"
    elif bill["status"] == "Cancelled":
        status = "Cancelled"
    else:
        status = "Paid In Full" if due(company, bill) <= 0 and paid(company, bill) > 0 else "Open"
    if bill["status"] != status:
        bill.values["status"] = status
        company.touch(bill)
    bill.changed()


def reapply(company: Company, document: Record, before: set[str]) -> None:
    """A payment or credit was saved or removed: the bills it pays, and paid before, are worked out anew."""
    present = applied_bills(document) if document.internal_id in company.groups["transaction"] else set()
    for bill_id in before | present:
        documents = company.applied.setdefault(bill_id, {})
        if bill_id in present:
            documents[document.internal_id] = document
        else:
            documents.pop(document.internal_id, None)
        bill = company.get("vendorBill", bill_id)
        if bill is not None:
            settle_bill(company, bill)


def applied_bills(document: Record) -> set[str]:
    """The ids of the bills a payment or credit is applied to."""
    return {str(line["doc"]) for line in document["applyList"] or ()}
