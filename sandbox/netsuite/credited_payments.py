"""Vendor credits that go with a vendor payment: its `creditList` beside the `applyList` (reference 5.4).

Each is applied to the payment's bills as the account chooses; the payment keeps what remains as money. They stay
applied when the payment is deleted.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused, bad_reference
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.orders import ZERO
from sandbox.netsuite.payables import applied_bills, due, reapply, total_of
from sandbox.netsuite.records import Record, Values
from sandbox.netsuite.values import Fields, Lines


class Applied(NamedTuple):
    """How much of a credit goes to a bill."""

    credit: Record
    bill: str
    amount: Decimal


def take_credits(writing: Writing, values: Values, old: Record | None) -> None:
    """Work out what of a payment's list its credits pay, and leave the rest as money. Raises Refused."""
    chosen = list(_chosen(writing.company, values))
    values["creditList"] = None
    writing.credited = []
    if not chosen:
        return
    if old is not None:
        raise Refused("USER_ERROR", "Credits are added to a payment when it is made.")
    lines = list(values["applyList"])
    if writing.company.switches.word("credits_in_payments") == "last":
        lines.reverse()
    for credit, amount in chosen:
        left = amount
        for line in lines:
            part = min(left, line["amount"])
            if part > 0:
                writing.credited.append(Applied(credit, str(line["doc"]), part))
                line["amount"] -= part
                left -= part
        if left > 0:
            raise Refused("USER_ERROR", "The credits are more than what is applied to bills.")
    values["applyList"] = Lines([line for line in values["applyList"] if line["amount"] > 0])
    values["total"] = sum((line["amount"] for line in values["applyList"]), ZERO)
    if not values["total"] and not writing.company.switches.flag("payments_of_nothing"):
        raise Refused("USER_ERROR", "The payment amount must be greater than zero.")


def _chosen(company: Company, values: Values) -> Iterator[tuple[Record, Decimal]]:
    for line in values.get("creditList") or ():
        if not line.get("apply"):
            continue
        credit = company.get("vendorCredit", str(line.get("doc", "")))
        if credit is None or credit["entity"].internal_id != values["entity"].internal_id:
            raise bad_reference("doc", line.get("doc"))
        amount = line["amount"] if line.get("amount") is not None else credit["unApplied"]
        if amount <= 0 or amount > credit["unApplied"]:
            raise Refused("USER_ERROR", f"{credit['unApplied']} of the credit is open; {amount} cannot be applied.")
        yield credit, amount


def apply_credits(writing: Writing) -> None:
    """Name the bills in the lists of the credits that went with the payment."""
    company = writing.company
    for credit, bill_id, amount in writing.credited:
        before = applied_bills(credit)
        lines = Lines(credit["applyList"] or ())
        same = next((line for line in lines if str(line["doc"]) == bill_id), None)
        if same is not None:
            same["amount"] += amount
        else:
            bill = company.get("vendorBill", bill_id)
            assert bill is not None, "the payment applies to it"
            shown = {"apply": True, "doc": int(bill_id), "line": 0, "type": "Bill", "refNum": bill["tranId"]}
            worth = {"total": total_of(bill), "due": due(company, bill), "currency": bill["currencyName"]}
            lines.append(
                Fields("VendorCreditApply", {**shown, **worth, "amount": amount, "applyDate": bill["tranDate"]})
            )
        credit.values |= {
            "applyList": lines,
            "applied": credit["applied"] + amount,
            "unApplied": credit["unApplied"] - amount,
        }
        company.touch(credit)
        reapply(company, credit, before)
