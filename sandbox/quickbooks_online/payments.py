"""Payments of bills and the use of credits (reference 6.3): what a line may name, and what its target still owes."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.documents import Draft
from sandbox.quickbooks_online.errors import Refused, business, invalid_reference, missing
from sandbox.quickbooks_online.records import Link, Record
from sandbox.quickbooks_online.values import ZERO, cents

_TARGETS = ("Bill", "VendorCredit")
Target = tuple[str, str]
"""A bill or credit: entity and id."""


def targets_of(record: Record) -> set[Target]:
    """The bills and credits that a payment's lines name."""
    return {(link.txn_type, link.txn_id) for line in record.lines for link in line.links}


def applied(company: Company, target: Record, *, but: Record | None = None) -> Decimal:
    """How much of a bill is paid, or of a credit used; payments other than `but`."""
    total = ZERO
    for link in target.back_links:
        payment = company.get("BillPayment", link.txn_id)
        if payment is not None and payment is not but:
            total += _taken(payment, (target.type.name, target.id))
    return total


def _taken(payment: Record, target: Target) -> Decimal:
    """What one payment takes of a bill or credit."""
    named = Link(target[1], target[0])
    return sum(
        (line.amount or ZERO for line in payment.lines if any(link[:2] == named[:2] for link in line.links)), ZERO
    )


def check_payment(company: Company, draft: Draft, before: Record | None) -> None:
    """What a payment must say, and that its targets can take it. Raises Refused."""
    values = draft.values
    if not values.get("PayType"):
        raise missing("PayType")
    kind = "CheckPayment" if values["PayType"] == "Check" else "CreditCardPayment"
    if not values.get(kind):
        raise missing(kind)
    values["CreditCardPayment" if kind == "CheckPayment" else "CheckPayment"] = None
    if values.get("TotalAmt") is None:
        raise missing("TotalAmt")
    values["TotalAmt"] = cents(values["TotalAmt"])
    if values["TotalAmt"] < 0:
        raise Refused("2290", "Invalid Amount", "Transaction amount must be 0 or greater.", element="TotalAmt")
    wanted: dict[Target, Decimal] = {}
    cash = ZERO
    for line in draft.lines:
        if len(line.links) != 1:
            raise missing("Line.LinkedTxn")
        link = line.links[0]
        amount = line.amount or ZERO
        if amount < 0:
            raise Refused("2290", "Invalid Amount", "The amount of a line must be 0 or greater.", element="Amount")
        target = _target(company, draft, link)
        key = (target.type.name, target.id)
        line.links = [Link(target.id, target.type.name)]
        wanted[key] = wanted.get(key, ZERO) + amount
        cash += amount if target.type.name == "Bill" else -amount
        if wanted[key] > (target["TotalAmt"] or ZERO) - applied(company, target, but=before):
            raise business("The amount is more than what is open of the transaction.")
    if cash > values["TotalAmt"]:
        raise business("The total of the payment is less than what its lines apply.")


def _target(company: Company, draft: Draft, link: Link) -> Record:
    if link.txn_type not in _TARGETS:
        raise invalid_reference("Transactions", link.txn_id, "LinkedTxn")
    target = company.get(link.txn_type, link.txn_id)
    if target is None:
        raise invalid_reference("Transactions", link.txn_id, "LinkedTxn")
    if target["VendorRef"] != draft.values.get("VendorRef"):
        raise business("You can only pay transactions of the vendor of the payment.")
    if target["APAccountRef"] != draft.values.get("APAccountRef"):
        raise business("The transaction has another accounts payable account than the payment.")
    if target["CurrencyRef"] != draft.values.get("CurrencyRef"):
        raise business("The transaction has another currency than the payment.")
    return target


def reapply(company: Company, payment: Record, before: Iterable[Target], *, gone: bool = False) -> None:
    """Bills and credits follow what a payment's lines say now; `before` are those it named until now."""
    now = set() if gone else targets_of(payment)
    back = Link(payment.id, f"BillPayment{payment['PayType']}")
    for kind, identifier in sorted({*before, *now}):
        target = company.get(kind, identifier)
        if target is None:
            continue
        target.back_links = [link for link in target.back_links if link.txn_id != payment.id]
        if (kind, identifier) in now:
            target.back_links.append(back)
        settle(company, target)
        company.touch(target)


def settle(company: Company, target: Record) -> None:
    """What is left of a bill or credit, and what its vendor is owed."""
    disown(company, target)
    target.values["Balance"] = (target["TotalAmt"] or ZERO) - applied(company, target)
    _owe(company, target, target["Balance"])


def disown(company: Company, target: Record) -> None:
    """The vendor of a bill or credit is owed nothing for it any more."""
    _owe(company, target, -(target["Balance"] or ZERO))
    target.values["Balance"] = ZERO


def _owe(company: Company, target: Record, amount: Decimal) -> None:
    vendor = company.get("Vendor", target["VendorRef"] or "")
    if vendor is not None and amount:
        vendor.values["Balance"] += amount if target.type.name == "Bill" else -amount
        company.redraw(vendor)


def forget_target(company: Company, target: Record) -> None:
    """A bill or credit is deleted: the payments that named it keep their total and lose that line."""
    for link in target.back_links:
        payment = company.get("BillPayment", link.txn_id)
        if payment is not None:
            named = (target.id, target.type.name)
            payment.lines = [line for line in payment.lines if not any(one[:2] == named for one in line.links)]
            company.touch(payment)
