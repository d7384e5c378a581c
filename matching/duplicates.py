"""Is this invoice kept already? (matching rules 3.5, H05, H06)."""

from collections.abc import Iterator
from datetime import timedelta

from matching.exact import money, plain
from matching.inputs import BillToMatch, KeptBill
from matching.result import Finding, Outcome
from matching.supplier_number import number_key
from matching.totals import bill_total

NEAR = timedelta(days=7)
"""Two bills of one vendor over the same amount within these days may be one bill typed in twice."""


def check_kept(bill: BillToMatch) -> Iterator[Finding]:
    """The same invoice again, something that looks like it, and a reference the ERP would not tell apart."""
    if not bill.kept:
        return
    key = number_key(bill.number)
    of_vendor = [kept for kept in bill.kept if kept.vendor_id == bill.vendor_id]
    exact = [kept for kept in of_vendor if number_key(kept.number) == key]
    if exact:
        yield _same(bill, exact)
    yield from _suspects(bill, [kept for kept in of_vendor if kept not in exact])
    yield from _collisions(bill, [kept for kept in bill.kept if kept not in exact])


def _same(bill: BillToMatch, exact: list[KeptBill]) -> Finding:
    names = _names(exact)
    return Finding(
        id="DUPLICATE_EXACT",
        code="DUPLICATE_EXACT",
        severity=Outcome.BLOCK,
        message=f"Number {bill.number} of vendor {bill.vendor} is kept already: {_in_words(exact)}.",
        rule="HEADER.DUPLICATE",
        formula="same vendor and same number; case, spaces, punctuation and leading zeros do not count",
        values={"number": bill.number, "kept": names},
        who="ap",
        fix=("open the bill that is kept already", "or correct the number if this is another invoice"),
    )


def _suspects(bill: BillToMatch, others: list[KeptBill]) -> Iterator[Finding]:
    if bill.bill_date is None:
        return
    asked = bill.total if bill.total is not None else bill_total(bill)
    suspects = [
        kept
        for kept in others
        if kept.total == asked and kept.bill_date is not None and abs(kept.bill_date - bill.bill_date) <= NEAR
    ]
    if suspects:
        names = _names(suspects)
        yield Finding(
            id="DUPLICATE_SUSPECT",
            code="DUPLICATE_SUSPECT",
            severity=Outcome.WARN,
            message=(
                f"Vendor {bill.vendor} billed {money(asked)} within a week of this bill already: {_in_words(suspects)}."
            ),
            rule="HEADER.DUPLICATE",
            formula=f"same vendor and amount, dates at most {NEAR.days} days apart, other number",
            values={"number": bill.number, "amount": plain(asked), "kept": names},
            money_at_stake=asked,
            who="ap",
            fix=("compare the two invoices", "acknowledge if they are two"),
        )


def _collisions(bill: BillToMatch, others: list[KeptBill]) -> Iterator[Finding]:
    if bill.reference is None or bill.reference_length is None:
        return
    cut = bill.reference[: bill.reference_length]
    same = [kept for kept in others if kept.reference and kept.reference[: bill.reference_length] == cut]
    if same:
        names = _names(same)
        yield Finding(
            id="REF_COLLISION",
            code="REF_COLLISION",
            severity=Outcome.HOLD,
            message=(
                f"The accounting system keeps {bill.reference_length} characters of a reference; {bill.reference} "
                f"becomes {cut}, which is taken already: {_in_words(same)}."
            ),
            rule="HEADER.REFERENCE",
            formula="reference cut to the ERP's length is taken",
            values={"reference": bill.reference, "cut": cut, "kept": names},
            who="ap",
            fix=("shorten the number so that its end is kept", "or bill both orders on one bill"),
        )


def _names(bills: list[KeptBill]) -> str:
    return ", ".join(kept.name for kept in bills)


def _in_words(bills: list[KeptBill]) -> str:
    """As people look for them: `INV-7 of 2026-03-01 (bill_12)`."""
    return ", ".join(
        f"{kept.number}{f' of {kept.bill_date}' if kept.bill_date else ''} ({kept.name})" for kept in bills
    )
